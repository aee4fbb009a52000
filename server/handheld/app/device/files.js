// The photos on this device: exact bytes, and how far each has come. Serves `capture`, `uploads`, `exchange`.
//
// States: `waiting` -> `stored` (the server has all bytes) -> `verified` (it checked them: ours are removed a while later,
// for it may be restored from a backup that lacks them), or `refused`, `damaged` with the `problem`'s code; those bytes
// stay, and may be sent again. `dismissed`: so was its evidence, or that left this device and the server did not verify it;
// the bytes stay. `gone`: the server lost what is no longer here.

import { isFull } from "./store.js";
import { hex, sha256, stamp } from "./values.js";

/** @import { Fields, Photo } from "./types.js" */
/** @import { Store, Transaction } from "./store.js" */
/** @import { Events } from "./events.js" */
/** A photo's row. @typedef {Photo} File */

export const KEEP_MS = 30 * 86_400_000;
/** What is kept however little room there is: backups are made daily. */
const LEAST_KEEP_MS = 2 * 86_400_000;
/** Above this part of what the browser grants, room is short. */
const SHORT = 0.8;
/** States of a photo that goes no further by itself. */
export const STOPPED = ["refused", "damaged"];
/** Those of which the server has no bytes that serve. */
export const LOST = [...STOPPED, "gone"];
const FINAL = ["verified", ...STOPPED];
const ENDED = [...FINAL, "dismissed", "gone"];
const ANEW = { state: "waiting", url: null, offset: 0, mismatches: 0, problem: null, lost_at: null };
const THUMB_PX = 320;

/** A row for each photo, its bytes, and a small picture of it. Verified bytes are kept for `keepMs`. */
export class Files {
  /** @param {Store} store @param {Events} events @param {number} [keepMs] */
  constructor(store, events, keepMs = KEEP_MS) {
    this.store = store;
    this.events = events;
    this.keepMs = keepMs;
    /** Is room short, as the browser last told? */
    this.short = false;
  }

  /** Ask the browser how much room is left. */
  async measure() {
    const { usage = 0, quota = 0 } = await globalThis.navigator?.storage?.estimate?.() ?? {};
    this.short = quota > 0 && usage > SHORT * quota;
  }

  /** Keep these bytes and let them wait for their upload.
   * @param {Transaction} t @param {string} digest @param {Blob} content @param {string} mediaType @param {number} at */
  async add(t, digest, content, mediaType, at) {
    t.put("bytes", content, digest);
    const known = await t.get("file", digest);
    if (!known) {
      t.put("file", { sha256: digest, bytes: content.size, media_type: mediaType, added_at: stamp(at), ...ANEW, kept: true,
        verified_at: null });
    } else if (ENDED.includes(known.state)) {
      t.put("file", { ...known, ...ANEW, kept: true });
    }
  }

  /** Let a photo that stopped wait once more. @param {string} digest */
  async sendAgain(digest) {
    await this.store.write(async (t) => {
      const known = await t.get("file", digest);
      if (known && STOPPED.includes(known.state)) t.put("file", { ...known, ...ANEW });
    });
  }

  /** The files, oldest first, all or those in a state. @param {string} [state] @returns {Promise<File[]>} */
  async all(state) {
    /** @type {File[]} */
    const found = await this.store.read((t) => (state ? t.all("file", state, "state") : t.all("file")));
    const key = (/** @type {File} */ file) => `${file.added_at} ${file.sha256}`;
    return found.sort((one, other) => (key(one) < key(other) ? -1 : 1));
  }

  /** The bytes, null when they are not here. @param {string} digest @returns {Promise<Blob | null>} */
  async blob(digest) {
    return await this.store.read((t) => t.get("bytes", digest)) ?? null;
  }

  /** A part of the bytes. @param {string} digest @param {number} offset @param {number} length */
  async read(digest, offset, length) {
    const content = await this.blob(digest);
    if (!content) throw new Error(`the bytes of ${digest} are not here`);
    return new Uint8Array(await content.slice(offset, offset + length).arrayBuffer());
  }

  /** Are the bytes here still those that were captured? @param {string} digest */
  async sound(digest) {
    const content = await this.blob(digest);
    return content !== null && hex(await sha256(await content.arrayBuffer())) === digest;
  }

  /** Write what became of a file. @param {string} digest
   * @param {Partial<Pick<File, "state" | "url" | "offset" | "mismatches" | "problem">>} columns */
  async note(digest, columns) {
    await this.store.write(async (t) => {
      const known = await t.get("file", digest);
      if (known) this.#turn(t, known, columns);
    });
  }

  /** Write the row anew, with the time since when the photo is lost. @param {Transaction} t @param {File} known @param {Partial<File>} columns */
  #turn(t, known, columns) {
    const row = { ...known, ...columns };
    t.put("file", { ...row, lost_at: LOST.includes(row.state) ? known.lost_at ?? stamp(this.events.clock()) : null });
  }

  /** The server lacks these: send again what it once had. @param {Transaction} t @param {string[]} digests */
  async want(t, digests) {
    for (const digest of digests) {
      const known = await t.get("file", digest);
      if (known && ["stored", "verified", "dismissed"].includes(known.state) && await t.count("bytes", digest)) {
        t.put("file", { ...known, state: "waiting", url: null, offset: 0 });
      } else if (known?.state === "verified") {
        this.#turn(t, known, { state: "gone" });
        this.events.note(t, "photo_gone", { sha256: digest });
      }
    }
  }

  /** Take what an evidence record says of its photo's bytes. @param {Transaction} t @param {Fields} fields */
  async learn(t, fields) {
    const media = fields.media;
    if (!FINAL.includes(media?.state)) return;
    const known = await t.get("file", fields.sha256);
    if (known) {
      const since = media.state === "verified" && known.state === "verified" ? known.verified_at : null;
      this.#turn(t, known, { state: media.state, problem: media.code ?? null, verified_at: since });
    }
  }

  /** End the photos of whose evidence a supervisor dismissed every record: no word of them will come. One that the server wants
   *  after all, released by a restored one, waits again. @param {Transaction} t */
  async endDismissed(t) {
    for (const file of [...await t.all("file", "waiting", "state"), ...await t.all("file", "stored", "state")]) {
      const made = await t.all("mutation", file.sha256, "photo");
      if (made.length && made.every((row) => row.settled?.outcome === "dismissed")) {
        t.put("file", { ...file, state: "dismissed", problem: null });
      }
    }
  }

  /** Remove the bytes that the server verified long enough ago, sooner where room is short. `now` is its time: this device's clock may err.
   * @param {Transaction} t @param {string} now */
  async removeVerified(t, now) {
    for (const file of await t.all("file", "verified", "state")) {
      const over = this.#isOver(file, now);
      if (over) t.delete("bytes", file.sha256);
      if (over || !file.verified_at) t.put("file", { ...file, verified_at: file.verified_at ?? now, kept: file.kept && !over });
    }
  }

  /** Do what writes, after what `removeVerified` would remove is gone; once more without the small pictures where that is not room
   * enough. Each makes room by deletions alone: a full store takes nothing else. @param {string} now @param {() => Promise<void>} work */
  async withRoom(now, work) {
    await this.measure();
    await this.store.write(async (t) => {
      for (const file of await t.all("file", "verified", "state")) if (this.#isOver(file, now)) t.delete("bytes", file.sha256);
    });
    await work().catch(async (failure) => {
      if (!isFull(failure)) throw failure;
      await this.store.write((t) => t.delete("thumb", IDBKeyRange.lowerBound("")));
      await work();
    });
  }

  /** @param {File} file @param {string} now */
  #isOver({ kept, verified_at }, now) {
    const keepMs = this.short ? Math.min(this.keepMs, LEAST_KEEP_MS) : this.keepMs;
    return kept && (verified_at ?? now) <= stamp(Date.parse(now) - keepMs);
  }

  /** Keep a small picture of a photo for the screens of this device. @param {string} digest @param {Blob} content */
  async addThumb(digest, content) {
    const thumb = await small(content);
    if (thumb) await this.store.write((t) => t.put("thumb", thumb, digest), { relaxed: true });
  }

  /** @param {string} digest @returns {Promise<Blob | null>} */
  async thumb(digest) {
    return await this.store.read((t) => t.get("thumb", digest)) ?? null;
  }
}

/** The media type that the first 16 bytes of a file announce. @param {Uint8Array} start */
export function mediaTypeOf(start) {
  const text = String.fromCharCode(...start.subarray(0, 16));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.slice(4, 8) !== "ftyp") return "application/octet-stream";
  return ["avif", "avis"].includes(text.slice(8, 12)) ? "image/avif" : "image/heic";
}

/** A copy of at most 320 px, null where this browser cannot draw it. @param {Blob} content @returns {Promise<Blob | null>} */
async function small(content) {
  if (typeof createImageBitmap === "undefined" || typeof OffscreenCanvas === "undefined") return null;
  let picture;
  try {
    picture = await createImageBitmap(content);
  } catch {
    return null; // HEIC outside Safari, or a damaged picture: evidence all the same, there is just nothing to show
  }
  const scale = Math.min(1, THUMB_PX / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.7 });
}
