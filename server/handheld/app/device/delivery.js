// Whether everything arrived: the server's signed receipt, fetched, verified and kept (docs/verify-a-receipt.md).
//
// Serves `device`. A receipt proves later, without the server, what the server said it had.

import { Problem, Unreachable } from "./client.js";
import { STOPPED } from "./files.js";
import { leafHash, rootOf } from "./merkle.js";
import { NoteInvalid, readStatement } from "./notes.js";
import { under } from "./store.js";
import { hex, unhex } from "./values.js";
import { LogRefused } from "./witness.js";

/** @import { Fields } from "./types.js" */
/** @import { File } from "./files.js" */
/** @import { Client } from "./client.js" */
/** @import { Store, Transaction } from "./store.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Rows } from "./rows.js" */
/** @import { Witness } from "./witness.js" */

const TRIES = 3;

/** The newest receipt of this device. */
export class Delivery {
  /** @param {Store} store @param {Client} client @param {Outbox} outbox @param {Witness} witness @param {Rows} rows */
  constructor(store, client, outbox, witness, rows) {
    this.store = store;
    this.client = client;
    this.outbox = outbox;
    this.witness = witness;
    this.rows = rows;
    /** What was found complete: as long as it is the same nothing is read through again. */
    this.found = "";
  }

  /** The note as the server signed it. @returns {Promise<string | null>} */
  async receipt() {
    return (await this.store.get("receipt"))?.note ?? null;
  }

  /** Does a verified receipt of this epoch cover the last number given and every photo captured here that the server has not
   *  itself refused, found damaged or quarantined? Those are told beside it. */
  async complete() {
    const here = await this.store.read(async (t) => ({
      kept: await t.setting("receipt"), key: await t.setting("journal_key"), health: await this.outbox.health(t),
      newest: await this.outbox.newest(t), count: await t.count("mutation", null, "photo"), apart: await quarantined(t),
      onTheWay: await t.count("file", "waiting", "state") + (await this.#asked(t)).length, ...await ours(t) }));
    if (!here.kept || here.health.unsent || here.onTheWay) return false;
    const look = JSON.stringify([here.kept.note, here.device_id, here.epoch, here.newest, here.count, here.apart]);
    if (this.found === look) return true;
    const statement = await read(here.kept.note, here.key);
    if (!isOurs(statement, here) || statement.last_n < here.newest) return false;
    const kept = new Set(here.kept.photos), photos = await this.store.read((t) => this.#photos(t));
    if (!photos.every((digest) => kept.has(digest)) || await photosRoot(here.kept.photos) !== statement.photos.root) return false;
    this.found = look;
    return true;
  }

  /** Ask for a receipt where nothing waits here, as far as this device knows, and none says so yet. */
  async renew() {
    const waits = await this.store.read(async (t) => (await this.outbox.newest(t)) === 0 || (await this.outbox.health(t)).unsent > 0
      || await t.count("file", "waiting", "state") > 0 || (await this.#asked(t)).some(({ silent }) => !silent));
    if (waits || await this.complete()) return;
    try {
      await this.fetch();
    } catch (failure) {
      // what was delivered is delivered; the next sync asks again
      if (!(failure instanceof Unreachable) && !(failure instanceof Problem)) throw failure;
    }
  }

  /** Fetch, verify and keep a receipt with the photos it speaks of. Throws LogRefused for one that is not ours. False when
   *  photos were verified between the calls, again and again; then the receipt of before stays. */
  async fetch() {
    await this.witness.meet();
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const note = await this.client.get("/sync/receipt");
      const here = await this.store.read(async (t) => ({ key: await t.setting("journal_key"), ...await ours(t),
        photos: await this.#photos(t) }));
      const statement = await read(note, here.key);
      if (!isOurs(statement, here)) throw new LogRefused("the receipt is another device's, or of another epoch");
      let photos = here.photos;
      if (await photosRoot(photos) !== statement.photos.root) photos = (await this.client.get("/sync/receipt/photos")).photos;
      if (await photosRoot(photos) === statement.photos.root) {
        await this.store.write(async (t) => {
          t.set("receipt", { note, photos });
          await this.#believe(t, statement.photos, new Set(photos));
        });
        return true;
      }
    }
    return false;
  }

  /** The photos that the server has and that await its word; `silent` where no record tells it any more: it left this device before.
   * None comes of what is quarantined, before a supervisor's. @param {Transaction} t */
  async #asked(t) {
    /** @type {File[]} */
    const files = await t.all("file", "stored", "state");
    const found = await Promise.all(files.map(async (file) => {
      const live = (await t.all("mutation", file.sha256, "photo")).filter(isLive);
      const tell = await Promise.all(live.map(async (made) => made.state !== "done" || await this.rows.get(t, "evidence", made.record_id)));
      return { file, live: live.length > 0, silent: !tell.some(Boolean) };
    }));
    return found.filter(({ live }) => live);
  }

  /** What a receipt tells of photos without a record. One that is not verified, when nothing is left to be looked at, is as good as
   *  dismissed: nobody can take it again here. @param {Transaction} t @param {Fields} told @param {Set<string>} verified */
  async #believe(t, told, verified) {
    const over = !told.expected && !told.partial && !told.stored;
    for (const { file, silent } of await this.#asked(t)) {
      const state = verified.has(file.sha256) ? "verified" : over ? "dismissed" : "stored";
      if (silent && state !== "stored") t.put("file", { ...file, state, problem: null });
    }
  }

  /** The digests of the photos captured here, sorted, without those whose evidence is quarantined or a supervisor dismissed,
   *  or which the server judged.
   * @param {Transaction} t @returns {Promise<string[]>} */
  async #photos(t) {
    const found = await t.all("mutation", null, "photo");
    const ended = [...(await stopped(t, this.rows)).filter((file) => file.judged), ...await t.all("file", "dismissed", "state")];
    const judged = new Set(ended.map((file) => file.sha256));
    return [...new Set(found.filter((row) => isLive(row) && !judged.has(row.photo))
      .map((row) => row.photo))].sort();
  }
}

/** The photos that go no further, and whether it is the server itself that refused them or found them damaged.
 * @param {Transaction} t @param {Rows} rows @returns {Promise<(File & { judged: boolean })[]>} */
export async function stopped(t, rows) {
  const files = (await Promise.all(STOPPED.map((state) => t.all("file", state, "state")))).flat();
  return Promise.all(files.map(async (file) => {
    const made = await t.all("mutation", file.sha256, "photo");
    const found = await Promise.all(made.map(({ record_id }) => rows.get(t, "evidence", record_id)));
    return { ...file, judged: found.some((row) => STOPPED.includes(row?.fields.media?.state)) };
  }));
}

/** Does the server look at the photo of this evidence? @param {any} row */
function isLive({ state, settled }) {
  return state !== "quarantined" && settled?.outcome !== "dismissed";
}

/** Hex root of the RFC 6962 tree whose leaves are these SHA-256 digests, each once, sorted. @param {string[]} digests */
export async function photosRoot(digests) {
  return hex(await rootOf(await Promise.all([...new Set(digests)].sort().map((digest) => leafHash(unhex(digest))))));
}

/** @param {Transaction} t @returns {Promise<string[]>} */
async function quarantined(t) {
  return (await t.all("mutation", under(1, "evidence"), "open")).filter((row) => row.state === "quarantined").map((row) => row.id);
}

/** @param {Transaction} t */
async function ours(t) {
  return { device_id: await t.setting("device_id"), epoch: await t.setting("epoch") };
}

/** @param {Fields} statement @param {{ device_id: string, epoch: string }} here */
function isOurs(statement, here) {
  return statement.device_id === here.device_id && statement.epoch === here.epoch;
}

/** @param {string} note @param {string} key */
async function read(note, key) {
  try {
    return await readStatement(note, key);
  } catch (failure) {
    if (failure instanceof NoteInvalid) throw new LogRefused(failure.message, { cause: failure });
    throw failure;
  }
}
