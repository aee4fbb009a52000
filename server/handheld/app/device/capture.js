// The capture chain (protocol section 7): each photo is hashed, linked and signed before any network is needed.
//
// Serves `device`. The evidence record, the chain's entry and the waiting file are written in one transaction. Digest and
// signature take their time outside of it; where the chain has moved meanwhile (another tab's photo), they are made anew.

import { canonical } from "./canonical.js";
import { mediaTypeOf } from "./files.js";
import { under } from "./store.js";
import { hex, sha256, stamp, utf8 } from "./values.js";

/** @import { Captured, Fields } from "./types.js" */
/** @import { Store, Transaction } from "./store.js" */
/** @import { Identity } from "./identity.js" */
/** @import { Making } from "./making.js" */
/** @import { Files } from "./files.js" */
/** @import { Witness } from "./witness.js" */
/** Where a chain ends, and what its next entry will name. @typedef {{ device_id: string, seq: number, hash: string, beacon: string | null }} End */
/** An entry that is to be written. @typedef {{ record_id: string, capture: Fields, hash: string }} Entry */

const NO_ENTRY = "0".repeat(64);

/** The chain of this device, and of those that it was enrolled as before. */
export class Chain {
  /** @param {{ store: Store, identity: Identity, making: Making, files: Files, witness: Witness, clock: () => number }} parts */
  constructor(parts) {
    this.parts = parts;
    this.store = parts.store;
  }

  /** Take a photo into evidence, under the id that its form names already if there is one; gives the record's id. @param {Blob} photo @param {Captured} captured */
  async capture(photo, captured) {
    const { making, files, clock } = this.parts, at = clock();
    const bytes = new Uint8Array(await photo.arrayBuffer()), digest = hex(await sha256(bytes));
    const media_type = captured.media_type || mediaTypeOf(bytes);
    const content = new Blob([bytes], { type: media_type }); // of bytes: a camera's file may be cleared away behind it
    const { about, role, scope, captured_at = stamp(at), position, media_type: _told, id: record_id = making.outbox.newId(), ...rest } = captured;
    const values = { sha256: digest, bytes: content.size, media_type, role, about: { type: about.type, id: about.id },
      captured_at, ...(position ? { position } : {}), ...rest };
    for (;;) {
      const end = await this.store.read((t) => this.#end(t));
      const entry = await this.#entry(end, record_id, values);
      const written = await this.store.write(async (t) => {
        if (!await this.#stands(t, end)) return false;
        await files.add(t, digest, content, media_type, at);
        this.#add(t, end.device_id, entry);
        await making.write(t, [{ op: "put", type: "evidence", record_id, base: 0, scope,
          set: { ...values, capture: entry.capture } }]);
        return true;
      });
      if (written) break;
    }
    // the photo is kept already: whoever is told of a failure takes it again
    await files.addThumb(digest, content).catch((failure) => console.warn(failure));
    return record_id;
  }

  /**
   * After a new enrolment and a whole pull: what it takes to vouch as the new device for the photos that the server has
   * not got. What it has got (it answered, or only the answer was lost) stays as it was signed and comes back as a
   * replay; what this device has signed already stays, too. Of a `restored` server only what it shows now counts.
   * @param {boolean} restored
   */
  async prepareAnew(restored) {
    const { making } = this.parts, { outbox, rows } = making;
    const [end, waiting] = await this.store.read(async (t) => {
      const end = await this.#end(t), missing = [];
      for (const made of await outbox.made(t, "evidence")) {
        const there = await rows.arriving(t, "evidence", made.record_id)
          ?? (restored ? undefined : await rows.get(t, "evidence", made.record_id));
        const signed = await t.count("capture", IDBKeyRange.only([end.device_id, made.record_id]), "record");
        if (made.state === "waiting" && made.body.set?.capture && !made.outcome && !there && !signed) missing.push(made);
      }
      return /** @type {const} */ ([end, missing]);
    });
    /** @type {(Entry & { made: number })[]} */
    const entries = [];
    let at = end;
    for (const { made, record_id, body } of waiting) {
      const entry = await this.#entry(at, record_id, body.set);
      entries.push({ ...entry, made });
      at = { ...at, seq: entry.capture.seq, hash: entry.hash };
    }
    return { end, entries };
  }

  /** Write what was prepared; false, and nothing written, when the chain has moved meanwhile.
   * @param {Transaction} t @param {Awaited<ReturnType<Chain["prepareAnew"]>>} prepared */
  async enterAnew(t, { end, entries }) {
    if (!await this.#stands(t, end)) return false;
    for (const entry of entries) {
      const body = JSON.parse((await t.get("mutation", entry.made)).body);
      this.#add(t, end.device_id, entry);
      await this.parts.making.outbox.rewrite(t, entry.made, { ...body, set: { ...body.set, capture: entry.capture } });
    }
    return true;
  }

  /** @param {Transaction} t @returns {Promise<End>} */
  async #end(t) {
    const device_id = await t.setting("device_id"), last = await t.last("capture", under(device_id));
    return { device_id, seq: last?.seq ?? 0, hash: last?.hash ?? NO_ENTRY, beacon: await this.parts.witness.beacon(t) };
  }

  /** Does the chain still end there? A beacon that is no longer the newest is still one. @param {Transaction} t @param {End} end */
  async #stands(t, end) {
    const now = await this.#end(t);
    return now.device_id === end.device_id && now.seq === end.seq && now.hash === end.hash;
  }

  /** @param {End} end @param {string} record_id @param {Fields} fields @returns {Promise<Entry>} */
  async #entry(end, record_id, fields) {
    const capture = { seq: end.seq + 1, prev: end.hash, beacon: end.beacon };
    const entry = entryBytes(end.device_id, capture, record_id, fields), sig = await this.parts.identity.sign(entry);
    return { record_id, capture: sig ? { ...capture, sig } : capture, hash: hex(await sha256(entry)) };
  }

  /** @param {Transaction} t @param {string} device_id @param {Entry} entry */
  #add(t, device_id, { record_id, capture, hash }) {
    t.put("capture", { device_id, seq: capture.seq, hash, record_id });
  }
}

/** What is hashed and signed: RFC 8785 canonical JSON of the entry's nine members.
 * @param {string} device_id @param {Fields} capture @param {string} record_id @param {Fields} fields */
export function entryBytes(device_id, { seq, prev, beacon }, record_id, { sha256: digest, bytes, captured_at, position }) {
  return utf8(canonical({ device_id, seq, prev, beacon, sha256: digest, bytes, captured_at, position: position ?? null,
    record_id }));
}
