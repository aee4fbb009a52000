// The records as the server last gave them, with the snapshot that replaces them after a `resnapshot`.
//
// Serves `device` for reading and `exchange` for writing. One snapshot is shown; a pull from the beginning fills the next
// one out of sight.

import { under } from "./store.js";
import { hex, sha256, utf8 } from "./values.js";

/** @import { Fields, Row } from "./types.js" */
/** @import { Transaction } from "./store.js" */
/** @import { Outbox } from "./outbox.js" */

/** Server rows. */
export class Rows {
  /** @param {Outbox} outbox */
  constructor(outbox) {
    this.outbox = outbox;
  }

  /** @param {Transaction} t @param {string} type @param {string} id @returns {Promise<Row | undefined>} */
  async get(t, type, id) {
    return t.get("row", [await this.#shown(t), type, id]);
  }

  /** All rows of a type, by id. @param {Transaction} t @param {string} type @returns {Promise<Row[]>} */
  async ofType(t, type) {
    return t.all("row", under(await this.#shown(t), type));
  }

  /** Apply the changes of a page, which names each record once. A forgotten row stays while an edit on it is undelivered
   *  (protocol section 3). @param {Transaction} t @param {Fields[]} changes */
  async take(t, changes) {
    const snapshot = await this.#filling(t);
    for (const change of changes) {
      const { op, type, id, version, scope, fields, updated_at = null } = change;
      if (op === "put") t.put("row", { snapshot, type, id, version, scope, fields, updated_at });
      else if (op === "delete") t.delete("row", [snapshot, type, id]);
      else {
        const row = await t.get("row", [snapshot, type, id]);
        if (row) t.put("row", { ...row, forgotten: 1 });
      }
    }
  }

  /** Remove the forgotten rows on which nothing waits any more. @param {Transaction} t */
  async dropForgotten(t) {
    for (const row of await t.all("row", null, "forgotten")) {
      if (!await this.outbox.waitsOn(t, row.id)) t.delete("row", [row.snapshot, row.type, row.id]);
    }
  }

  /** Fill a new snapshot from now on; what is shown stays until `finish`. @param {Transaction} t */
  async beginAgain(t) {
    const shown = await this.#shown(t);
    t.delete("row", IDBKeyRange.upperBound([shown], true));
    t.delete("row", IDBKeyRange.lowerBound([shown + 1]));
    t.set("filling", shown + 1);
  }

  /** Does the snapshot that is being filled hold this very state of the record? @param {Transaction} t @param {string} type
   * @param {string} id */
  async unchanged(t, type, id) {
    const was = await this.get(t, type, id), is = await this.arriving(t, type, id);
    return was !== undefined && is !== undefined && was.version === is.version && was.updated_at === is.updated_at;
  }

  /** The record in the snapshot that is being filled. @param {Transaction} t @param {string} type @param {string} id
   * @returns {Promise<Row | undefined>} */
  async arriving(t, type, id) {
    return t.get("row", [await this.#filling(t), type, id]);
  }

  /** A pull has come to its end: show the snapshot it filled, without what was not seen again. @param {Transaction} t */
  async finish(t) {
    const shown = await this.#shown(t), filling = await this.#filling(t);
    if (filling !== shown) {
      for (const made of await this.outbox.made(t)) {
        const old = made.state === "waiting" && await t.get("row", [shown, made.type, made.record_id]);
        if (old && !await t.get("row", [filling, made.type, made.record_id])) {
          await t.put("row", { ...old, snapshot: filling, forgotten: 1 });
        }
      }
      t.delete("row", under(shown));
      await t.set("shown", filling);
    }
    await this.dropForgotten(t);
  }

  /** The rows that a comparison with the server counts. @param {Transaction} t @returns {Promise<Row[]>} */
  async live(t) {
    return (await t.all("row", under(await this.#shown(t)))).filter((row) => !row.forgotten);
  }

  /** @param {Transaction} t @returns {Promise<number>} */
  #shown(t) {
    return t.setting("shown", 0);
  }

  /** @param {Transaction} t @returns {Promise<number>} */
  async #filling(t) {
    return t.setting("filling", await this.#shown(t));
  }
}

/**
 * "scope type" -> count and hex SHA-256 of the lines `id version`, as `POST /sync/verify` counts them.
 * @param {Row[]} rows
 */
export async function digests(rows) {
  /** @type {Map<string, string[]>} */
  const lines = new Map();
  for (const row of [...rows].sort((one, other) => (one.id < other.id ? -1 : 1))) {
    const key = `${row.scope} ${row.type}`;
    const known = lines.get(key);
    if (known) known.push(`${row.id} ${row.version}\n`);
    else lines.set(key, [`${row.id} ${row.version}\n`]);
  }
  /** @type {Map<string, { count: number, digest: string }>} */
  const found = new Map();
  for (const [key, each] of lines) found.set(key, { count: each.length, digest: hex(await sha256(utf8(each.join("")))) });
  return found;
}
