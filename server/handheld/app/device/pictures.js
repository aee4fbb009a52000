// Small copies of photos whose bytes are not here: the server's renditions (protocol section 6), never an original, whose
// opening is journalled. Serves `device`.
//
// They come after a sync for what this person's tasks are about, so that he has the earlier picture where there is no
// network, and for what he looks at. What he is to judge unseen never comes, and goes where it is here already, as does
// what left his scope or was disposed of.

import { Problem, Unreachable } from "./client.js";
import { mediaTypeOf } from "./files.js";
import { isFull } from "./store.js";

/** @import { Shown } from "./types.js" */
/** @typedef {"thumb" | "screen"} Kind */
/** @typedef {{ store: import("./store.js").Store, seeing: import("./seeing.js").Seeing, files: import("./files.js").Files,
 *   client: import("./client.js").Client, clock: () => number, person: () => string,
 *   talking: import("./talking.js").Talking }} Parts */

/** Some 150 pictures of 1600 px with their small ones: the tasks of a week, and what a day's own photos take. */
export const MOST_BYTES = 50 * 2 ** 20;
/** What comes in no shorter time at 2 kB a second. */
const TIMEOUT_MS = 180_000;
/** Answers that would be the same again: not to be seen by this person, not made, disposed of. */
const LASTING = [403, 404, 410];
const DAY_MS = 86_400_000;
/** States of a task whose person has not given an answer. */
export const TO_DO = new Set(["open", "accepted"]);

/** The ids of what a person may not look at yet: only a verdict that the server has lifts it. @param {Shown[]} tasks @param {string} person */
export function embargoed(tasks, person) {
  return new Set(tasks.filter(({ fields }) => fields.kind === "spot_check" && fields.assignee === person && fields.status !== "finished")
    .map(({ fields }) => fields.about?.id));
}

export class Pictures {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.mostBytes = MOST_BYTES;
    /** Of what tasks are about; it stays as long as they are to be done. @type {Set<string>} */
    this.wanted = new Set();
    /** @type {Set<string>} */
    this.refused = new Set();
    /** @type {Map<string, Promise<boolean>>} */
    this.coming = new Map();
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
    /** Has the line broken, or the disk no room? Then nothing more is asked for until the next sync went through. */
    this.rests = false;
  }

  /** The best that is here: the bytes themselves, else a copy, null for neither. @param {string} digest @returns {Promise<Blob | null>} */
  async best(digest) {
    return this.parts.store.read(async (t) => await t.get("bytes", digest) ?? await t.get("thumb", keyOf(digest, "screen"))
      ?? await t.get("thumb", digest) ?? null);
  }

  /** Bring a copy, one after the other; false where it cannot come now. @param {string} digest @param {Kind} kind @returns {Promise<boolean>} */
  bring(digest, kind) {
    const key = keyOf(digest, kind), begun = this.coming.get(key);
    if (begun) return begun;
    const coming = this.last.then(() => this.#bring(digest, kind, key)).finally(() => this.coming.delete(key));
    this.coming.set(key, coming);
    this.last = coming.catch(() => undefined); // who asked is told
    return coming;
  }

  /** After a sync: what tasks are about comes, the small ones first, and what may not be seen any more goes. */
  async renew() {
    this.rests = false;
    const wanted = await this.#ofTasks();
    this.wanted = new Set(wanted.map(([digest, kind]) => keyOf(digest, kind)));
    if (!this.parts.talking.closed) await this.#tidy();
    for (const [digest, kind] of wanted) {
      if (this.rests || this.parts.talking.closed) break;
      await this.bring(digest, kind);
    }
  }

  /** Do it; where the disk has no room for it, once more in place of all copies. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async yieldTo(work) {
    try {
      return await work();
    } catch (failure) {
      if (!isFull(failure) || !await this.#giveUp()) throw failure;
      return work();
    }
  }

  /** Remove all copies; were there any? @returns {Promise<boolean>} */
  #giveUp() {
    this.rests = true;
    return this.parts.store.write(async (t) => {
      const kept = Object.keys(await t.setting("pictures", {}));
      for (const key of kept) t.delete("thumb", key);
      t.set("pictures", null);
      return kept.length > 0;
    });
  }

  /** @param {string} digest @param {Kind} kind @param {string} key */
  async #bring(digest, kind, key) {
    const { store, client, files, talking } = this.parts, may = () => !this.rests && !files.short && talking.photosGo;
    if (await store.read(async (t) => (kind === "screen" && await t.get("bytes", digest)) || t.get("thumb", key))) return true;
    if (!may() || this.refused.has(key) || !(await this.#seen()).some(({ fields }) => fields.sha256 === digest)) return false;
    try {
      const { content } = await client.request("GET", `/media/${digest}/${kind}`, { tries: 1, timeoutMs: TIMEOUT_MS });
      if (mediaTypeOf(content) !== "image/jpeg") throw new Unreachable("a picture was asked for, and something else came");
      return may() && await this.#keep(key, new Blob([content], { type: "image/jpeg" }));
    } catch (failure) {
      if (failure instanceof Problem && LASTING.includes(failure.status)) this.refused.add(key);
      else if (failure instanceof Problem || failure instanceof Unreachable || isFull(failure)) this.rests = true;
      else throw failure;
      return false; // the screen says that it is not here
    }
  }

  /** False where what tasks are about leaves no room for it. @param {string} key @param {Blob} content */
  #keep(key, content) {
    return this.parts.store.write(async (t) => {
      const kept = await t.setting("pictures", {});
      kept[key] = { bytes: content.size, used: this.parts.clock() };
      if (!this.#makeRoom(t, kept, this.mostBytes, key)) return false;
      t.put("thumb", content, key);
      t.set("pictures", kept);
      return true;
    }, { relaxed: true });
  }

  /** Remove the copies of what may not be seen, and where room is short all but those of tasks, which are marked as used. */
  async #tidy() {
    const { store, files, clock } = this.parts, now = clock();
    if (await store.get("pictures") === null) return;
    const seen = new Set((await this.#seen()).map(({ fields }) => fields.sha256));
    await store.write(async (t) => {
      const kept = await t.setting("pictures", {}), before = JSON.stringify(kept);
      for (const [key, each] of Object.entries(kept)) {
        if (!seen.has(key.slice(-64))) drop(t, kept, key);
        else if (this.wanted.has(key) && now - each.used > DAY_MS) each.used = now;
      }
      this.#makeRoom(t, kept, files.short ? 0 : this.mostBytes);
      if (JSON.stringify(kept) !== before) t.set("pictures", kept);
    }, { relaxed: true });
  }

  /** Those longest unused go first, what tasks are about stays; did it come to so few bytes?
   * @param {import("./store.js").Transaction} t @param {Record<string, { bytes: number, used: number }>} kept @param {number} most
   * @param {string} [but] */
  #makeRoom(t, kept, most, but) {
    let bytes = Object.values(kept).reduce((sum, each) => sum + each.bytes, 0);
    const free = Object.entries(kept).filter(([key]) => key !== but && !this.wanted.has(key));
    for (const [key, each] of free.sort(([, one], [, other]) => one.used - other.used)) {
      if (bytes <= most) break;
      bytes -= each.bytes;
      drop(t, kept, key);
    }
    return bytes <= most;
  }

  /** What this person's tasks name, and what is about the same: small ones of all, large ones but of papers.
   * @returns {Promise<[string, Kind][]>} */
  async #ofTasks() {
    const tasks = (await this.parts.seeing.records("task")).filter(({ fields }) => fields.assignee === this.parts.person()
      && TO_DO.has(fields.status ?? "open"));
    if (!tasks.length) return [];
    const ids = new Set(tasks.flatMap(({ fields }) => [fields.about?.id, ...(fields.photos ?? []).map((/** @type {any} */ one) => one.evidence_id)]));
    const found = (await this.#seen()).filter(({ id, fields }) => ids.has(id) || ids.has(fields.about?.id)).map(({ fields }) => fields);
    return [...found.map((fields) => /** @type {[string, Kind]} */ ([fields.sha256, "thumb"])),
      ...found.filter(({ role }) => role !== "document").map((fields) => /** @type {[string, Kind]} */ ([fields.sha256, "screen"]))];
  }

  /** The evidence that this person may see, of which the server has copies. */
  async #seen() {
    const { seeing, person } = this.parts;
    const [tasks, steps, evidence] = await Promise.all(["task", "enforcement", "evidence"].map((type) => seeing.records(type)));
    const hidden = embargoed(tasks, person());
    for (const { id, fields } of steps) if (hidden.has(fields.finding_id)) hidden.add(id);
    const barred = new Set(evidence.filter(({ fields }) => hidden.has(fields.about?.id)).map(({ fields }) => fields.sha256));
    return evidence.filter(({ fields }) => fields.media?.state === "verified" && !barred.has(fields.sha256));
  }
}

/** Where a copy lies among the small pictures. @param {string} digest @param {Kind} kind */
function keyOf(digest, kind) {
  return kind === "thumb" ? digest : `${kind} ${digest}`;
}

/** @param {import("./store.js").Transaction} t @param {Record<string, any>} kept @param {string} key */
function drop(t, kept, key) {
  delete kept[key];
  t.delete("thumb", key);
}
