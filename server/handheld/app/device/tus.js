// tus-js-client's way to the network: fetch, by the device's own client, with the digest of each chunk. Serves `uploads`.

import { Problem } from "./client.js";
import { base64, sha256 } from "./values.js";

export const TUS = { "Tus-Resumable": "1.0.0" };
export const GONE = [404, 410];

/** Another device has just brought the same photo: the server wants none of its bytes. */
export class WholeAlready extends Error {}

/** What tus-js-client calls an HttpStack. */
export class ClientStack {
  /** @param {import("./client.js").Client} client */
  constructor(client) {
    this.client = client;
  }

  /** @param {string} method @param {string} url */
  createRequest(method, url) {
    return new ClientRequest(this.client, method, url);
  }

  getName() {
    return "ClientStack";
  }
}

class ClientRequest {
  /** @param {import("./client.js").Client} client @param {string} method @param {string} url */
  constructor(client, method, url) {
    this.client = client;
    this.method = method;
    this.url = url;
    /** @type {Record<string, string>} */
    this.headers = {};
  }

  getMethod() { return this.method; }
  getURL() { return this.url; }
  getUnderlyingObject() { return this; }
  setProgressHandler() {} // fetch tells nothing before the answer; the chunks tell how far it has come
  /** @param {string} name */
  getHeader(name) { return this.headers[name]; }
  /** @param {string} name @param {string} value */
  setHeader(name, value) { this.headers[name] = value; }
  async abort() {} // asked for between two requests only

  /**
   * One request, never repeated blindly. Throws what the client throws, but for an upload that is gone: tus begins anew.
   * @param {Blob | null} [body]
   */
  async send(body = null) {
    const content = body ? new Uint8Array(await body.arrayBuffer()) : undefined;
    if (content) this.headers["Upload-Checksum"] = `sha256 ${base64(await sha256(content))}`;
    try {
      const answer = await this.client.request(this.method, pathOf(this.url), { headers: this.headers, content, tries: 1 });
      if (this.method === "POST" && answer.headers.get("Upload-Offset") === this.headers["Upload-Length"]) {
        throw new WholeAlready();
      }
      return new ClientAnswer(answer.status, answer.headers);
    } catch (failure) {
      if (this.method === "HEAD" && isGone(failure)) return new ClientAnswer(failure.status, new Headers());
      throw failure;
    }
  }
}

class ClientAnswer {
  /** @param {number} status @param {Headers} headers */
  constructor(status, headers) {
    this.status = status;
    this.headers = headers;
  }

  getStatus() { return this.status; }
  getBody() { return ""; }
  getUnderlyingObject() { return this; }
  /** @param {string} name */
  getHeader(name) { return this.headers.get(name) ?? undefined; }
}

/** @param {unknown} failure @returns {failure is Problem} */
export function isGone(failure) {
  return failure instanceof Problem && GONE.includes(failure.status);
}

/**
 * The upload's path at the server's root; whatever host a proxy wrote, the token goes only to our own.
 * @param {string} url
 */
export function pathOf(url) {
  return `/${new URL(url).pathname}`;
}
