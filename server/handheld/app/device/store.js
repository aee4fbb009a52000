// The device's memory: one IndexedDB that outlives crashes and flat batteries. Serves every part of the device.
//
// Each object store belongs to the module named beside it, which alone writes it. What belongs together is one
// transaction, which is on disk when `write` resolves; within one nothing but the transaction itself is awaited, for
// IndexedDB commits as soon as nobody asks it for more. Each begins by asking whose the database is: the browser may have
// removed the one that was opened, or its person handed it over, in another tab.

import { openDB } from "../vendor/idb/index.js";
import { randomBytes, uuid7 } from "./values.js";

const VERSION = 1;
const STORES = ["setting", "row", "mutation", "capture", "file", "bytes", "thumb", "checkpoint", "event", "draft",
  "snapshot"];

/** @typedef {"setting" | "row" | "mutation" | "capture" | "file" | "bytes" | "thumb" | "checkpoint" | "event" | "draft" | "snapshot"} Name */

/** @param {import("../vendor/idb/entry.js").IDBPDatabase<any>} db */
function bringUp(db) {
  db.createObjectStore("setting").put(newId(), "store"); // by name; each part its own; `store` tells this database from others
  // rows.js: {snapshot, type, id, version, scope, fields, updated_at, forgotten?: 1}
  db.createObjectStore("row", { keyPath: ["snapshot", "type", "id"] }).createIndex("forgotten", "forgotten");
  // outbox.js: see there. `open` and `waiting` are there only while the mutation is, so that these indexes stay small.
  const mutation = db.createObjectStore("mutation", { keyPath: "made", autoIncrement: true });
  mutation.createIndex("number", ["device_id", "n"], { unique: true });
  mutation.createIndex("id", "id", { unique: true });
  mutation.createIndex("open", ["open", "type", "record_id"]);
  mutation.createIndex("waiting", ["device_id", "waiting"]);
  mutation.createIndex("record_waiting", ["record_id", "waiting"]);
  mutation.createIndex("record", "record_id");
  mutation.createIndex("photo", "photo");
  // capture.js: {device_id, seq, hash, record_id}
  db.createObjectStore("capture", { keyPath: ["device_id", "seq"] }).createIndex("record", ["device_id", "record_id"]);
  db.createObjectStore("file", { keyPath: "sha256" }).createIndex("state", "state"); // files.js, with the next two
  db.createObjectStore("bytes");
  db.createObjectStore("thumb");
  db.createObjectStore("checkpoint", { keyPath: ["epoch", "size"] }); // witness.js: {epoch, size, root, note, seen_at}
  db.createObjectStore("event", { keyPath: "number", autoIncrement: true }); // events.js: {at, kind, about}
  db.createObjectStore("draft", { keyPath: "id" }); // device.js: {id, kind, saved_at, value}
  db.createObjectStore("snapshot", { keyPath: ["sha256", "from"] }); // snapshot.js: {sha256, from, content}
}

const newId = () => uuid7(Date.now(), randomBytes);

/** The database is no longer the one that was opened. */
export class StoreLost extends Error {}

/** The browser removed it: what was not delivered is lost. */
export class StoreRemoved extends StoreLost {
  name = "StoreRemoved";
}

/** It was given up: what is here now is somebody else's. */
export class HandedOver extends StoreLost {
  name = "HandedOver";
}

/** What can be done within a transaction. Writing need not be awaited: what fails ends the whole transaction. */
export class Transaction {
  /** @param {any} transaction */
  constructor(transaction) {
    this.raw = transaction;
    /** The records that may look different afterwards, each as "type id"; `*` for all. @type {Set<string>} */
    this.touched = new Set();
  }

  /** @param {Name} store @param {IDBValidKey | IDBKeyRange} key @returns {Promise<any>} */
  get(store, key) {
    return this.raw.objectStore(store).get(key);
  }

  /** All of a store, or of an index, in the order of their keys.
   * @param {Name} store @param {IDBValidKey | IDBKeyRange | null} [range] @param {string} [index] @returns {Promise<any[]>} */
  all(store, range, index) {
    return this.#source(store, index).getAll(range);
  }

  /** @param {Name} store @param {IDBValidKey | IDBKeyRange | null} [range] @param {string} [index] @returns {Promise<number>} */
  count(store, range, index) {
    return this.#source(store, index).count(range);
  }

  /** The last of a range, undefined for an empty one.
   * @param {Name} store @param {IDBKeyRange | null} [range] @param {string} [index] @returns {Promise<any>} */
  async last(store, range, index) {
    return (await this.#source(store, index).openCursor(range, "prev"))?.value;
  }

  /** @param {Name} store @param {any} value @param {IDBValidKey} [key] @returns {Promise<any>} */
  put(store, value, key) {
    if (store === "row") this.touched.add(`${value.type} ${value.id}`);
    if (store === "mutation") this.touched.add(`${value.type} ${value.record_id}`);
    return watched(this.raw.objectStore(store).put(value, key));
  }

  /** @param {Name} store @param {IDBValidKey | IDBKeyRange} key @returns {Promise<void>} */
  delete(store, key) {
    if (store === "row") this.touched.add(Array.isArray(key) ? `${key[1]} ${key[2]}` : "*");
    return watched(this.raw.objectStore(store).delete(key));
  }

  /** A setting. @param {string} name @param {any} [otherwise] @returns {Promise<any>} */
  async setting(name, otherwise = null) {
    return (await this.get("setting", name)) ?? otherwise;
  }

  /** Keep a setting; null removes it. @param {string} name @param {any} value */
  set(name, value) {
    return value === null || value === undefined ? this.delete("setting", name) : this.put("setting", value, name);
  }

  /** @param {Name} store @param {string} [index] */
  #source(store, index) {
    const found = this.raw.objectStore(store);
    return index ? found.index(index) : found;
  }
}

/** A request whose caller may not wait for it: that it failed is told by its transaction, which ends with it.
 * @template {Promise<any>} T @param {T} request @returns {T} */
function watched(request) {
  request.catch(() => undefined);
  return request;
}

/** Is it that there is no room? @param {unknown} failure */
export function isFull(failure) {
  return /** @type {any} */ (failure)?.name === "QuotaExceededError";
}

/** The open database. Several tabs may hold it; their transactions take turns. */
export class Store {
  /** @param {string} name @param {(failure: Error) => void} [lost] called when the database is found to be another than before */
  constructor(name, lost = () => undefined) {
    this.name = name;
    this.lost = lost;
    /** Whose it is, undefined until it was asked. @type {string | undefined} */
    this.id = undefined;
    /** Called after each write with the records that it touched. @type {(touched: Set<string>) => void} */
    this.written = () => undefined;
    /** @type {Promise<any> | null} */
    this.opened = null;
  }

  /** Open or make the database. @param {string} name @param {(failure: Error) => void} [lost] @returns {Promise<Store>} */
  static async open(name, lost) {
    const store = new Store(name, lost);
    await store.database();
    return store;
  }

  /** The connection; a new one where the browser has cut the last, as iOS does to apps in the background. */
  database() {
    if (this.opened) return this.opened;
    const opened = /** @type {Promise<any>} */ (openDB(this.name, VERSION, { upgrade: bringUp, blocking: () => this.close(),
      terminated: () => this.#forget(opened) }));
    this.opened = opened;
    opened.catch(() => this.#forget(opened)); // whoever asked is told
    return opened;
  }

  /**
   * Everything that `work` writes is kept together or not at all. Throws what it throws, and QuotaExceededError
   * (DOMException) when the disk is full. `relaxed` is for what a power cut may take: drafts, small pictures.
   * @template T
   * @param {(t: Transaction) => Promise<T> | T} work
   * @param {{ relaxed?: boolean }} [options]
   * @returns {Promise<T>}
   */
  async write(work, { relaxed = false } = {}) {
    const { given, touched } = await this.#run("readwrite", work, relaxed);
    this.written(touched);
    return given;
  }

  /**
   * One look at the whole store, as it stands at one moment.
   * @template T
   * @param {(t: Transaction) => Promise<T> | T} work
   * @returns {Promise<T>}
   */
  async read(work) {
    return (await this.#run("readonly", work)).given;
  }

  /** A setting. @param {string} name @param {any} [otherwise] */
  get(name, otherwise = null) {
    return this.read((t) => t.setting(name, otherwise));
  }

  /** Keep a setting; null removes it. @param {string} name @param {any} value */
  put(name, value) {
    return this.write((t) => t.set(name, value));
  }

  async close() {
    const opened = this.opened;
    this.#forget(opened);
    (await opened)?.close();
  }

  /** Empty it, for somebody else: whoever has it open is told at once, and can do nothing more with it. @param {Transaction} t */
  giveUp(t) {
    for (const name of STORES) watched(t.raw.objectStore(name).clear());
    t.set("store", newId());
    t.set("given_up", this.id);
  }

  /** @param {Transaction} t */
  async #mustBeTheSame(t) {
    const id = await t.setting("store", "");
    this.id ??= id;
    if (id === this.id) return;
    const failure = await t.setting("given_up") === this.id ? new HandedOver("this database was given up") : new StoreRemoved("the database was removed");
    this.lost(failure);
    throw failure;
  }

  /** Open anew when next asked, unless that was done already. @param {Promise<any> | null} opened */
  #forget(opened) {
    if (this.opened === opened) this.opened = null;
  }

  /** @template T @param {"readonly" | "readwrite"} mode @param {(t: Transaction) => Promise<T> | T} work @param {boolean} [relaxed]
   * @returns {Promise<{ given: T, touched: Set<string> }>} */
  async #run(mode, work, relaxed = false) {
    // strict: a receipt that a power cut takes back would let the device deliver under numbers that it has forgotten
    const durability = relaxed ? "relaxed" : "strict", opened = this.database();
    const begin = (/** @type {any} */ db) => db.transaction(STORES, mode, { durability });
    let transaction;
    try {
      transaction = begin(await opened);
    } catch (failure) {
      if (/** @type {Error} */ (failure).name !== "InvalidStateError") throw failure;
      this.#forget(opened); // the browser is closing it, and has not said so yet
      transaction = begin(await this.database());
    }
    const t = new Transaction(transaction), done = watched(transaction.done);
    try {
      await this.#mustBeTheSame(t);
      const given = await work(t);
      await done;
      return { given, touched: t.touched };
    } catch (failure) {
      const reason = transaction.error ?? failure; // a request of an ended transaction only says that it was ended
      if (!transaction.error) abort(transaction);
      await done.catch(() => undefined); // it ended for that reason, or it could not be ended: it had no more to do
      throw transaction.error?.name === "AbortError" ? failure : reason;
    }
  }
}

/** @param {any} transaction */
function abort(transaction) {
  try {
    transaction.abort();
  } catch (failure) {
    if (/** @type {Error} */ (failure).name !== "InvalidStateError") throw failure; // else it has ended already
  }
}

/** Every key that begins with these parts. @param {any[]} parts */
export function under(...parts) {
  return IDBKeyRange.bound(parts, [...parts, []]); // an array is greater than every number and text
}
