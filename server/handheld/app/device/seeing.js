// All records of a type as a person sees them, remembered until one of them changes. Serves `device`.

import { shown } from "./view.js";

/** @import { Made, Row, Shown } from "./types.js" */
/** @typedef {{ store: import("./store.js").Store, rows: import("./rows.js").Rows, outbox: import("./outbox.js").Outbox,
 *   making: import("./making.js").Making }} Parts */

/** More changed records than this are looked up with all others of their type. */
const FEW = 200;

export class Seeing {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** By type, with the ids of those that have changed since. @type {Map<string, { records: Promise<Shown[]>, changed: Set<string> }>} */
    this.seen = new Map();
  }

  /** All records of a type, by id. @param {string} type @returns {Promise<Shown[]>} */
  records(type) {
    const known = this.seen.get(type);
    if (known && !known.changed.size) return known.records;
    const records = known ? this.#lookAgain(type, known.records, [...known.changed]) : this.#look(type);
    this.seen.set(type, { records, changed: new Set() });
    records.catch(() => this.seen.delete(type)); // who asked is told; who asks next asks again
    return records;
  }

  /** Look again at these records, each as "type id"; at all for `*`. @param {Iterable<string>} touched */
  forget(touched) {
    for (const each of touched) {
      const [type, id] = each.split(" "), known = this.seen.get(type);
      if (type === "*") this.seen.clear();
      else if (known && known.changed.add(id).size > FEW) this.seen.delete(type);
    }
  }

  /** @param {string} type @param {Promise<Shown[]>} before @param {string[]} ids @returns {Promise<Shown[]>} */
  async #lookAgain(type, before, ids) {
    const { store, making } = this.parts, all = new Map((await before).map((one) => [one.id, one]));
    const now = await store.read((t) => Promise.all(ids.map((id) => making.shown(t, type, id))));
    now.forEach((one, at) => (one ? all.set(one.id, one) : all.delete(ids[at])));
    return [...all.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** @param {string} type @returns {Promise<Shown[]>} */
  async #look(type) {
    const { store, rows, outbox, making } = this.parts;
    const [known, made] = await store.read((t) => Promise.all([rows.ofType(t, type), outbox.made(t, type)]));
    /** @type {Map<string, { row: Row | null, made: Made[] }>} */
    const all = new Map(known.map((row) => [row.id, { row, made: [] }]));
    for (const each of made) {
      if (!all.has(each.record_id)) all.set(each.record_id, { row: null, made: [] });
      all.get(each.record_id)?.made.push(each);
    }
    return [...all.keys()].sort().map((id) => shown(making.rules, type, id, all.get(id)?.row, all.get(id)?.made ?? []))
      .filter((one) => one !== null);
  }
}
