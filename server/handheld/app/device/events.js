// The device's own log: what befell it that a person should know and no record tells. Serves every part of the device.
//
// Kinds: `server_restored` (a new epoch: what it lost is delivered again), `journal_replaced` (how much of the journal
// that was seen the new one holds), `store_older` (this store is an older copy: the server has more of it), `photo_gone`
// (the server lost a photo whose bytes are no longer here), `conflict_settled` (what became of a conflict of this person),
// `roads_failed` (the roads for the map did not come; told once until they do).

import { stamp } from "./values.js";

/** @import { Fields } from "./types.js" */
/** @import { Transaction } from "./store.js" */

/** Appends to the log and reads it. */
export class Events {
  /** @param {() => number} clock */
  constructor(clock) {
    this.clock = clock;
  }

  /** @param {Transaction} t @param {string} kind @param {Fields} about */
  note(t, kind, about) {
    t.put("event", { at: stamp(this.clock()), kind, about });
  }

  /** `{at, kind, …}`, oldest first. @param {Transaction} t @returns {Promise<Fields[]>} */
  async all(t) {
    // `at` is when it was noted; an event that tells its own time (a settled conflict's) tells that
    return (await t.all("event")).map(({ at, kind, about }) => ({ at, kind, ...about }));
  }
}
