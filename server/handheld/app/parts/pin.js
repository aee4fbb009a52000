// The PIN that keeps passers-by out. It is kept as a salted PBKDF2 hash on this device and goes nowhere. It encrypts
// nothing: whoever takes the phone apart is kept out by the phone's own lock.

const ROUNDS = 310_000; // OWASP's figure for PBKDF2-HMAC-SHA-256 would take a mid-range phone two seconds at 600,000
const FREE_TRIES = 3, FIRST_WAIT_S = 15, LONGEST_WAIT_S = 900;

/** @typedef {{salt: string, rounds: number, hash: string}} Pin */
/** @typedef {{wrong: number, until: number}} Tries */

/** @type {Tries} */
export const NO_TRIES = { wrong: 0, until: 0 };

/** @param {string} digits @returns {Promise<Pin>} */
export async function sealed(digits) {
  const salt = hex(crypto.getRandomValues(new Uint8Array(16)));
  return { salt, rounds: ROUNDS, hash: await derived(digits, salt, ROUNDS) };
}

/** @param {string} digits @param {Pin} pin */
export async function opens(digits, pin) {
  return await derived(digits, pin.salt, pin.rounds) === pin.hash;
}

/**
 * After a wrong try: three are free, then each waits twice as long as the one before, up to a quarter of an hour.
 * @param {Tries} tries
 * @param {number} now
 * @returns {Tries}
 */
export function afterWrong(tries, now) {
  const wrong = tries.wrong + 1;
  const wait_s = wrong < FREE_TRIES ? 0 : Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (wrong - FREE_TRIES));
  return { wrong, until: now + wait_s * 1000 };
}

/**
 * No wait is longer than the longest: one that was set by a clock that ran fast is told anew by the one that is right.
 * @param {Tries} tries
 * @param {number} now
 */
export function bounded(tries, now) {
  const until = now + LONGEST_WAIT_S * 1000;
  return tries.until > until ? { ...tries, until } : tries;
}

/** @param {string} digits @param {string} salt @param {number} rounds */
async function derived(digits, salt, rounds) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(digits), "PBKDF2", false, ["deriveBits"]);
  const bytes = Uint8Array.from(salt.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const bits = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: bytes, iterations: rounds }, key, 256);
  return hex(new Uint8Array(bits));
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
