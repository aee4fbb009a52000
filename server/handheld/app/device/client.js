// Calls under /api/v1 with a bearer token: JSON out, JSON in, every failure an exception. Serves every part that speaks.

import { utf8 } from "./values.js";

/** @import { Fields } from "./types.js" */
/** An answer with its whole body. @typedef {{ status: number, headers: Headers, content: Uint8Array<ArrayBuffer>, path: string }} Answer */
/**
 * @typedef {{
 *   params?: Record<string, any>, json?: any, content?: Uint8Array<ArrayBuffer> | Blob, headers?: Record<string, string>,
 *   tries?: number, timeoutMs?: number, signal?: AbortSignal,
 * }} Sent
 */

const API = "/api/v1";
const TIMEOUT_MS = 60_000;
/** What the slowest line brings that is any use: 2 kB a second. */
const SLOWEST_BYTES_A_MS = 2;
/** Answers that say the same as none within that time. */
const TOO_LATE = [408, 504];

/** Statuses after which the same request may succeed a little later. */
export const PASSING = new Set([408, 423, 425, 429, 500, 502, 503, 504]);

/** No answer, or none that this protocol knows (a captive portal's page). Whether the request arrived is open. */
export class Unreachable extends Error {
  name = "Unreachable";
}

/** A refusal of RFC 9457 (protocol section 0). `body` is the whole document, `retry_after` is in seconds. */
export class Problem extends Error {
  name = "Problem";

  /** @param {string} code @param {number} status @param {string} action @param {string} [detail]
   * @param {number | null} [retryAfter] @param {Fields} [body] */
  constructor(code, status, action, detail = "", retryAfter = null, body = {}) {
    super(`${status} ${code}: ${detail}`);
    this.code = code;
    this.status = status;
    this.action = action;
    this.detail = detail;
    this.retry_after = retryAfter;
    this.body = body;
  }

  /** The problem of an answer; one that is not problem+json (a proxy's, a HEAD's) gets the code `http_STATUS`.
   * @param {Answer} answer */
  static of(answer) {
    const found = parsed(answer.content), body = found && typeof found === "object" && !Array.isArray(found) ? found : {};
    const after = answer.headers.get("Retry-After");
    return new Problem(String(body.code ?? `http_${answer.status}`), answer.status,
      String(body.action ?? (PASSING.has(answer.status) ? "retry" : "none")), String(body.detail ?? ""),
      after && /^\d+$/.test(after) ? Number(after) : null, body);
  }
}

/** Did it take too long? The same again would, too. @param {unknown} failure */
export function isTimeout(failure) {
  if (failure instanceof Problem) return TOO_LATE.includes(failure.status);
  return failure instanceof Unreachable && /** @type {any} */ (failure.cause)?.name === "TimeoutError";
}

/** How often a client tries and how long it waits in between, in ms. */
export class Patience {
  /** @param {{ tries?: number, firstMs?: number, longestMs?: number, wait?: (ms: number) => Promise<void> }} [options] */
  constructor({ tries = 4, firstMs = 500, longestMs = 30_000, wait = rest } = {}) {
    this.tries = tries;
    this.firstMs = firstMs;
    this.longestMs = longestMs;
    this.wait = wait;
  }

  /** Does the server ask to come again later than this waits? @param {unknown} failure */
  isShortFor(failure) {
    return failure instanceof Problem && (failure.retry_after ?? 0) * 1000 > this.longestMs;
  }

  /** How long to wait before the attempt after this one (the first is 1); null when waiting would not help.
   * @param {number} attempt @param {unknown} failure @returns {number | null} */
  delayMs(attempt, failure) {
    if (failure instanceof Problem) {
      if (!PASSING.has(failure.status) || this.isShortFor(failure)) return null;
      if (failure.retry_after !== null) return failure.retry_after * 1000;
    }
    return Math.min(this.longestMs, this.firstMs * 2 ** (attempt - 1));
  }
}

/** Holds a token. Paths stand under /api/v1, those that begin with `//` at the server's root. */
export class Client {
  /** @param {string} base @param {{ token?: string | null, fetch?: typeof globalThis.fetch, patience?: Patience }} [options] */
  constructor(base, { token = null, fetch = globalThis.fetch.bind(globalThis), patience = new Patience() } = {}) {
    this.base = base.replace(/\/+$/, "");
    this.token = token;
    this.fetch = fetch;
    this.patience = patience;
  }

  /** The parsed JSON (or the text of a text/plain answer) of a GET. @param {string} path @param {Sent} [sent] */
  async get(path, sent) {
    return read(await this.request("GET", path, sent));
  }

  /** The parsed answer to a POST of JSON. @param {string} path @param {any} [body] @param {Sent} [sent] */
  async post(path, body = {}, sent = {}) {
    return read(await this.request("POST", path, { ...sent, json: body }));
  }

  /** The parsed answer to a POST of exactly these bytes. @param {string} path @param {Uint8Array<ArrayBuffer>} content
   * @param {Record<string, string>} headers */
  async postBytes(path, content, headers) {
    return read(await this.request("POST", path, { content, headers }));
  }

  /**
   * One call, repeated as patience allows, but no bytes for which time was too short; `tries: 1` for what must not be sent
   * twice unasked. Throws Problem for every
   * answer from 300 on, Unreachable when none came.
   * @param {string} method
   * @param {string} path
   * @param {Sent} [sent]
   * @returns {Promise<Answer>}
   */
  async request(method, path, sent = {}) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#send(method, path, sent);
      } catch (failure) {
        if (!(failure instanceof Problem) && !(failure instanceof Unreachable)) throw failure;
        const delayMs = this.patience.delayMs(attempt, failure);
        if (delayMs === null || attempt >= (sent.tries ?? this.patience.tries) || (sent.content && isTimeout(failure))) throw failure;
        await this.patience.wait(delayMs);
      }
    }
  }

  /**
   * A GET whose body the caller reads as it comes, tried once; `answer.body` may break off, which `parts` tells as
   * Unreachable.
   * @param {string} path
   * @param {Sent} [sent]
   * @returns {Promise<{ status: number, parts: AsyncGenerator<Uint8Array<ArrayBuffer>> }>}
   */
  async stream(path, sent = {}) {
    const answer = await this.#fetch("GET", path, sent);
    if (!answer.ok) throw Problem.of(await whole(answer, path));
    return { status: answer.status, parts: parts(answer, path) };
  }

  /** The address of a path. @param {string} path @param {Record<string, any>} [params] */
  url(path, params = {}) {
    const given = Object.entries(params).filter(([, value]) => value !== null && value !== undefined);
    const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    const address = path.startsWith("//") ? this.base + path.slice(1) : this.base + API + path;
    return query ? `${address}?${query}` : address;
  }

  /** @param {string} method @param {string} path @param {Sent} sent */
  async #send(method, path, sent) {
    const answer = await whole(await this.#fetch(method, path, sent), path);
    if (answer.status >= 300) throw Problem.of(answer);
    return answer;
  }

  /** @param {string} method @param {string} path @param {Sent} sent @returns {Promise<Response>} */
  async #fetch(method, path, { params, json, content, headers, timeoutMs, signal }) {
    const named = { ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}),
      ...(json === undefined ? {} : { "Content-Type": "application/json" }), ...headers };
    const body = json === undefined ? content : utf8(JSON.stringify(json)), bytes = body instanceof Blob ? body.size : body?.length ?? 0;
    const ends = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS + Math.ceil(bytes / SLOWEST_BYTES_A_MS));
    try {
      // a cookie of the office's pages must not speak for the device, and a redirect (a portal's) is no answer
      const answer = await this.fetch(this.url(path, params), { method, headers: named, body, credentials: "omit",
        cache: "no-store", redirect: "manual", signal: signal ? either(signal, ends) : ends });
      if (answer.type === "opaqueredirect") throw new TypeError("it was sent elsewhere");
      return answer;
    } catch (failure) {
      throw unreachable(path, failure);
    }
  }
}

/** Ends with the first of both; phones of 2022 have no AbortSignal.any. @param {AbortSignal} one @param {AbortSignal} other */
function either(one, other) {
  const both = new AbortController();
  for (const each of [one, other]) {
    if (each.aborted) both.abort(each.reason);
    each.addEventListener("abort", () => both.abort(each.reason), { once: true });
  }
  return both.signal;
}

/** @param {Response} answer @param {string} path @returns {Promise<Answer>} */
async function whole(answer, path) {
  try {
    const content = new Uint8Array(await answer.arrayBuffer());
    return { status: answer.status, headers: answer.headers, content, path };
  } catch (failure) {
    throw unreachable(path, failure);
  }
}

/** @param {Response} answer @param {string} path @returns {AsyncGenerator<Uint8Array<ArrayBuffer>>} */
async function* parts(answer, path) {
  const reader = answer.body?.getReader();
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) yield part.value;
  } catch (failure) {
    throw unreachable(path, failure);
  } finally {
    await reader?.cancel().catch(() => undefined); // a line that broke has nothing to cancel
  }
}

/** What fetch throws: TypeError without a network, a DOMException when time is up. @param {string} path @param {unknown} failure */
function unreachable(path, failure) {
  const { name, message } = /** @type {Error} */ (failure);
  return new Unreachable(`${path}: ${name}: ${message}`, { cause: failure });
}

/** @param {Answer} answer @returns {any} */
function read(answer) {
  if (!answer.content.length) return null;
  const kind = (answer.headers.get("Content-Type") ?? "").split(";")[0];
  if (kind === "text/plain") return new TextDecoder().decode(answer.content);
  const found = parsed(answer.content);
  if (found === undefined) throw new Unreachable(`${answer.path} answered ${kind || "something"} instead of JSON`);
  return found;
}

/** The JSON of these bytes, undefined where they are none. @param {Uint8Array} content @returns {any} */
function parsed(content) {
  try {
    return JSON.parse(new TextDecoder().decode(content));
  } catch {
    return undefined; // the caller says what that means
  }
}

/** @param {number} ms @returns {Promise<void>} */
function rest(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
