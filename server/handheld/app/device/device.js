// One enrolled device: work offline, deliver when there is a network, see both. The face of this folder (`types.d.ts`).
//
//     const device = await openDevice({ reference }) ?? await enrolDevice({ code, name, reference });
//     const finding = await device.create("finding", { text: "门前堆物", address: "…", observed_at: "…" }, "320412100");
//     await device.capture(photo, { about: { type: "finding", id: finding }, role: "scene", scope: "320412100" });
//     await device.sync();

import { Events } from "./events.js";
import { Files } from "./files.js";
import { Making } from "./making.js";
import { Outbox } from "./outbox.js";
import { Rows } from "./rows.js";
import { Store } from "./store.js";
import { Tabs } from "./tabs.js";
import { randomBytes, stamp } from "./values.js";
import { shown } from "./view.js";

/** @import { Fields, Made, Maker, Members, Shown, SyncState, User } from "./types.js" */
/**
 * `base`: the server's address, that of the page when left out. `clock`, `random`, `locks`, `fetch` and `patience` are
 * for tests and for node.
 * @typedef {{
 *   base?: string, database?: string, reference: { record_types: import("./view.js").Rules },
 *   clock?: () => number, random?: (count: number) => Uint8Array, locks?: any, keepMs?: number,
 *   fetch?: typeof globalThis.fetch, patience?: import("./client.js").Patience,
 * }} Options
 */

export const DATABASE = "menqian";
const OUTSIDE = { device_id: "", user: null, scopes: [], state: "enrolled", clock_offset_ms: null, paused: false,
  wifi_only: false, failure: null, last_ok_at: null };

export class Device {
  /** @param {Store} store @param {string} database @param {Options} options */
  constructor(store, database, options) {
    const clock = options.clock ?? Date.now;
    this.store = store;
    this.clock = clock;
    this.rules = options.reference.record_types;
    this.events_ = new Events(clock);
    this.outbox_ = new Outbox(clock, options.random ?? randomBytes);
    this.rows = new Rows(this.outbox_);
    this.files = new Files(store, this.events_, options.keepMs);
    this.making = new Making(store, this.outbox_, this.rows, this.rules);
    this.tabs = new Tabs(database, options.locks);
    /** What a screen reads without waiting, as the store had it last. @type {any} */
    this.known = OUTSIDE;
    /** @type {Set<(data: boolean) => void>} */
    this.listeners = new Set();
    this.tabs.heard = (data) => this.#heard(data);
    store.written = () => this.tabs.changed(true);
  }

  /** Read anew what is shown without waiting. */
  async know() {
    this.known = await this.store.read(async (t) => {
      const entries = await Promise.all(Object.entries(OUTSIDE).map(
        async ([name, otherwise]) => [name, await t.setting(name, otherwise)]));
      return Object.fromEntries(entries);
    });
  }

  get id() { return /** @type {string} */ (this.known.device_id); }
  get user() { return /** @type {User} */ (this.known.user); }
  get scopes() { return /** @type {string[]} */ (this.known.scopes); }
  get state() { return /** @type {"enrolled" | "revoked" | "forked"} */ (this.known.state); }
  get clock_offset_ms() { return /** @type {number | null} */ (this.known.clock_offset_ms); }

  // making

  newId() {
    return this.outbox_.newId();
  }

  /** @param {string} type @param {Fields} fields @param {string} scope @param {{ id?: string }} [options] */
  async create(type, fields, scope, options) {
    return this.making.one((maker) => maker.create(type, fields, scope, options));
  }

  /** @param {string} type @param {string} id @param {{ set?: Fields, add?: Members, remove?: Members, scope?: string, base?: number }} change */
  async edit(type, id, { base, ...change }) {
    await this.making.one((maker) => maker.edit(type, id, change, base));
  }

  /** @param {string} type @param {string} id @param {string} name @param {Fields} [args] @param {Fields | null} [expect] */
  async command(type, id, name, args = {}, expect = null) {
    await this.making.one((maker) => maker.command(type, id, name, args, expect));
  }

  /** @param {string} type @param {string} id @param {string} reason */
  async remove(type, id, reason) {
    await this.making.one((maker) => maker.remove(type, id, reason));
  }

  /** @param {(maker: Maker) => void} work */
  async group(work) {
    await this.making.group(work);
  }

  // seeing

  /** @param {string} type @param {string} id @returns {Promise<Shown | null>} */
  get(type, id) {
    return this.store.read((t) => this.making.shown(t, type, id));
  }

  /** All records of a type, by id. @param {string} type @returns {Promise<Shown[]>} */
  async records(type) {
    const [rows, made] = await this.store.read((t) => Promise.all([this.rows.ofType(t, type), this.outbox_.made(t, type)]));
    /** @type {Map<string, Made[]>} */
    const edits = new Map();
    for (const each of made) edits.set(each.record_id, [...(edits.get(each.record_id) ?? []), each]);
    const known = new Map(rows.map((row) => [row.id, row]));
    const ids = [...new Set([...known.keys(), ...edits.keys()])].sort();
    return ids.map((id) => shown(this.rules, type, id, known.get(id), edits.get(id) ?? [])).filter((one) => one !== null);
  }

  /** @param {{ all?: boolean, record_id?: string }} [options] @returns {Promise<Made[]>} */
  async outbox({ all = false, record_id } = {}) {
    const made = await this.store.read((t) => (all || record_id ? this.outbox_.all(t, record_id) : this.outbox_.made(t)));
    return all ? made : made.filter((each) => each.state !== "done");
  }

  /** @param {string} [state] */
  photos(state) {
    return this.files.all(state);
  }

  /** @param {string} sha256 */
  bytes(sha256) {
    return this.files.bytes(sha256);
  }

  /** @param {string} sha256 */
  thumb(sha256) {
    return this.files.thumb(sha256);
  }

  events() {
    return this.store.read((t) => this.events_.all(t));
  }

  health() {
    return this.store.read((t) => this.outbox_.health(t));
  }

  // small things

  /** @param {string} name @param {any} value */
  async keep(name, value) {
    await this.store.put(`kept ${name}`, value);
  }

  /** @template T @param {string} name @param {T} [otherwise] @returns {Promise<T>} */
  kept(name, otherwise) {
    return this.store.get(`kept ${name}`, otherwise);
  }

  /** @returns {Promise<{ id: string, kind: string, saved_at: string, value: any }[]>} */
  async drafts() {
    const found = await this.store.read((t) => t.all("draft"));
    return found.sort((one, other) => (one.saved_at < other.saved_at ? 1 : -1));
  }

  /** @param {string} id @param {string} kind @param {any} value */
  async saveDraft(id, kind, value) {
    await this.store.write((t) => t.put("draft", { id, kind, saved_at: stamp(this.clock()), value }));
  }

  /** @param {string} id */
  async dropDraft(id) {
    await this.store.write((t) => t.delete("draft", id));
  }

  // talking

  /** @returns {SyncState} */
  get syncing() {
    const { failure, last_ok_at, paused, wifi_only } = this.known;
    return { doing: null, photo: null, ...this.tabs.theirs, failure, last_ok_at, paused, wifi_only };
  }

  /** Calls back after every change, with false when no record changed but only what is being done.
   * @param {(data: boolean) => void} listener */
  onChange(listener) {
    const heard = (/** @type {boolean} */ data) => listener(data); // of its own, so that one may be given twice
    this.listeners.add(heard);
    return () => void this.listeners.delete(heard);
  }

  close() {
    this.tabs.close();
    this.store.close();
  }

  /** @param {boolean} data */
  async #heard(data) {
    if (data) await this.know();
    for (const listener of [...this.listeners]) listener(data);
  }
}

/** The device of this browser, null when none is enrolled. @param {Options} options */
export async function openDevice(options) {
  const database = options.database ?? DATABASE;
  const store = await Store.open(database);
  if (await store.get("device_id") === null) {
    store.close();
    return null;
  }
  const device = new Device(store, database, options);
  await device.know();
  return device;
}
