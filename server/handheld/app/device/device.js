// One enrolled device: work offline, deliver when there is a network, see both. The face of this folder (`types.d.ts`).
//
//     const device = await openDevice({ reference }) ?? await enrolDevice({ code, name, reference });
//     const finding = await device.create("finding", { text: "门前堆物", address: "…", observed_at: "…" }, "320412100");
//     await device.capture(photo, { about: { type: "finding", id: finding }, role: "scene", scope: "320412100" });
//     await device.sync();

import { bundleOf } from "./bundle.js";
import { Chain } from "./capture.js";
import { Client, Patience } from "./client.js";
import { Delivery } from "./delivery.js";
import { enrolAgain, enrolFirst } from "./enrolment.js";
import { Events } from "./events.js";
import { Exchange } from "./exchange.js";
import { Files } from "./files.js";
import { Identity } from "./identity.js";
import { Making } from "./making.js";
import { Outbox } from "./outbox.js";
import { Pictures } from "./pictures.js";
import { digests, Rows } from "./rows.js";
import { Seeing } from "./seeing.js";
import { Store } from "./store.js";
import { Tabs } from "./tabs.js";
import { Talking } from "./talking.js";
import { Uploads } from "./uploads.js";
import { randomBytes, stamp } from "./values.js";
import { Witness } from "./witness.js";

/** @import { Device as Face, Fields, Made, Maker, Members, Shown, SyncState, User } from "./types.js" */
/**
 * `base`: the server's address, that of the page when left out. `clock`, `random`, `locks`, `fetch` and `patience` are
 * for tests and for node. `lost` is called when the store was removed, or handed over in another tab (store.js).
 * @typedef {{
 *   base?: string, database?: string, reference: { record_types: import("./view.js").Rules },
 *   clock?: () => number, random?: (count: number) => Uint8Array, locks?: any, keepMs?: number,
 *   fetch?: typeof globalThis.fetch, patience?: import("./client.js").Patience, lost?: (failure: Error) => void,
 * }} Options
 */

export const DATABASE = "menqian";
const OUTSIDE = { device_id: "", token: null, user: null, scopes: [], state: "enrolled", clock_offset_ms: null, paused: false,
  wifi_only: false, failure: null, last_ok_at: null, fingerprint: "" };

/** @implements {Face} */
export class Device {
  /** @param {Store} store @param {string} database @param {Options} options */
  constructor(store, database, options) {
    const clock = options.clock ?? Date.now, events = new Events(clock);
    const outbox = new Outbox(clock, options.random ?? randomBytes), rows = new Rows(outbox);
    const client = new Client(options.base || location.origin, { fetch: options.fetch, patience: options.patience ?? new Patience() });
    const identity = new Identity(store), witness = new Witness(store, client, clock, events);
    const files = new Files(store, events, options.keepMs), making = new Making(store, outbox, rows, options.reference.record_types);
    const chain = new Chain({ store, identity, making, files, witness, clock });
    const exchange = new Exchange({ store, client, identity, outbox, rows, files, witness, chain, events, clock });
    const delivery = new Delivery(store, client, outbox, witness, rows), tabs = new Tabs(database, options.locks);
    this.parts = { store, client, events, outbox, rows, identity, witness, files, making, chain, exchange, delivery, tabs, clock };
    this.talking = new Talking({ store, tabs, exchange, uploads: new Uploads(files, client), delivery, outbox, clock,
      ready: () => this.know(), wanted: () => this.known, after: () => this.pictures.renew() });
    this.seeing = new Seeing({ store, rows, outbox, making });
    /** @type {Pictures} */
    this.pictures = new Pictures({ store, seeing: this.seeing, files, client, clock, person: () => this.user.id, talking: this.talking });
    /** What a screen reads without waiting, as the store had it last. @type {any} */
    this.known = OUTSIDE;
    /** @type {Set<(data: boolean) => void>} */
    this.listeners = new Set();
    tabs.heard = (data, touched) => this.#heard(data, touched);
    store.written = (touched) => {
      this.seeing.forget(touched);
      tabs.changed(true, touched);
    };
  }

  /** Read anew what is shown without waiting. */
  async know() {
    const { store, client } = this.parts;
    this.known = await store.read(async (t) => {
      const entries = await Promise.all(Object.entries(OUTSIDE).map(
        async ([name, otherwise]) => [name, await t.setting(name, otherwise)]));
      return Object.fromEntries(entries);
    });
    client.token = this.known.token;
  }

  get id() { return /** @type {string} */ (this.known.device_id); }
  get fingerprint() { return /** @type {string} */ (this.known.fingerprint); }
  get user() { return /** @type {User} */ (this.known.user); }
  get scopes() { return /** @type {string[]} */ (this.known.scopes); }
  get state() { return /** @type {"enrolled" | "revoked" | "forked"} */ (this.known.state); }
  get clock_offset_ms() { return /** @type {number | null} */ (this.known.clock_offset_ms); }

  // making

  newId() {
    return this.parts.outbox.newId();
  }

  /** @param {string} type @param {Fields} fields @param {string} scope @param {{ id?: string }} [options] */
  async create(type, fields, scope, options) {
    return this.parts.making.one((maker) => maker.create(type, fields, scope, options));
  }

  /** @param {string} type @param {string} id @param {{ set?: Fields, add?: Members, remove?: Members, scope?: string, base?: number }} change */
  async edit(type, id, { base, ...change }) {
    await this.parts.making.one((maker) => maker.edit(type, id, change, base));
  }

  /** @param {string} type @param {string} id @param {string} name @param {Fields} [args] @param {Fields | null} [expect]
   * @param {number} [base] */
  async command(type, id, name, args = {}, expect = null, base = undefined) {
    await this.parts.making.one((maker) => maker.command(type, id, name, args, expect, base));
  }

  /** @param {string} type @param {string} id @param {string} reason @param {number} [base] */
  async remove(type, id, reason, base) {
    await this.parts.making.one((maker) => maker.remove(type, id, reason, base));
  }

  /** @param {Blob} photo @param {import("./types.js").Captured} captured @returns {Promise<string>} */
  async capture(photo, captured) {
    return this.pictures.yieldTo(() => this.parts.chain.capture(photo, captured));
  }

  /** @param {(maker: Maker) => void} work @param {import("./types.js").Together} [options] */
  async group(work, options) {
    await this.parts.making.group(work, options);
  }

  // seeing

  /** @param {string} type @param {string} id @returns {Promise<Shown | null>} */
  get(type, id) {
    return this.parts.store.read((t) => this.parts.making.shown(t, type, id));
  }

  /** All records of a type, by id; the same array until one of them changes, so not to be changed by who asks.
   * @param {string} type @returns {Promise<Shown[]>} */
  records(type) {
    return this.seeing.records(type);
  }

  /** @param {{ all?: boolean, record_id?: string }} [options] @returns {Promise<Made[]>} */
  async outbox({ all = false, record_id } = {}) {
    const made = await this.parts.store.read((t) => (all || record_id ? this.parts.outbox.all(t, record_id) : this.parts.outbox.made(t)));
    return all ? made : made.filter((each) => each.state !== "done");
  }

  /** @param {string} [state] */
  photos(state) { return this.parts.files.all(state); }

  /** @param {string} sha256 */
  bytes(sha256) { return this.parts.files.blob(sha256); }

  /** @param {string} sha256 */
  thumb(sha256) { return this.parts.files.thumb(sha256); }

  /** @param {string} sha256 */
  picture(sha256) { return this.pictures.best(sha256); }

  /** @param {string} sha256 @param {"thumb" | "screen"} kind */
  bringPicture(sha256, kind) { return this.pictures.bring(sha256, kind); }

  events() {
    return this.parts.store.read((t) => this.parts.events.all(t));
  }

  health() {
    return this.parts.store.read((t) => this.parts.outbox.health(t));
  }

  everythingDelivered() { return this.parts.delivery.complete(); }

  receipt() { return this.parts.delivery.receipt(); }

  bundle() {
    return bundleOf(this.parts);
  }

  // small things

  /** @param {string} name @param {any} value */
  async keep(name, value) {
    await this.parts.store.put(`kept ${name}`, value);
  }

  /** @template T @param {string} name @param {T} [otherwise] @returns {Promise<T>} */
  kept(name, otherwise) {
    return this.parts.store.get(`kept ${name}`, otherwise);
  }

  /** @returns {Promise<{ id: string, kind: string, saved_at: string, value: any }[]>} */
  async drafts() {
    const found = await this.parts.store.read((t) => t.all("draft"));
    return found.sort((one, other) => (one.saved_at < other.saved_at ? 1 : -1));
  }

  /** @param {string} id @param {string} kind @param {any} value */
  async saveDraft(id, kind, value) {
    await this.parts.store.write((t) => t.put("draft", { id, kind, saved_at: stamp(this.parts.clock()), value }), { relaxed: true });
  }

  /** @param {string} id */
  async dropDraft(id) {
    await this.parts.store.write((t) => t.delete("draft", id));
  }

  // talking

  /** @param {string} sha256 */
  sendAgain(sha256) { return this.parts.files.sendAgain(sha256); }

  sync() {
    return this.talking.sync();
  }

  /** @param {{ background?: boolean }} [options] */
  syncSoon(options) {
    this.talking.soon(options);
  }

  /** @returns {SyncState} */
  get syncing() {
    const { failure, last_ok_at, paused, wifi_only } = this.known;
    const { doing, photo } = this.talking.now.doing ? this.talking.now : this.parts.tabs.theirs ?? this.talking.now;
    return { doing, photo, failure, last_ok_at, paused, wifi_only };
  }

  /** @param {{ paused?: boolean, wifi_only?: boolean }} options */
  async configure(options) {
    await this.parts.store.write((t) => Object.entries(options).forEach(([name, value]) => t.set(name, value)));
    await this.know();
    if (!this.known.paused) this.syncSoon(); // what was held may go
  }

  /** The "scope type" of which server and device hold different rows; empty when all agree. Right after a pull a difference
   *  may also be a change that came in between: sync and verify again. */
  async verify() {
    const { store, rows, client } = this.parts;
    const answer = await client.post("/sync/verify"), ours = await digests(await store.read((t) => rows.live(t)));
    const theirs = new Map(answer.scopes.map((/** @type {Fields} */ each) => [`${each.scope} ${each.type}`, each]));
    return [...new Set([...theirs.keys(), ...ours.keys()])].filter((key) =>
      theirs.get(key)?.count !== ours.get(key)?.count || theirs.get(key)?.digest !== ours.get(key)?.digest).sort();
  }

  /** Become a new device of the same person: what was not settled is numbered from 1 and delivered again.
   * @param {string} code @param {Record<string, any>} [kept] small things that change with it */
  async enrolAnew(code, kept) {
    await this.parts.tabs.turn(() => enrolAgain(this.parts, code, kept));
    await this.know();
  }

  /** Calls back after every change, with false when no record changed but only what is being done.
   * @param {(data: boolean) => void} listener */
  onChange(listener) {
    const heard = (/** @type {boolean} */ data) => listener(data); // of its own, so that one may be given twice
    this.listeners.add(heard);
    return () => void this.listeners.delete(heard);
  }

  close() {
    this.talking.close();
    this.parts.tabs.close();
    this.parts.store.close();
  }

  /** @param {boolean} data @param {string[]} touched */
  async #heard(data, touched) {
    this.seeing.forget(touched);
    if (data) await this.know().catch((failure) => console.warn(failure)); // the screens, which read for themselves, tell of it
    for (const listener of [...this.listeners]) listener(data);
  }
}

/** The device of this browser, null when none is enrolled. @param {Options} options */
export async function openDevice(options) {
  const database = options.database ?? DATABASE;
  const store = await Store.open(database, options.lost);
  if (await store.get("device_id") === null) {
    store.close();
    return null;
  }
  const device = new Device(store, database, options);
  await device.know();
  return device;
}

/** Enrol with an invitation code into an empty database. Throws Problem and Unreachable; a code is never sent twice.
 * @param {Options & { code: string, name: string }} options */
export async function enrolDevice({ code, name, ...options }) {
  const database = options.database ?? DATABASE, store = await Store.open(database, options.lost);
  const device = new Device(store, database, options);
  try {
    await device.parts.tabs.turn(() => enrolFirst(device.parts, code, name));
    await device.know();
  } catch (failure) {
    device.close();
    throw failure;
  }
  return device;
}
