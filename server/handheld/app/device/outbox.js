// The outbox: every mutation made on this device, numbered at once, kept through delivery and after.
//
// Serves `device`, which makes mutations, and `exchange`, which delivers them and brings their outcomes. States:
// `waiting` (not acknowledged) -> `applied` (the row is still to come) | `held` | `quarantined` -> `done`. A body is never
// removed: a server that was restored from a backup gets again what it lost. It is kept as the text that is sent, so that
// a replay has the same bytes. `open` and `waiting` are set while the state is not `done`, and while it is `waiting`.

import { Unreachable } from "./client.js";
import { under } from "./store.js";
import { bytesOf, stamp, uuid7 } from "./values.js";

/** @import { Fields, Made } from "./types.js" */
/** @import { Transaction } from "./store.js" */
/** `group` where a draft has one of its own.
 * @typedef {{ op: string, type: string, record_id: string, base: number, scope?: string, set?: Fields, add?: Fields, remove?: Fields, command?: Fields,
 *   group?: string }} Draft */
/** @typedef {{ unsent: number, oldest_unsent_at: string | null, unsent_bytes: number, unsent_photos: number, device_time: string }} Told */

/** Of protocol section 1, until the server has said its own. @type {Record<string, number>} */
export const LIMITS = {
  mutations_per_push: 500, push_bytes: 8_388_608, mutation_bytes: 65_536, changes_per_pull: 1000, upload_bytes: 67_108_864,
};
export const ENVELOPE_BYTES = 1024;
const NUMBER_BYTES = 24;
const TAKEN = new Set(["applied", "merged", "conflicted"]);

/** More than a push takes, or than the server takes of one mutation. */
export class TooLarge extends RangeError {
  name = "TooLarge";
}

/** An undelivered mutation as it is sent. */
export class Waiting {
  /** @param {any} row */
  constructor(row) {
    this.n = /** @type {number} */ (row.n);
    this.id = /** @type {string} */ (row.id);
    this.group = /** @type {string | null} */ (row.group);
    this.wire = `{"n":${row.n},${row.body.slice(1)}`;
    this.bytes = /** @type {number} */ (row.bytes) + NUMBER_BYTES;
  }
}

/** Makes, keeps and settles mutations. `clock` gives ms, `random` that many random bytes. */
export class Outbox {
  /** @param {() => number} clock @param {(count: number) => Uint8Array} random */
  constructor(clock, random) {
    this.clock = clock;
    this.random = random;
  }

  newId() {
    return uuid7(this.clock(), this.random);
  }

  /**
   * Write mutations, under one group if one is named. Throws TooLarge for what the server would not take.
   * @param {Transaction} t
   * @param {Draft[]} drafts
   * @param {string | null} [group]
   */
  async make(t, drafts, group = null) {
    const device_id = await t.setting("device_id"), room = await this.limit(t, "push_bytes") - ENVELOPE_BYTES;
    const most = Math.min(room, await this.limit(t, "mutation_bytes"));
    let n = await this.newest(t), size = 0;
    for (const draft of drafts) {
      const { id, body, made_at } = this.#written(draft, group), { type, record_id } = draft, bytes = bytesOf(body);
      size += bytes + NUMBER_BYTES;
      if (bytes + NUMBER_BYTES > most) throw new TooLarge(`a mutation of ${bytes} bytes would not be taken`);
      n += 1;
      const photo = type === "evidence" && draft.set?.sha256;
      t.put("mutation", standing({ device_id, n, id, type, record_id, group: draft.group ?? group, body, bytes, made_at, version: null,
        outcome: null, settled: null, ...(photo ? { photo } : {}) }, "waiting"));
    }
    if (group && (drafts.length > await this.limit(t, "mutations_per_push") || size > room)) {
      throw new TooLarge(`a group of ${drafts.length} mutations and ${size} bytes would fit into no push`);
    }
  }

  /** How many bytes the mutation takes in a push. @param {Draft} draft */
  size(draft) {
    return bytesOf(this.#written(draft, null).body) + NUMBER_BYTES;
  }

  /** The body of a mutation. @param {Draft} draft @param {string | null} group */
  #written({ op, type, record_id, base, group: own, ...members }, group) {
    const id = this.newId(), made_at = stamp(this.clock()), its = own ?? group;
    return { id, made_at, body: JSON.stringify({ id, type, record_id, op, base, ...members, ...(its ? { group: its } : {}), made_at }) };
  }

  /** A limit as the server last told it. @param {Transaction} t @param {string} name @returns {Promise<number>} */
  async limit(t, name) {
    return (await t.setting("limits", LIMITS))[name] ?? LIMITS[name];
  }

  /**
   * The next mutations for one push, those above number `after`, consecutive and with groups whole: at most `count` and
   * `size` bytes, but at least one mutation or group.
   * @param {Transaction} t
   * @param {number} count
   * @param {number} size
   * @param {number} [after]
   */
  async batch(t, count, size, after = 0) {
    /** @type {Waiting[]} */
    const batch = [];
    let room = size;
    const waiting = (await this.#waiting(t)).filter((row) => row.n > after);
    for (const unit of units(waiting.map((row) => new Waiting(row)))) {
      room -= unit.reduce((sum, each) => sum + each.bytes + 1, 0);
      const last = batch.at(-1);
      if (last && (batch.length + unit.length > count || room < 0 || unit[0].n !== last.n + 1)) break;
      batch.push(...unit);
    }
    return batch;
  }

  /** Keep the outcomes of a push, replays included. Throws Unreachable for those of other mutations under these numbers: where
   *  there are no Web Locks another tab may have enrolled anew meanwhile. @param {Transaction} t @param {Fields[]} outcomes */
  async receive(t, outcomes) {
    const device_id = await t.setting("device_id");
    for (const outcome of outcomes) {
      const [row] = await t.all("mutation", IDBKeyRange.only([device_id, outcome.n]), "number");
      if (row?.id !== outcome.id) throw new Unreachable("this device was numbered anew meanwhile");
      const latest = outcome.settled ?? outcome;
      t.put("mutation", standing({ ...row, version: latest.version ?? null, outcome, settled: outcome.settled ?? null },
        stateOf(latest.outcome)));
    }
  }

  /** Keep what became of held and quarantined mutations, as a pull tells it. One whose receipt was lost goes on waiting,
   *  for a push has no gaps; its replay tells the same. @param {Transaction} t @param {Fields[]} news */
  async settle(t, news) {
    for (const each of news) {
      const [row] = await t.all("mutation", IDBKeyRange.only(each.id), "id");
      if (row && row.state !== "waiting") {
        t.put("mutation", standing({ ...row, version: each.version ?? null, settled: each }, stateOf(each.outcome)));
      }
    }
  }

  /** A pull that began after their receipts has ended: what was applied stands in the rows now. @param {Transaction} t */
  async closeApplied(t) {
    for (const row of await this.#open(t)) if (row.state === "applied") t.put("mutation", standing(row, "done"));
  }

  /** Let what the server does not have (all above `lastN`) wait for delivery again; how many had a receipt.
   * @param {Transaction} t @param {number} lastN */
  async deliverAgain(t, lastN) {
    const again = (await this.#numbered(t, lastN + 1)).filter((row) => row.state !== "waiting");
    for (const row of again) t.put("mutation", standing({ ...row, ...UNANSWERED }, "waiting"));
    return again.length;
  }

  /** The largest number, `lastN` at most, of which this device has a receipt; 0 for none.
   * @param {Transaction} t @param {number} lastN @returns {Promise<number>} */
  async newestAnswered(t, lastN) {
    return (await this.#numbered(t, 0, lastN)).findLast((row) => row.state !== "waiting")?.n ?? 0;
  }

  /** Go back to the first outcome of what was settled later: a restored server has `lastN`, but may not know the
   *  settlement; what it knows comes with the whole pull. @param {Transaction} t @param {number} lastN */
  async unsettle(t, lastN) {
    for (const row of await this.#numbered(t, 0, lastN)) {
      const first = row.outcome?.outcome;
      if (row.settled && (first === "held" || first === "quarantined")) {
        t.put("mutation", standing({ ...row, version: null, settled: null }, first));
      }
    }
  }

  /** The largest number that this device has given, 0 before the first. @param {Transaction} t @returns {Promise<number>} */
  async newest(t) {
    return (await t.last("mutation", under(await t.setting("device_id")), "number"))?.n ?? 0;
  }

  /** Count from 1 for a newly enrolled device: what is not settled, or everything, for a restored server. Ids stay: the
   *  server knows replays by them. @param {Transaction} t @param {string} deviceId @param {boolean} everything */
  async numberAnew(t, deviceId, everything) {
    const rows = everything ? await t.all("mutation") : await this.#open(t);
    rows.sort((one, other) => one.made - other.made);
    let n = 0;
    for (const row of rows) {
      if (!everything && row.state === "applied") continue;
      n += 1;
      t.put("mutation", standing({ ...row, ...(everything ? UNANSWERED : {}), device_id: deviceId, n }, "waiting"));
    }
  }

  /** Give an undelivered mutation another body; only for what the server certainly has not got.
   * @param {Transaction} t @param {number} made @param {Fields} body */
  async rewrite(t, made, body) {
    const row = await t.get("mutation", made);
    if (row.state !== "waiting") return;
    const text = JSON.stringify(body);
    t.put("mutation", { ...row, body: text, bytes: bytesOf(text) });
  }

  /** The mutations that are not done, of a type or of one record, in the order of making.
   * @param {Transaction} t @param {string} [type] @param {string} [recordId] @returns {Promise<Made[]>} */
  async made(t, type, recordId) {
    const key = [1, type, recordId].filter((part) => part !== undefined);
    const range = key.length === 3 ? IDBKeyRange.only(key) : under(...key);
    const rows = await t.all("mutation", range, "open");
    return rows.sort((one, other) => one.made - other.made).map(told);
  }

  /** Every mutation, done or not, of one record or of all. @param {Transaction} t @param {string} [recordId] @returns {Promise<Made[]>} */
  async all(t, recordId) {
    return (await (recordId ? t.all("mutation", recordId, "record") : t.all("mutation"))).map(told);
  }

  /** Was anything made here about this record? @param {Transaction} t @param {string} recordId */
  async has(t, recordId) {
    return await t.count("mutation", IDBKeyRange.only(recordId), "record") > 0;
  }

  /** Does the server lack an answer to anything about this record? @param {Transaction} t @param {string} recordId */
  async waitsOn(t, recordId) {
    return await t.count("mutation", under(recordId), "record_waiting") > 0;
  }

  /** How many mutations and photos wait, since when, and how many bytes they are; `more` photos are counted with them.
   * @param {Transaction} t @param {import("./files.js").File[]} [more] @returns {Promise<Told>} */
  async health(t, more = []) {
    const rows = await this.#waiting(t);
    const files = [...await t.all("file", "waiting", "state"), ...more];
    const since = [...rows.map((row) => row.made_at), ...files.map((file) => file.added_at)].sort();
    return {
      unsent: rows.length, oldest_unsent_at: since[0] ?? null,
      unsent_bytes: rows.reduce((sum, row) => sum + row.bytes, 0)
        + files.reduce((sum, file) => sum + file.bytes - file.offset, 0),
      unsent_photos: files.length, device_time: stamp(this.clock()),
    };
  }

  /** @param {Transaction} t */
  async #waiting(t) {
    return t.all("mutation", under(await t.setting("device_id")), "waiting");
  }

  /** @param {Transaction} t */
  #open(t) {
    return t.all("mutation", under(1), "open");
  }

  /** Those of this device with numbers of a range. @param {Transaction} t @param {number} from @param {number} [to] */
  async #numbered(t, from, to = Infinity) {
    const device = await t.setting("device_id");
    return t.all("mutation", IDBKeyRange.bound([device, from], [device, to]), "number");
  }
}

const UNANSWERED = { version: null, outcome: null, settled: null };

/** The row in a state, and in the indexes that belong to it. @param {any} row @param {Made["state"]} state */
function standing(row, state) {
  const { open, waiting, ...rest } = row;
  return { ...rest, state, ...(state === "done" ? {} : { open: 1 }), ...(state === "waiting" ? { waiting: row.n } : {}) };
}

/** The state of a mutation after an outcome; `dismissed` and what this client does not know are done. @param {string} outcome
 * @returns {Made["state"]} */
export function stateOf(outcome) {
  if (TAKEN.has(outcome)) return "applied";
  return outcome === "held" || outcome === "quarantined" ? outcome : "done";
}

/** Groups whole, everything else alone. @param {Waiting[]} rows */
function units(rows) {
  /** @type {Waiting[][]} */
  const found = [];
  for (const each of rows) {
    const last = found.at(-1);
    if (last && each.group && last[0].group === each.group) last.push(each);
    else found.push([each]);
  }
  return found;
}

/** @param {any} row @returns {Made} */
function told(row) {
  const { made, n, id, type, record_id, group, made_at, state, version, outcome, settled } = row;
  return { made, n, id, type, record_id, group, body: JSON.parse(row.body), made_at, state, version, outcome, settled };
}
