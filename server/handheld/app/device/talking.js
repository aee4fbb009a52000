// When this device talks and what it says of it: one whole sync at a time, what is being done, what last failed, and
// coming again by itself. Serves `device`.

import { Problem, Unreachable } from "./client.js";
import { renewRoads } from "./roads.js";
import { isFull, StoreLost } from "./store.js";
import { stamp } from "./values.js";

/** @import { Report, SyncState } from "./types.js" */
/** @typedef {{ doing: SyncState["doing"], photo: SyncState["photo"] }} Doing */
/** The parts that take turns in one sync.
 * @typedef {{ store: import("./store.js").Store, tabs: import("./tabs.js").Tabs, exchange: import("./exchange.js").Exchange,
 *   uploads: import("./uploads.js").Uploads, delivery: import("./delivery.js").Delivery,
 *   outbox: import("./outbox.js").Outbox, clock: () => number, ready: () => Promise<void>, after: () => Promise<void>,
 *   wanted: () => { paused: boolean, wifi_only: boolean } }} Parts */

export const BACKGROUND_TAG = "menqian";
const FIRST_AGAIN_MS = 5000;
const LONGEST_AGAIN_MS = 300_000;
/** However long it is asked to stay away: what asked may be something on the way that is gone by then. */
const LONGEST_ASKED_MS = 3_600_000;

export class Talking {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {Doing} */
    this.now = { doing: null, photo: null };
    this.failures = 0;
    /** Has any part of a photo arrived in this attempt? */
    this.moved = false;
    this.running = false;
    this.asked = false;
    this.closed = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    parts.tabs.doing = () => this.now;
    this.online = () => this.soon();
    this.leaving = () => void (document.visibilityState === "hidden" && this.#register());
    globalThis.addEventListener?.("online", this.online);
    globalThis.addEventListener?.("visibilitychange", this.leaving);
  }

  /** Say hello, push, upload, pull, and say what still waits; after what another tab is at. @returns {Promise<Report>} */
  async sync() {
    const report = await this.parts.tabs.turn(async () => {
      try {
        await this.parts.ready();
        const report = await this.#conversation();
        await this.#keep(null);
        return report;
      } catch (failure) {
        await this.#keep(told(failure, stamp(this.parts.clock())));
        throw failure;
      } finally {
        this.#doing(null);
      }
    });
    if (!this.closed) {
      this.parts.after().catch((failure) => { // nobody waits for it: what is made meanwhile is delivered
        if (!this.closed && !isFull(failure)) throw failure; // else its store may be gone, and nobody is there; a full one is told when something is made
      });
    }
    return report;
  }

  /** May photos travel now: is it not paused, and this a line for them? */
  get photosGo() {
    const { paused, wifi_only } = this.parts.wanted();
    return !this.closed && !paused && (!wifi_only || isWifi());
  }

  /** Ask for a sync soon: now if there is a network, else when there is one, here or in the background. With `background` it
   *  is the browser that asks: where an attempt is being made, or comes by itself, it is not heeded.
   * @param {{ background?: boolean }} [options] */
  soon({ background = false } = {}) {
    if (this.closed || (background && (this.running || this.timer))) return;
    if (this.running) {
      this.asked = true;
      return;
    }
    this.running = true;
    this.asked = false;
    this.#rest();
    this.#attempt().finally(() => {
      this.running = false;
      if (this.asked) this.soon();
    });
  }

  close() {
    this.closed = true;
    this.#rest();
    globalThis.removeEventListener?.("online", this.online);
    globalThis.removeEventListener?.("visibilitychange", this.leaving);
  }

  #rest() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** @returns {Promise<Report>} */
  async #conversation() {
    const { store, exchange, delivery, outbox } = this.parts;
    this.#doing("hello");
    await exchange.greet();
    this.#doing("push");
    let uploaded = 0, received = 0, full;
    const pushed = await exchange.push().catch((failure) => {
      if (!isFull(failure)) throw failure;
      full = failure; // the receipts find no room; the photos go all the same
    });
    try {
      uploaded = await this.#upload();
    } finally { // photos that cannot go are no reason to hear no news
      this.#doing("pull");
      received = await exchange.pull();
      await exchange.tellHealth();
    }
    if (!pushed) throw full;
    this.#doing("receipt");
    await delivery.renew();
    await renewRoads(exchange.parts, () => this.#doing("pull"));
    const { unsent, unsent_photos } = await store.read((t) => outbox.health(t));
    return { ...pushed, waiting: unsent, uploaded, photos_waiting: unsent_photos, received };
  }

  /** Photos, unless they are paused or this is no line for them; that is asked again before each chunk. */
  async #upload() {
    const { exchange, uploads } = this.parts, goesOn = () => this.photosGo;
    if (!goesOn()) return 0;
    this.#doing("upload");
    try {
      return await uploads.upload({ onProgress: (photo) => {
        this.moved = true;
        this.#doing("upload", photo);
      }, goesOn });
    } catch (failure) {
      // a HEAD's answer has no body that would say why; hello's has
      if (failure instanceof Problem && failure.code === "http_401") await exchange.greet();
      throw failure;
    }
  }

  /** One attempt on nobody's request: its failure is told by `syncing`, and it comes again where that may help. */
  async #attempt() {
    const { store, exchange } = this.parts, before = exchange.delivered;
    this.moved = false;
    try {
      if (globalThis.navigator?.onLine === false) return await this.#register();
      if (this.closed || await store.get("paused")) return;
      await this.sync();
      this.failures = 0;
    } catch (failure) {
      const over = failure instanceof StoreLost || (failure instanceof Problem && failure.action !== "retry");
      if (this.closed || over) return; // a person must do something first, and is told
      if (this.moved || exchange.delivered > before) this.failures = 0; // a bad line, but one that brings something
      const asked = failure instanceof Problem ? Math.min(LONGEST_ASKED_MS, (failure.retry_after ?? 0) * 1000) : 0;
      const again = Math.max(asked, Math.min(LONGEST_AGAIN_MS, FIRST_AGAIN_MS * 3 ** this.failures));
      this.failures += 1;
      this.timer = setTimeout(() => this.soon(), again);
      /** @type {any} */ (this.timer)?.unref?.(); // node: nobody stays for this alone
    }
  }

  /** Background sync for what waits, where the browser has it and the person allows it: else the next opening does the same.
   *  Only without a network and of a page that is left: a browser with a network begins at once. */
  async #register() {
    const { store, outbox } = this.parts;
    if (this.closed || !await store.read(async (t) => {
      const { unsent, unsent_photos } = await outbox.health(t);
      return unsent + unsent_photos > 0 && !await t.setting("paused");
    })) return;
    const workers = globalThis.navigator?.serviceWorker;
    const registration = /** @type {any} */ (globalThis).registration ?? await workers?.getRegistration();
    try {
      await registration?.sync?.register(BACKGROUND_TAG);
    } catch (failure) {
      if (!(failure instanceof DOMException)) throw failure;
    }
  }

  /** @param {Doing["doing"]} doing @param {Doing["photo"]} [photo] */
  #doing(doing, photo = null) {
    this.now = { doing, photo };
    this.parts.tabs.changed(false);
  }

  /** @param {SyncState["failure"]} failure */
  async #keep(failure) {
    try {
      await this.parts.store.write((t) => {
        t.set("failure", failure);
        if (!failure) t.set("last_ok_at", stamp(this.parts.clock()));
      });
    } catch (full) {
      if (!isFull(full)) throw full;
      // the failure that is told to the caller says the same: there is no room even for a line
    }
  }
}

/** Is this line one for large photos? Where a browser does not tell, it is: only the person's own pause holds them. */
export function isWifi() {
  const line = /** @type {any} */ (globalThis.navigator)?.connection;
  return line?.type === undefined || ["wifi", "ethernet", "unknown"].includes(line.type);
}

/** A failure as the screens tell it. @param {any} failure @param {string} at @returns {NonNullable<SyncState["failure"]>} */
function told(failure, at) {
  if (failure instanceof Problem) return { kind: failure.code, action: failure.action, title: failure.body.title, detail: failure.detail, at };
  if (failure instanceof Unreachable) return { kind: "unreachable", action: "retry", detail: failure.message, at };
  const kinds = /** @type {Record<string, string>} */ ({ LogRefused: "log_refused", QuotaExceededError: "disk_full" });
  return { kind: kinds[failure?.name] ?? "broken", action: "contact", detail: String(failure?.message ?? failure), at };
}
