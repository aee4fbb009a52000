// The first synchronisation from a prepared file: asked for, downloaded, resumed after a cut, verified.
//
// Serves `exchange`, to which a snapshot is a large first page. What it brings is applied only when its bytes have the
// digest that the server told; where the server has no snapshot, or this browser cannot inflate, a plain pull brings the
// same.

import { Problem, Unreachable } from "./client.js";
import { under } from "./store.js";
import { hex, sha256 } from "./values.js";

/** @import { Fields } from "./types.js" */
/** @import { Client } from "./client.js" */
/** @import { Store } from "./store.js" */

const OFFERS_AT_MOST = 3;
const PART_BYTES = 1 << 18;
const TIMEOUT_MS = 300_000;
/** An older server has no such call; a busy one is still making the file. */
const NO_SNAPSHOT = [404, 405, 503];

/** Fetches the newest snapshot of the device's scopes into the store, part by part. */
export class Snapshots {
  /** @param {Store} store @param {Client} client */
  constructor(store, client) {
    this.store = store;
    this.client = client;
  }

  /**
   * The page that the snapshot is, with `more` to come after it; null where a plain pull must do. Throws Unreachable and
   * Problem; what was downloaded stays and the next try goes on with it.
   * @returns {Promise<Fields | null>}
   */
  async load() {
    if (typeof DecompressionStream === "undefined") return null;
    /** @type {string | undefined} */
    let damaged;
    for (let offers = 0; offers < OFFERS_AT_MOST; offers += 1) {
      const offer = await this.#ask(damaged);
      if (!offer) return null;
      await this.remove(offer.sha256);
      try {
        await this.#download(offer);
      } catch (failure) {
        if (!(failure instanceof Problem) || failure.status !== 404) throw failure;
        continue; // made anew since, or for other scopes
      }
      const content = await this.#content(offer.sha256);
      if (hex(await sha256(await content.arrayBuffer())) === offer.sha256) {
        return { ...offer, changes: await changes(content, offer.changes), more: true, media_wanted: [] };
      }
      await this.remove();
      damaged = offer.sha256;
    }
    return null;
  }

  /** Remove what was downloaded, once it is applied or outdated. @param {string} [but] */
  async remove(but) {
    const keys = await this.store.read((t) => t.raw.objectStore("snapshot").getAllKeys());
    const gone = keys.filter((/** @type {[string, number]} */ [digest]) => digest !== but);
    if (gone.length) await this.store.write((t) => gone.forEach((/** @type {any} */ key) => t.delete("snapshot", key)));
  }

  /** @param {string | undefined} damaged @returns {Promise<Fields | null>} */
  async #ask(damaged) {
    try {
      return await this.client.post("/sync/snapshot", damaged ? { damaged } : {});
    } catch (failure) {
      if (failure instanceof Problem && NO_SNAPSHOT.includes(failure.status)) return null;
      throw failure;
    }
  }

  /** Add what is missing; gives up after as many failures without a byte as patience has tries. @param {Fields} offer */
  async #download(offer) {
    const { patience } = this.client;
    let failures = 0;
    for (;;) {
      const have = (await this.#content(offer.sha256)).size;
      if (have >= offer.bytes) return;
      try {
        await this.#append(offer, have);
      } catch (failure) {
        if (!(failure instanceof Problem) && !(failure instanceof Unreachable)) throw failure;
        failures = (await this.#content(offer.sha256)).size > have ? 0 : failures + 1;
        const delayMs = patience.delayMs(failures + 1, failure);
        if (delayMs === null || failures >= patience.tries) throw failure;
        await patience.wait(delayMs);
      }
    }
  }

  /** One GET from byte `have` on; a server that gives all from the start is taken at its word.
   * @param {Fields} offer @param {number} have */
  async #append(offer, have) {
    const headers = { Accept: "application/gzip",
      ...(have ? { Range: `bytes=${have}-`, "If-Range": `"${offer.sha256}"` } : {}) };
    const { status, parts } = await this.client.stream(`/${offer.url}`, { headers, timeoutMs: TIMEOUT_MS });
    let from = have;
    if (status !== 206) {
      from = 0;
      await this.remove();
    }
    /** @type {Uint8Array<ArrayBuffer>[]} */
    let held = [];
    let size = 0;
    const keep = async () => {
      if (size) await this.store.write((t) => t.put("snapshot", { sha256: offer.sha256, from, content: new Blob(held) }));
      [from, held, size] = [from + size, [], 0];
    };
    try {
      for await (const part of parts) {
        held.push(part);
        size += part.length;
        if (size >= PART_BYTES) await keep();
        if (from + size > offer.bytes) break; // not the file that was offered: its digest will tell
      }
    } finally {
      await keep();
    }
    if (from < offer.bytes) throw new Unreachable("the snapshot ended early");
  }

  /** What is here of a file. @param {string} digest @returns {Promise<Blob>} */
  async #content(digest) {
    const parts = await this.store.read((t) => t.all("snapshot", under(digest)));
    return new Blob(parts.map((part) => part.content));
  }
}

/** The changes of a verified file: as many lines as the server told, behind the head. @param {Blob} content @param {number} count */
async function changes(content, count) {
  const text = await new Response(content.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  return text.split("\n").slice(1, count + 1).map((line) => JSON.parse(line));
}
