// Who this device is to the server: id, token, the person, and the key that signs. Serves every part that speaks.
//
// The private key is made non-extractable: no script can read it out, not even this one; the database keeps a handle.

import { base64url, utf8 } from "./values.js";

/** @import { Fields } from "./types.js" */
/** @import { Client } from "./client.js" */
/** @import { Store, Transaction } from "./store.js" */

export const PLATFORM = "web";
export const APP_VERSION = "1.0.0";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };

/** A fresh P-256 pair whose private half stays in this browser. @returns {Promise<CryptoKeyPair>} */
export function newKey() {
  return crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
}

/** The JWK of a public key, with its four members alone. @param {CryptoKey} key */
export async function jwkOf(key) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key);
  return { kty, crv, x, y };
}

/** What tells a key from others: its JWK thumbprint (RFC 7638). @param {CryptoKey} key */
export async function fingerprintOf(key) {
  const { kty, crv, x, y } = await jwkOf(key);
  const text = JSON.stringify({ crv, kty, x, y }); // in this order, without blanks
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** The signature over these bytes: raw r||s in base64url. @param {CryptoKey} key @param {Uint8Array<ArrayBuffer>} content */
export async function sign(key, content) {
  return base64url(new Uint8Array(await crypto.subtle.sign(SIGNATURE, key, content)));
}

/** Turn an invitation into an enrolment (`POST /devices`). A code works once, but whoever signs with the same key is given
 * again what it gave. Of `user_id` it must be, if there is one.
 * @param {Client} client @param {string} code @param {string} name @param {CryptoKeyPair} keys @param {string} [user_id]
 * @returns {Promise<Fields>} */
export async function enrol(client, code, name, { publicKey, privateKey }, user_id) {
  const asked = utf8(JSON.stringify({ code, name, platform: PLATFORM, app_version: APP_VERSION, public_key: await jwkOf(publicKey), user_id }));
  return client.postBytes("/devices", asked, { "Content-Type": "application/json", "Menqian-Signature": await sign(privateKey, asked) });
}

/** What an enrolment gave, as the store keeps it. */
export class Identity {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /** The signature over these bytes, null from a device without a key. @param {Uint8Array<ArrayBuffer>} content */
  async sign(content) {
    const key = await this.store.get("key");
    return key ? sign(key, content) : null;
  }

  /** Keep an enrolment. @param {Transaction} t @param {Fields} enrolment @param {CryptoKey} key */
  take(t, enrolment, key) {
    for (const name of ["device_id", "token", "user", "scopes"]) t.set(name, enrolment[name]);
    t.set("key", key);
    t.set("state", "enrolled");
  }
}
