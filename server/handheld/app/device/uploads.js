// Bringing photos: tus 1.0.0 with checksums, resumed after any cut (protocol section 6). Serves `device`.
//
// What the server has is asked, never assumed: after a cut the next byte is the one that HEAD names, so at most one
// chunk travels twice. tus-js-client walks the chunks; every request of it goes through our own client.

import "../vendor/tus/tus.min.js";
import { Problem, Unreachable } from "./client.js";
import { isFull } from "./store.js";
import { ClientStack, GONE, isGone, pathOf, TUS, WholeAlready } from "./tus.js";

/** @typedef {import("./files.js").File} File */
/** @typedef {{ sha256: string, sent: number, bytes: number }} Progress */

export const CHUNK_BYTES = 1 << 20;
export const SLOW_CHUNK_BYTES = 1 << 18;
/** A chunk that took longer than this shows a slow line: the next ones are small, so that a cut costs less. */
const SLOW_MS = 8000;
/** After so many refusals for its digest a photo stays here, marked damaged. */
const MISMATCHES_AT_MOST = 3;
/** What this server refuses a photo with for what it is. The same status without such a code is somebody else's: it passes. */
const REFUSED = ["too_large", "media_type_refused", "too_many_pixels"];
/** Refusals that concern the device or the server, not this one photo; 403 is one where the server itself says why. */
const STOPS = [401, 429, 507];
/** So many failures one after the other are no longer the photos' own. */
const FAILURES_AT_MOST = 3;

/** Nobody answered when asked for a photo: there is no network. */
class NobodyThere extends Unreachable {}

/** Uploads the files that wait, the smallest first, those that failed the last time after all others. */
export class Uploads {
  /**
   * @param {import("./files.js").Files} files
   * @param {import("./client.js").Client} client
   */
  constructor(files, client) {
    this.files = files;
    this.client = client;
  }

  /**
   * Bring every waiting file; gives how many the server has now that it had not (all of) before.
   *
   * A file that the server refuses for what it is stays here with the reason, one that cannot be read goes on waiting. `goesOn` is asked before each file and
   * each chunk: false ends it between two of them. Throws Problem and Unreachable when some must wait: at once where it concerns
   * all of them, else after the others were brought.
   * @param {{ onProgress?: (at: Progress) => void, goesOn?: () => boolean, chunkBytes?: number }} [options]
   * @returns {Promise<number>}
   */
  async upload({ onProgress = () => {}, goesOn = () => true, chunkBytes = lineChunkBytes() } = {}) {
    let done = 0, failures = 0, failed;
    const waiting = await this.files.all("waiting"), last = (/** @type {File} */ file) => Number(file.problem !== null);
    for (const file of waiting.sort((one, other) => last(one) - last(other) || one.bytes - other.bytes)) {
      if (!goesOn() || failures >= FAILURES_AT_MOST) break;
      try {
        if (await this.#deliver(file, chunkBytes, onProgress, goesOn)) {
          await this.files.note(file.sha256, { state: "stored", offset: file.bytes, problem: null });
          done += 1;
        }
        failures = 0;
      } catch (failure) {
        if (isFull(failure)) { // how far it came cannot be written down; it may be there all the same, and the others go
          failed = failure;
          continue;
        }
        if (failure instanceof DOMException) { // its bytes cannot be read just now, perhaps never: the others go
          await this.files.note(file.sha256, { problem: "unreadable" });
          continue;
        }
        if (this.#concernsAll(failure)) throw failure;
        const code = failure instanceof Problem ? failure.code : "unreachable", final = REFUSED.includes(code);
        await this.files.note(file.sha256, { state: final ? "refused" : "waiting", problem: code });
        if (final) continue;
        failures += 1;
        failed = failure;
      }
    }
    if (failed) throw failed;
    return done;
  }

  /**
   * Terminate a begun upload on the server; the photo goes on waiting here.
   * @param {string} sha256
   */
  async cancel(sha256) {
    const file = (await this.files.all("waiting")).find((one) => one.sha256 === sha256);
    if (file?.url) {
      try {
        await this.client.request("DELETE", file.url, { headers: TUS });
      } catch (failure) {
        if (!isGone(failure)) throw failure;
      }
      await this.files.note(sha256, { url: null, offset: 0 });
    }
  }

  /**
   * Send the file from where the server stands; gives up after as many failures in a row as patience has tries. False
   * when it was stopped, when the bytes are no longer those of the capture, or were too often damaged on their way.
   * @param {File} file @param {number} chunkBytes @param {(at: Progress) => void} onProgress @param {() => boolean} goesOn
   * @returns {Promise<boolean>}
   */
  async #deliver(file, chunkBytes, onProgress, goesOn) {
    if (await this.#isStored(file)) return true;
    const photo = await this.files.blob(file.sha256);
    if (!photo || !await this.files.sound(file.sha256)) {
      await this.files.note(file.sha256, { state: "damaged", problem: "digest_mismatch" });
      return false;
    }
    const { patience } = this.client;
    const way = { url: file.url, failures: 0, chunkBytes, onProgress, goesOn };
    let mismatches = file.mismatches ?? 0;
    for (;;) {
      try {
        return await this.#send(file, photo, way);
      } catch (failure) {
        if (!(failure instanceof Problem || failure instanceof Unreachable)) throw failure;
        way.failures += 1;
        if (failure instanceof Problem && failure.code === "digest_mismatch") {
          mismatches += 1;
          await this.files.note(file.sha256, { mismatches });
        }
        if (mismatches >= MISMATCHES_AT_MOST) {
          await this.files.note(file.sha256, { state: "damaged", problem: "digest_mismatch" });
          return false;
        }
        if (way.failures >= patience.tries || !mayResume(failure) || patience.isShortFor(failure)) throw failure;
        await patience.wait(patience.delayMs(way.failures, failure) ?? 0);
        if (await this.#isStored(file)) return true;
      }
    }
  }

  /**
   * One walk from the byte that the server wants to the last; ends at the first failure, with what was noted on the way.
   * @param {File} file @param {Blob} photo
   * @param {{ url: string | null, failures: number, chunkBytes: number, onProgress: (at: Progress) => void,
   *   goesOn: () => boolean }} way
   * @returns {Promise<boolean>} false when it was stopped
   */
  #send(file, photo, way) {
    /** @type {Promise<void>} */
    let noted = Promise.resolve();
    /** @param {Record<string, any>} columns */
    const note = (columns) => { noted = noted.then(() => this.files.note(file.sha256, columns)); };
    let since = Date.now();
    return new Promise((resolve, reject) => {
      const end = (/** @type {boolean} */ whole) => noted.then(() => resolve(whole), reject);
      const upload = new /** @type {any} */ (globalThis).tus.Upload(photo, {
        endpoint: this.client.url("/uploads"), uploadUrl: way.url && this.client.url(way.url), retryDelays: null,
        chunkSize: way.chunkBytes, metadata: { sha256: file.sha256, filetype: file.media_type },
        storeFingerprintForResuming: false, fingerprint: async () => null, httpStack: new ClientStack(this.client),
        onUploadUrlAvailable: () => {
          const url = pathOf(upload.url);
          if (url !== way.url) note({ url, offset: 0 });
          way.url = url;
        },
        onProgress: (/** @type {number} */ sent) => way.onProgress({ sha256: file.sha256, sent, bytes: file.bytes }),
        onChunkComplete: (/** @type {number} */ _size, /** @type {number} */ offset) => {
          way.failures = 0;
          note({ url: way.url, offset });
          if (Date.now() - since > SLOW_MS) upload.options.chunkSize = way.chunkBytes = Math.min(way.chunkBytes, SLOW_CHUNK_BYTES);
          since = Date.now();
          if (offset < file.bytes && !way.goesOn()) {
            upload.abort();
            end(false);
          }
        },
        onSuccess: () => end(true),
        onError: (/** @type {any} */ error) => {
          const cause = error.causingError ?? error;
          noted.then(() => cause instanceof WholeAlready ? resolve(true) : reject(asFailure(cause)), reject);
        },
      });
      upload.start();
    });
  }

  /**
   * Would it be the same with every photo? A server that asks to come later than patience waits has no room, or no store.
   * @param {unknown} failure
   */
  #concernsAll(failure) {
    if (!(failure instanceof Problem)) return !(failure instanceof Unreachable) || failure instanceof NobodyThere;
    return STOPS.includes(failure.status) || (failure.status === 403 && failure.code !== "http_403") || this.client.patience.isShortFor(failure);
  }

  /** @param {File} file @returns {Promise<boolean>} */
  async #isStored(file) {
    try {
      await this.client.request("HEAD", `/media/${file.sha256}`);
      return true;
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 404) return false;
      throw failure instanceof Unreachable ? new NobodyThere(failure.message, { cause: failure }) : failure;
    }
  }
}

/** The chunk size for the line as the browser knows it. */
function lineChunkBytes() {
  const line = /** @type {any} */ (globalThis.navigator)?.connection;
  return line?.saveData || ["slow-2g", "2g", "3g"].includes(line?.effectiveType) ? SLOW_CHUNK_BYTES : CHUNK_BYTES;
}

/**
 * A cut, an expired upload, a lock, another offset, a damaged chunk: ask where the server stands and go on.
 * @param {Problem | Unreachable} failure
 */
function mayResume(failure) {
  return failure instanceof Unreachable || failure.action === "retry" || [...GONE, 409, 423, 460].includes(failure.status);
}

/**
 * What tus-js-client itself finds wrong in an answer is no answer of this protocol.
 * @param {any} cause
 */
function asFailure(cause) {
  const known = cause instanceof Problem || cause instanceof Unreachable || !String(cause?.message).startsWith("tus:");
  return known ? cause : new Unreachable(cause.message);
}
