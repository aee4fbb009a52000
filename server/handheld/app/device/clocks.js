// How far this device's clock is off: measured with each call that tells the server's time. Serves `exchange`.

const LONGEST_TRIP_MS = 600_000;
/** Below this a difference is the network's, not the clock's. */
const WORTH_TELLING_MS = 250;

/** Measures calls. */
export class Clocks {
  /** @param {() => number} clock */
  constructor(clock) {
    this.clock = clock;
    /** How long the last call took there and back. @type {number | null} */
    this.round_trip_ms = null;
    /** How far this clock is ahead of the server's. @type {number | null} */
    this.offset_ms = null;
  }

  /** One call whose answer may name `server_time`. @template T @param {() => Promise<T>} call @returns {Promise<T>} */
  async timed(call) {
    const began = this.clock(), answer = await call(), taken = this.clock() - began;
    this.round_trip_ms = taken >= 0 && taken < LONGEST_TRIP_MS ? Math.round(taken) : null; // the clock was set meanwhile
    const told = Date.parse(/** @type {any} */ (answer)?.server_time);
    if (this.round_trip_ms !== null && !Number.isNaN(told)) {
      this.offset_ms = Math.round(began + this.round_trip_ms / 2 - told);
    }
    return answer;
  }

  /** Keep what was measured. @param {import("./store.js").Transaction} t */
  async keep(t) {
    const known = await t.setting("clock_offset_ms");
    if (this.offset_ms !== null && (known === null || Math.abs(known - this.offset_ms) >= WORTH_TELLING_MS)) {
      t.set("clock_offset_ms", this.offset_ms);
    }
  }
}
