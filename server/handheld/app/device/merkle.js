// The Merkle tree of RFC 6962: hashes, roots and consistency proofs. Pure; serves `witness` and `delivery`.

import { sha256 } from "./values.js";

/** @typedef {Uint8Array<ArrayBuffer>} Hash */

const HASH_BYTES = 32;

/** SHA-256(0x00 || data), RFC 6962 section 2.1. @param {Hash} data */
export function leafHash(data) {
  return sha256(joined([0], data));
}

/** SHA-256(0x01 || left || right), RFC 6962 section 2.1. @param {Hash} left @param {Hash} right */
export function nodeHash(left, right) {
  return sha256(joined([1], left, right));
}

/** The tree head as RFC 6962 section 2.1 defines it. @param {Hash[]} leaves @returns {Promise<Hash>} */
export async function rootOf(leaves) {
  if (!leaves.length) return sha256(new Uint8Array());
  if (leaves.length === 1) return leaves[0];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1)); // the largest power of two below their number
  return nodeHash(await rootOf(leaves.slice(0, split)), await rootOf(leaves.slice(split)));
}

/**
 * RFC 9162 section 2.1.4.2: is the tree of `old` leaves a prefix of the tree of `now` leaves? Size 0, of which the RFC
 * says nothing, is refused; equal sizes need equal roots and an empty path.
 * @param {number} old
 * @param {number} now
 * @param {Hash} oldRoot
 * @param {Hash} nowRoot
 * @param {Hash[]} path
 */
export async function verifyConsistency(old, now, oldRoot, nowRoot, path) {
  if (!(old > 0 && old <= now)) return false;
  if (old === now) return !path.length && same(oldRoot, nowRoot);
  if (![oldRoot, nowRoot, ...path].every((each) => each.length === HASH_BYTES)) return false;
  let at = BigInt(old) - 1n, last = BigInt(now) - 1n;
  const hashes = (at & (at + 1n)) === 0n ? [oldRoot, ...path] : path; // a power of two: the proof begins with its root
  if (!hashes.length) return false;
  while (at & 1n) [at, last] = [at >> 1n, last >> 1n];
  let fromOld = hashes[0], fromNow = hashes[0];
  for (const sibling of hashes.slice(1)) {
    if (last === 0n) return false;
    if (at & 1n || at === last) {
      [fromOld, fromNow] = [await nodeHash(sibling, fromOld), await nodeHash(sibling, fromNow)];
      while (at && !(at & 1n)) [at, last] = [at >> 1n, last >> 1n]; // past levels without a sibling at the right edge
    } else {
      fromNow = await nodeHash(fromNow, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n && same(fromOld, oldRoot) && same(fromNow, nowRoot);
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @param {(Uint8Array | number[])[]} parts @returns {Hash} */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
