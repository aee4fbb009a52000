// Making mutations: what a person does, written in one transaction before anything is sent. Serves `device`.

import { stamp } from "./values.js";
import { shown } from "./view.js";

/** @import { Fields, Maker, Members, Shown } from "./types.js" */
/** @import { Store, Transaction } from "./store.js" */
/** @import { Draft, Outbox } from "./outbox.js" */
/** @import { Rows } from "./rows.js" */
/** A draft whose base may still be that of the record here. @typedef {Omit<Draft, "base"> & { base?: number }} Wish */

/** The record that a change is made on is not on this device. */
export class NotHere extends Error {
  name = "NotHere";
}

/** Collects what is to be made; writes nothing. */
class Collected {
  /** @param {Outbox} outbox */
  constructor(outbox) {
    this.outbox = outbox;
    /** @type {Wish[]} */
    this.wishes = [];
  }

  /** @param {string} type @param {Fields} fields @param {string} scope @param {{ id?: string }} [options] */
  create(type, fields, scope, options) {
    const record_id = options?.id ?? this.outbox.newId();
    this.wishes.push({ op: "put", type, record_id, base: 0, scope, set: fields });
    return record_id;
  }

  /** @param {string} type @param {string} record_id @param {{ set?: Fields, add?: Members, remove?: Members, scope?: string }} change
   * @param {number} [base] */
  edit(type, record_id, change, base) {
    const { scope, set, add, remove } = change;
    this.wishes.push({ op: "put", type, record_id, base, scope, set, add, remove });
  }

  /** @param {string} type @param {string} record_id @param {string} name @param {Fields} args @param {Fields | null} expect
   * @param {number} [base] */
  command(type, record_id, name, args, expect, base) {
    this.wishes.push({ op: "command", type, record_id, base, command: { name, args, ...(expect ? { expect } : {}) } });
  }

  /** @param {string} type @param {string} record_id @param {string} reason @param {number} [base] */
  remove(type, record_id, reason, base) {
    this.wishes.push({ op: "delete", type, record_id, base, set: { reason } });
  }
}

export class Making {
  /** @param {Store} store @param {Outbox} outbox @param {Rows} rows @param {import("./view.js").Rules} rules */
  constructor(store, outbox, rows, rules) {
    this.store = store;
    this.outbox = outbox;
    this.rows = rows;
    this.rules = rules;
  }

  /** Make one thing. @template T @param {(maker: Collected) => T} work @returns {Promise<T>} */
  async one(work) {
    const maker = new Collected(this.outbox), given = work(maker);
    await this.store.write((t) => this.write(t, maker.wishes));
    return given;
  }

  /** What `work` makes is all-or-nothing, here and, unless `apart`, on the server. `once` is the id of the record that it makes:
   * nothing is made where that was made before, and the draft of that id ends with it. `draft` is kept with it, or ends where it has no value.
   * @param {(maker: Maker) => void} work @param {import("./types.js").Together} [options] */
  async group(work, { apart = false, once, draft } = {}) {
    const maker = new Collected(this.outbox), given = /** @type {any} */ (work(maker));
    if (typeof given?.then === "function") throw new TypeError("within a group nothing is awaited");
    if (!maker.wishes.length && !draft) return;
    await this.store.write(async (t) => {
      if (!once || !await this.outbox.has(t, once)) await this.write(t, maker.wishes, apart ? null : this.outbox.newId());
      if (once) t.delete("draft", once);
      if (draft?.value) t.put("draft", { ...draft, saved_at: stamp(this.outbox.clock()) });
      else if (draft) t.delete("draft", draft.id);
    });
  }

  /** @param {Transaction} t @param {Wish[]} wishes @param {string | null} [group] */
  async write(t, wishes, group = null) {
    /** @type {Draft[]} */
    const drafts = [], most = await this.outbox.limit(t, "mutation_bytes");
    for (const wish of wishes) {
      const draft = { ...wish, base: wish.base ?? await this.#base(t, wish, drafts) };
      drafts.push(...parts(draft, group ?? this.outbox.newId(), this.rules[wish.type] ?? {}, (part) => this.outbox.size(part) <= most));
    }
    await this.outbox.make(t, drafts, group);
  }

  /** A record as a person on this device sees it. @param {Transaction} t @param {string} type @param {string} id
   * @returns {Promise<Shown | null>} */
  async shown(t, type, id) {
    return shown(this.rules, type, id, await this.rows.get(t, type, id), await this.outbox.made(t, type, id));
  }

  /** The version looked at: that of the row here; none of what is only being made. @param {Transaction} t @param {Wish} wish
   * @param {Draft[]} before */
  async #base(t, { type, record_id }, before) {
    const record = await this.shown(t, type, record_id);
    if (!record && !before.some((each) => each.record_id === record_id)) {
      throw new NotHere(`no ${type} ${record_id} on this device`);
    }
    return record?.version ?? 0;
  }
}

/** An edit in as many parts as it takes for each to fit, under one group: taken apart by the keys of the fields with the rule `map`.
 * What is created stays whole: it may be sealed by that.
 * @param {Draft} whole @param {string} group @param {Record<string, string>} rules of its type @param {(part: Draft) => boolean} fits
 * @returns {Draft[]} */
function parts(whole, group, rules, fits) {
  const { op, type, record_id, base, set = {} } = whole;
  const isMap = (/** @type {string} */ name) => rules[name] === "map" && set[name] !== null && typeof set[name] === "object";
  if (op !== "put" || whole.scope || !Object.keys(set).some(isMap) || fits(whole)) return [whole];
  const others = Object.fromEntries(Object.entries(set).filter(([name]) => !isMap(name)));
  const found = [{ ...whole, group, set: others }];
  for (const name of Object.keys(set).filter(isMap)) {
    for (const [key, value] of Object.entries(set[name])) {
      const last = found[found.length - 1], more = { ...last, set: { ...last.set, [name]: { ...last.set?.[name], [key]: value } } };
      if (fits(more)) found[found.length - 1] = more;
      else found.push({ op, type, record_id, base, group, set: { [name]: { [key]: value } } });
    }
  }
  return found;
}
