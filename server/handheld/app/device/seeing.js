// All records of a type as a person sees them, remembered until one of them changes. Serves `device`.

import { shown } from "./view.js";

/** @import { Made, Row, Shown } from "./types.js" */
/** @typedef {{ store: import("./store.js").Store, rows: import("./rows.js").Rows, outbox: import("./outbox.js").Outbox,
 *   making: import("./making.js").Making }} Parts */

export class Seeing {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** By type. @type {Map<string, Promise<Shown[]>>} */
    this.seen = new Map();
  }

  /** All records of a type, by id. @param {string} type @returns {Promise<Shown[]>} */
  records(type) {
    const known = this.seen.get(type);
    if (known) return known;
    const asked = this.#look(type);
    this.seen.set(type, asked);
    asked.catch(() => this.seen.delete(type)); // who asked is told; who asks next asks again
    return asked;
  }

  /** Look again at these types, `*` for all. @param {Iterable<string>} touched */
  forget(touched) {
    for (const type of touched) {
      if (type === "*") this.seen.clear();
      else this.seen.delete(type);
    }
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
