// The device as a witness of the journal: it remembers the newest checkpoint and refuses a log that shrank or forked.
//
// Serves `exchange` and, for the beacon, `capture`. A restored server begins a new epoch, and with it a new line of
// checkpoints. Those of the old epoch are kept as proof, and the device's log tells how far the new line holds them.

import { Problem } from "./client.js";
import { same, verifyConsistency } from "./merkle.js";
import { NoteInvalid, readCheckpoint, verifyCheckpoint } from "./notes.js";
import { isFull, under } from "./store.js";
import { hex, stamp, unhex } from "./values.js";

/** @import { Client } from "./client.js" */
/** @import { Store, Transaction } from "./store.js" */
/** @import { Events } from "./events.js" */
/** @import { Checkpoint } from "./notes.js" */

/** The server showed a checkpoint that does not extend one it showed before, or that its key did not sign. */
export class LogRefused extends Error {
  name = "LogRefused";
}

/** Looks at every checkpoint that comes with an answer. */
export class Witness {
  /** @param {Store} store @param {Client} client @param {() => number} clock @param {Events} events */
  constructor(store, client, clock, events) {
    this.store = store;
    this.client = client;
    this.clock = clock;
    this.events = events;
  }

  /** The root hash, hex, of the newest checkpoint seen. @param {Transaction} t @returns {Promise<string | null>} */
  async beacon(t) {
    const epoch = await t.setting("epoch");
    return epoch === null ? null : (await t.last("checkpoint", under(epoch)))?.root ?? null;
  }

  /** Fetch the journal's key, once; from then on every checkpoint must carry its signature. */
  async meet() {
    if (await this.store.get("journal_key") === null) {
      await this.store.put("journal_key", (await this.client.get("/journal/key")).trim());
    }
  }

  /** Check a checkpoint against the newest of this epoch and remember it; throws LogRefused.
   * @param {string | null} note @param {string} epoch */
  async see(note, epoch) {
    if (!note) return;
    const [key, newest] = await this.store.read(async (t) => [await t.setting("journal_key"),
      await t.last("checkpoint", under(epoch))]);
    if (newest?.note === note) return;
    const seen = await this.#read(note, key);
    let replaced = null;
    if (newest) {
      if ((await this.store.read((t) => t.get("checkpoint", [epoch, seen.size])))?.note === note) return;
      const [smaller, larger] = [readCheckpoint(newest.note), seen].sort((one, other) => one.size - other.size);
      await this.#compare(smaller, larger);
    } else {
      const before = ofOtherEpochs(await this.store.read((t) => t.all("checkpoint")), epoch), last = before.at(-1);
      if (last) replaced = { epoch, size: seen.size, seen: last.size, shared: await this.#shared(before, seen) };
    }
    const remember = this.store.write(async (t) => {
      if (replaced) this.events.note(t, "journal_replaced", replaced);
      if (await t.get("checkpoint", [epoch, seen.size])) return; // its very root was seen under another signature
      t.put("checkpoint", { epoch, size: seen.size, root: hex(seen.root), note, seen_at: stamp(this.clock()) });
    });
    await remember.catch((failure) => {
      if (!isFull(failure)) throw failure; // else the next one is held against an older one
    });
  }

  /** @param {string} note @param {string | null} key */
  async #read(note, key) {
    try {
      return key ? await verifyCheckpoint(note, key) : readCheckpoint(note);
    } catch (failure) {
      if (failure instanceof NoteInvalid) throw new LogRefused(failure.message, { cause: failure });
      throw failure;
    }
  }

  /** The size of the largest of these that the log seen now holds, 0 for none: it holds all smaller ones too.
   * @param {Checkpoint[]} before @param {Checkpoint} seen */
  async #shared(before, seen) {
    let low = 0, high = before.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (await this.#holds(before[middle], seen)) low = middle + 1;
      else high = middle;
    }
    return low ? before[low - 1].size : 0;
  }

  /** @param {Checkpoint} one @param {Checkpoint} seen */
  async #holds(one, seen) {
    if (one.size > seen.size) return false;
    try {
      await this.#compare(one, seen);
      return true;
    } catch (failure) {
      if (failure instanceof LogRefused) return false;
      throw failure;
    }
  }

  /** An older answer may come late; but one log must hold both. @param {Checkpoint} smaller @param {Checkpoint} larger */
  async #compare(smaller, larger) {
    if (smaller.size === 0 || (smaller.size === larger.size && same(smaller.root, larger.root))) return;
    const path = smaller.size === larger.size ? [] : await this.#path(smaller.size, larger.size);
    if (!await verifyConsistency(smaller.size, larger.size, smaller.root, larger.root, path)) {
      throw new LogRefused(`the log of ${larger.size} entries does not hold the ${smaller.size} shown before`);
    }
  }

  /** @param {number} from @param {number} to */
  async #path(from, to) {
    try {
      const proof = await this.client.get("/journal/consistency", { params: { from, to } });
      return proof.hashes.map(unhex);
    } catch (failure) {
      if (!(failure instanceof Problem) || ![400, 404, 409, 422].includes(failure.status)) throw failure;
      throw new LogRefused(`no proof that ${to} entries hold the first ${from}`, { cause: failure });
    }
  }
}

/** The checkpoints of the epoch that was seen last before this one, smallest first. @param {any[]} every @param {string} epoch
 * @returns {Checkpoint[]} */
function ofOtherEpochs(every, epoch) {
  const others = every.filter((one) => one.epoch !== epoch);
  const last = others.reduce((found, one) => (!found || one.seen_at > found.seen_at ? one : found), null);
  return others.filter((one) => one.epoch === last?.epoch).map((one) => readCheckpoint(one.note));
}
