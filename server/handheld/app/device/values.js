// Times, ids, digests and texts as they cross the wire. Pure; serves every part of the device.

const encoder = new TextEncoder();

/** A time, ms since 1970, as RFC 3339 in UTC with milliseconds. @param {number} at */
export function stamp(at) {
  return new Date(at).toISOString();
}

/** The bytes of a text in UTF-8. @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function utf8(text) {
  return encoder.encode(text);
}

/** How many bytes a text has in UTF-8, where half a surrogate pair counts as the three that replace it. @param {string} text */
export function bytesOf(text) {
  return encoder.encode(text).length;
}

/** @param {Uint8Array} raw */
export function hex(raw) {
  return Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of hexadecimal digits; throws RangeError for anything else. @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function unhex(text) {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new RangeError("not hexadecimal");
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** Standard base64 (RFC 4648 section 4). @param {Uint8Array} raw */
export function base64(raw) {
  return btoa(Array.from(raw, (byte) => String.fromCharCode(byte)).join(""));
}

/** base64url without padding (RFC 4648 section 5). @param {Uint8Array} raw */
export function base64url(raw) {
  return base64(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {Uint8Array<ArrayBuffer> | ArrayBuffer} content @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function sha256(content) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content));
}

/** That many bytes that nobody can guess. @param {number} count @returns {Uint8Array<ArrayBuffer>} */
export function randomBytes(count) {
  return crypto.getRandomValues(new Uint8Array(count));
}

/**
 * A UUID of version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, the rest random but for version and variant.
 * @param {number} at
 * @param {(count: number) => Uint8Array} random
 */
export function uuid7(at, random) {
  const digits = hex(random(10));
  const time = Math.floor(at).toString(16).padStart(12, "0");
  const variant = (parseInt(digits.slice(4, 6), 16) & 0x3f | 0x80).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(1, 4)}-${variant}${digits.slice(6, 8)}-${digits.slice(8)}`;
}
