// Delivering and fetching: the conversation of protocol sections 2 and 3. Serves `talking`.
//
// Read in this order: `push` sends batches until nothing waits, `pull` fetches pages until there are no more. Both meet the
// server's epoch and its journal. Nothing is given up here: a refusal leaves the outbox as it is, or orders it anew.

import { isTimeout, Problem, Unreachable } from "./client.js";
import { Clocks } from "./clocks.js";
import { stopped } from "./delivery.js";
import { Epochs } from "./epochs.js";
import { HEADER, writeHeader } from "./health.js";
import { ENVELOPE_BYTES } from "./outbox.js";
import { Snapshots } from "./snapshot.js";
import { isFull } from "./store.js";
import { utf8 } from "./values.js";

/** @import { Fields } from "./types.js" */
/** @import { Transaction } from "./store.js" */
/** @import { Waiting } from "./outbox.js" */
/** The parts of one device that take part.
 * @typedef {{ store: import("./store.js").Store, client: import("./client.js").Client, identity: import("./identity.js").Identity,
 *   outbox: import("./outbox.js").Outbox, rows: import("./rows.js").Rows, files: import("./files.js").Files,
 *   witness: import("./witness.js").Witness, chain: import("./capture.js").Chain, events: import("./events.js").Events,
 *   clock: () => number }} Parts */

const GZIP_FROM_BYTES = 1024;
/** A push that took no longer than this leaves time for one twice as large. */
const QUICK_MS = 10_000;

/** Speaks for one device. */
export class Exchange {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.store = parts.store;
    this.client = parts.client;
    this.outbox = parts.outbox;
    this.rows = parts.rows;
    this.snapshots = new Snapshots(parts.store, parts.client);
    this.epochs = new Epochs(parts.outbox, parts.rows, parts.events);
    this.clocks = new Clocks(parts.clock);
    this.greeted = false;
    /** How many mutations got an answer since this was opened. */
    this.delivered = 0;
    /** How many mutations go over this line at once, as far as it has shown. */
    this.mostAtOnce = Infinity;
    this.met = { id: "", last_n: 0 };
    /** What the server was last told to wait here. @type {string | null} */
    this.told = null;
  }

  /** `GET /hello`: learn limits and epoch, and whether the server still has what it acknowledged. */
  async greet() {
    const hello = await this.#noting(() => this.clocks.timed(() => this.client.get("/hello")));
    try {
      await this.parts.files.withRoom(hello.server_time, () => this.store.write(async (t) => {
        t.set("limits", hello.limits);
        t.set("scopes", hello.scopes.codes);
        t.set("user", hello.user);
        await this.clocks.keep(t);
        await this.epochs.meet(t, hello.epoch, hello.device.last_n);
      }));
    } catch (failure) { // a full store delivers by what it knows, unless that is of another epoch
      if (!isFull(failure) || await this.store.get("epoch") !== hello.epoch) throw failure;
    }
    this.met = hello.device;
    await this.parts.witness.meet();
    await this.parts.witness.see(hello.checkpoint, hello.epoch);
    this.greeted = true;
  }

  /**
   * Deliver all that waits; gives what it brought about. Throws Problem and Unreachable when the rest must wait; nothing
   * is lost by it. After a push that took too long the next is half as large, after a quick one twice: whether there is a line
   * at all, hello shows first. `device_forked` and `device_revoked` are noted as the device's state.
   */
  async push() {
    await this.#makeReady();
    const total = { delivered: 0, conflicts: 0, quarantined: 0 };
    const [count, size] = await this.store.read(async (t) => [await this.outbox.limit(t, "mutations_per_push"),
      await this.outbox.limit(t, "push_bytes") - ENVELOPE_BYTES]);
    let expected = 0;
    for (;;) {
      const batch = await this.store.read((t) => this.outbox.batch(t, Math.min(count, this.mostAtOnce), size));
      if (!batch.length) return total;
      try {
        await this.#receive(batch, await this.#noting(() => this.#send(batch)), total);
        if ((this.clocks.round_trip_ms ?? Infinity) <= QUICK_MS) this.mostAtOnce *= 2;
      } catch (failure) {
        const isLarge = failure instanceof Problem && failure.status === 413;
        if (isLarge || isTimeout(failure)) this.mostAtOnce = Math.max(1, Math.floor(batch.length / 2));
        if (!(failure instanceof Problem)) throw failure;
        if (failure.code === "sequence_gap" && failure.body.expect !== expected) {
          expected = failure.body.expect;
          await this.#deliverFrom(expected);
        } else if (!isLarge || new Set(batch.map((each) => each.group ?? each.n)).size === 1) throw failure;
      }
    }
  }

  /**
   * Fetch all changes, from the beginning by a snapshot; gives how many came. On action `resnapshot` it begins again, out
   * of sight until it has all; outbox and numbering stay.
   * @param {number} [limit] of changes a page
   */
  async pull(limit) {
    let received = 0, begunAgain = false;
    for (;;) {
      const cursor = await this.store.get("cursor");
      let page;
      try {
        page = await this.#noting(async () => (cursor === null ? await this.snapshots.load() : null)
          ?? await this.#ask(cursor, limit));
      } catch (failure) {
        if (!(failure instanceof Problem) || failure.action !== "resnapshot" || begunAgain) throw failure;
        begunAgain = true;
        await this.#beginAgain();
        continue;
      }
      await this.parts.witness.see(page.checkpoint, page.epoch);
      await this.#take(page, cursor === null);
      received += page.changes.length;
      if (cursor === null) await this.snapshots.remove();
      if (!page.more) return received;
    }
  }

  /** Say how much waits now, when the server has heard of more: it shows who has unsent work. */
  async tellHealth() {
    const { unsent, unsent_bytes } = await this.#waits();
    if (this.told !== null && this.told !== `${unsent} ${unsent_bytes}`) {
      await this.#receive([], await this.#send([]), { delivered: 0, conflicts: 0, quarantined: 0 });
    }
  }

  /** One page, and on the way a word about what has not been delivered. @param {string | null} cursor @param {number} [limit] */
  async #ask(cursor, limit) {
    const headers = { [HEADER]: writeHeader(await this.#health()) };
    return this.clocks.timed(() => this.client.get("/sync/pull", { params: { cursor, limit }, headers }));
  }

  /** What is said with a call, and remembered as said. @returns {Promise<Fields>} */
  async #health() {
    const health = await this.#waits(), { round_trip_ms } = this.clocks;
    this.told = `${health.unsent} ${health.unsent_bytes}`;
    return round_trip_ms === null ? health : { ...health, round_trip_ms };
  }

  /** What only this device has: also photos that stopped here, unless the server judged them itself. */
  #waits() {
    return this.store.read(async (t) => this.outbox.health(t, (await stopped(t, this.rows)).filter((file) => !file.judged)));
  }

  /** Before the first push: hello, and a whole pull where epoch or enrolment are new (bases and chain need it). */
  async #makeReady() {
    if (!this.greeted) await this.greet();
    await this.#mustBeNewest();
    const anew = await this.store.read(async (t) => await this.epochs.isNew(t) || await t.setting("new_enrolment"));
    if (anew) await this.pull();
  }

  /** Throw `device_forked` when the server has numbers of this device that it has not given: it is an older copy of itself,
   *  and its next mutations would carry numbers that others have. */
  async #mustBeNewest() {
    const { id, last_n } = this.met;
    const [device_id, newest, state] = await this.store.read(async (t) => [await t.setting("device_id"),
      await this.outbox.newest(t), await t.setting("state")]);
    if (id !== device_id || last_n <= newest) return;
    if (state === "enrolled") {
      await this.store.write((t) => {
        t.set("state", "forked");
        this.parts.events.note(t, "store_older", { newest, last_n });
      });
    }
    throw new Problem("device_forked", 409, "new_device", `the server has ${last_n} mutations of this device, this store `
      + `has made ${newest}: it is an older copy`);
  }

  /** @param {Waiting[]} batch @returns {Promise<Fields>} */
  async #send(batch) {
    const health = JSON.stringify(await this.#health());
    const body = utf8(`{"mutations":[${batch.map((each) => each.wire).join(",")}],"health":${health}}`);
    const signature = await this.parts.identity.sign(body);
    const zipped = body.length >= GZIP_FROM_BYTES && typeof CompressionStream !== "undefined" ? await gzip(body) : null;
    const answer = await this.clocks.timed(() => this.client.postBytes("/sync/push", zipped ?? body, {
      "Content-Type": "application/json", ...(signature ? { "Menqian-Signature": signature } : {}),
      ...(zipped ? { "Content-Encoding": "gzip" } : {}) }));
    const told = JSON.stringify(answer.outcomes.map((/** @type {Fields} */ each) => [each.n, each.id]));
    if (told !== JSON.stringify(batch.map((each) => [each.n, each.id]))) {
      throw new Unreachable("the outcomes are not those of the mutations that were sent");
    }
    return answer;
  }

  /** Keep the receipts; a mutation leaves the outbox only by this.
   * @param {Waiting[]} batch @param {Fields} answer @param {{ delivered: number, conflicts: number, quarantined: number }} total */
  async #receive(batch, answer, total) {
    await this.store.write(async (t) => {
      await this.clocks.keep(t);
      const isNew = await this.epochs.meet(t, answer.epoch, answer.last_n);
      await this.outbox.receive(t, answer.outcomes);
      const last = batch.at(-1);
      if (last && !isNew) await this.epochs.hear(t, last.n);
      await this.rows.dropForgotten(t);
    });
    total.delivered += batch.length;
    this.delivered += batch.length;
    for (const outcome of answer.outcomes) {
      total.conflicts += outcome.conflicts.length;
      total.quarantined += outcome.outcome === "quarantined" ? 1 : 0;
    }
    await this.parts.witness.see(answer.checkpoint, answer.epoch);
  }

  /** The server lacks what it once acknowledged: ask it why (a new epoch?), then deliver again from there. @param {number} expect */
  async #deliverFrom(expect) {
    await this.greet();
    await this.store.write((t) => this.outbox.deliverAgain(t, expect - 1));
    await this.#makeReady();
  }

  async #beginAgain() {
    await this.store.write(async (t) => {
      t.set("cursor", null);
      await this.rows.beginAgain(t);
    });
  }

  /** Apply a page and its cursor together. @param {Fields} page @param {boolean} first */
  async #take(page, first) {
    const anew = await this.store.write(async (t) => {
      await this.clocks.keep(t);
      await this.epochs.meet(t, page.epoch, page.last_n);
      if (!first && await t.setting("cursor") === null) throw new Unreachable("the epoch changed within a pull");
      for (const change of page.changes) {
        if (change.type === "evidence" && change.op === "put") await this.parts.files.learn(t, change.fields);
      }
      await this.rows.take(t, page.changes);
      await this.outbox.settle(t, page.settled);
      for (const resolved of page.resolved ?? []) this.parts.events.note(t, "conflict_settled", resolved);
      await this.parts.files.want(t, page.media_wanted);
      t.set("scopes", page.scopes.codes);
      t.set("cursor", page.cursor);
      if (page.more) return false;
      const enrolled = await t.setting("new_enrolment") !== null;
      if (!enrolled) await this.#finish(t, page.server_time);
      return enrolled;
    });
    if (anew) await this.#finishAnew(page.server_time);
  }

  /** A whole pull: what follows from a new epoch, then show the new rows. @param {Transaction} t @param {string} now */
  async #finish(t, now) {
    await this.epochs.settle(t);
    await this.rows.finish(t);
    await this.outbox.closeApplied(t);
    await this.parts.files.endDismissed(t);
    await this.parts.files.removeVerified(t, now);
  }

  /** The same after a new enrolment, with the entries of the new chain, which are made outside of the transaction. One that
   *  a crash prevented follows with the next pull. @param {string} now */
  async #finishAnew(now) {
    const { chain } = this.parts, restored = await this.store.read((t) => this.epochs.isNew(t));
    for (let done = false; !done;) {
      const prepared = await chain.prepareAnew(restored);
      done = await this.store.write(async (t) => {
        if (!await chain.enterAnew(t, prepared)) return false;
        t.set("new_enrolment", null);
        await this.#finish(t, now);
        return true;
      });
    }
  }

  /** Remember of a refusal what only a person can mend; the outbox is kept whole. @template T @param {() => Promise<T>} call
   * @returns {Promise<T>} */
  async #noting(call) {
    try {
      return await call();
    } catch (failure) {
      const state = failure instanceof Problem && { device_revoked: "revoked", device_forked: "forked" }[failure.code];
      if (state) await this.store.put("state", state);
      throw failure;
    }
  }
}

/** @param {Uint8Array<ArrayBuffer>} body @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function gzip(body) {
  const zipped = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(zipped).arrayBuffer());
}
