// What a device does when the server was restored from a backup (a new epoch). Serves `exchange`.
//
// The restored server may lack what it had acknowledged. So the device pulls everything anew, delivers again all from the
// server's `last_n` on, and takes back what it believed of mutations that were settled after the backup. The mutation of
// that very number goes along as a question: a copy of this device may have been quicker, and used the number for its own.
// Where this device itself may have brought that number to the restored server, unawares, it says nothing of those before:
// then the question is the newest that the old server had acknowledged.

/** @import { Transaction } from "./store.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Rows } from "./rows.js" */
/** @import { Events } from "./events.js" */

const FIRST_VERSION = 1;

/** Knows the epoch, and that of a new one not all is known yet. */
export class Epochs {
  /** @param {Outbox} outbox @param {Rows} rows @param {Events} events */
  constructor(outbox, rows, events) {
    this.outbox = outbox;
    this.rows = rows;
    this.events = events;
  }

  /** True until a whole pull has shown what the restored server has. @param {Transaction} t */
  async isNew(t) {
    return await t.setting("new_epoch_after") !== null;
  }

  /** Take the epoch of an answer and the `last_n` it names, before the outcomes it brings; is it a new one?
   * @param {Transaction} t @param {string} epoch @param {number} last_n */
  async meet(t, epoch, last_n) {
    const known = await t.setting("epoch");
    t.set("epoch", epoch);
    if (known === null || known === epoch) return false;
    t.set("new_epoch_after", last_n);
    const again = await this.outbox.deliverAgain(t, last_n);
    if (last_n) {
      await this.outbox.deliverAgain(t, Math.max(await this.outbox.newestAnswered(t, last_n) - 1, 0));
      t.set("asked", last_n);
    }
    await this.outbox.unsettle(t, last_n);
    t.set("cursor", null);
    await this.rows.beginAgain(t);
    this.events.note(t, "server_restored", { epoch, from_epoch: known, last_n, delivered_again: again });
    return true;
  }

  /** The server took a push up to `n` as one of this device: what it has is what this device sent.
   * @param {Transaction} t @param {number} n */
  async hear(t, n) {
    const asked = await t.setting("asked");
    if (asked !== null && n >= asked) t.set("asked", null);
  }

  /**
   * A whole pull has come, and is not shown yet. Versions of the old epoch say nothing in the new one, except where the
   * record is still the very same; and where a copy of this device was quicker, what is shown is of the new one, and
   * nothing is known of where its own bases lie.
   *
   * Base 0 makes every difference an overlap: the worst is a conflict too many, never an edit lost. An edit of a record
   * that is not back yet waits on the server for it: base 1, whatever version its author brings again.
   * @param {Transaction} t
   */
  async settle(t) {
    const last_n = await t.setting("new_epoch_after");
    if (last_n === null) return;
    const forked = await t.setting("asked") !== null && last_n === 0;
    for (const made of await this.outbox.made(t)) {
      const { type, record_id, body } = made;
      if (made.state !== "waiting" || made.n <= last_n || !body.base) continue;
      if (!forked && await this.rows.unchanged(t, type, record_id)) continue;
      const there = await this.rows.arriving(t, type, record_id);
      await this.outbox.rewrite(t, made.made, { ...body, base: there ? 0 : FIRST_VERSION });
    }
    t.set("new_epoch_after", null);
    if (forked) t.set("asked", null);
  }
}
