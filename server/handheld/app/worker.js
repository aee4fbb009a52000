// The service worker: one edition of the app, kept whole, so that it opens without a network from the second start on.
//
// EDITION stands in front, put there by the server: the version, and each file with the beginning of its digest. A page and its scripts
// name their version in their addresses and are answered out of that version's cache alone, so that no page ever runs
// half of one and half of another. Only files that are the same for everybody are kept: a call of the API never comes
// here, and nobody's records do.

import { deliver } from "./delivering.js";

const worker = /** @type {any} */ (self);
const edition = /** @type {{ version: string, files: Record<string, string>, shell: string }} */ (worker.EDITION);
const SCOPE = "/handheld/";
const CACHES = "menqian-handheld-";
const LOCKS = "menqian-edition-";
const OWN = CACHES + edition.version;
const VERSIONED = /^\/handheld\/([0-9a-f]{16})\/./;
const AT_ONCE = 6;

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(fill()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(begin()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const answer = answerTo(event.request);
  if (answer) event.respondWith(answer);
});
worker.addEventListener("message", (/** @type {any} */ event) => {
  // the new edition begins only when a person asked for it: never under somebody's hands
  if (event.data?.kind === "take over") event.waitUntil(worker.skipWaiting());
  if (event.data?.kind === "clean") event.waitUntil(tidy());
});
worker.addEventListener("sync", (/** @type {any} */ event) => {
  if (event.tag === "menqian" && deliver) event.waitUntil(deliver(worker, reference));
});

/** What is answered from here, null for everything else. @param {Request} request @returns {Promise<Response> | null} */
function answerTo(request) {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== worker.location.origin) return null;
  if (pathname === SCOPE) return request.mode === "navigate" ? kept(OWN, SCOPE, request) : null;
  const version = VERSIONED.exec(pathname)?.[1];
  return version ? kept(CACHES + version, pathname, request) : null;
}

/** @param {string} cacheName @param {string} path @param {Request} request @returns {Promise<Response>} */
async function kept(cacheName, path, request) {
  return await caches.match(path, { cacheName }) ?? fetch(request);
}

/** Fetch the whole edition and hold each file against its digest; begins where an earlier attempt ended. Throws when
 *  anything is missing or another: then this worker never begins, and the one before goes on. With `there` those that
 *  are there are not looked at again. @param {{ there?: boolean }} [options] */
async function fill({ there = false } = {}) {
  const cache = await caches.open(OWN), has = there ? (await cache.keys()).map(({ url }) => new URL(url).pathname) : [];
  const earlier = (await caches.keys()).filter((name) => name.startsWith(CACHES)).map((name) => name.slice(CACHES.length));
  const wanted = Object.entries(edition.files).map(([name, digest]) => ({ path: SCOPE + edition.version + "/" + name, digest,
    known: earlier.map((version) => [CACHES + version, SCOPE + version + "/" + name]) }));
  wanted.push({ path: SCOPE, digest: edition.shell, known: [[OWN, SCOPE]] });
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let one = wanted.pop(); one; one = wanted.pop()) if (!has.includes(one.path)) await cache.put(one.path, await sound(one));
  }));
}

/** A file with the digest that it must have: from a cache here, so that an update costs only what changed, or fetched.
 * @param {{ path: string, digest: string, known: string[][] }} one @returns {Promise<Response>} */
async function sound({ path, digest, known }) {
  for (const [cacheName, where] of known) {
    const found = await checked(await caches.match(where, { cacheName }), digest);
    if (found) return found;
  }
  for (const cache of /** @type {RequestCache[]} */ (["default", "reload"])) { // what lies on the way may be damaged
    const found = await checked(await fetch(path, { cache, credentials: "omit" }), digest);
    if (found) return found;
  }
  throw new Error(`${path} is not the file of this edition`);
}

/** The answer with its body, if that has the digest. @param {Response | undefined} answer @param {string} digest */
async function checked(answer, digest) {
  if (!answer?.ok) return null;
  const body = await answer.arrayBuffer();
  const found = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", body)),
    (byte) => byte.toString(16).padStart(2, "0")).join("");
  return found.startsWith(digest) ? new Response(body, { headers: answer.headers }) : null;
}

async function begin() {
  await worker.clients.claim();
  await tidy();
}

/** Put back what this edition's cache lost, as to another worker that cleaned while it was filled; then clean. */
async function tidy() {
  try {
    await fill({ there: true });
    await clean();
  } catch (failure) {
    console.warn(failure); // without a network the next start does it; until then a file of another edition may be of use
  }
}

/** Remove editions that no open page runs and no other worker has prepared. */
async function clean() {
  const names = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== OWN);
  const inUse = await usedVersions();
  for (const name of names) {
    if (worker.registration.installing || worker.registration.waiting) return; // it may have begun just now
    if (inUse && !inUse.has(name.slice(CACHES.length))) await caches.delete(name);
  }
}

/** The versions of the open pages, each of which holds a lock by its name; null where a browser cannot tell. */
async function usedVersions() {
  const locks = worker.navigator.locks;
  if (!locks) return (await worker.clients.matchAll({ type: "window", includeUncontrolled: true })).length ? null : new Set();
  const { held, pending } = await locks.query();
  return new Set([...held, ...pending].map(({ name }) => name)
    .filter((/** @type {string} */ name) => name.startsWith(LOCKS)).map((/** @type {string} */ name) => name.slice(LOCKS.length)));
}

/** `reference.json` of this edition. */
async function reference() {
  const path = `${SCOPE}${edition.version}/reference.json`;
  return (await kept(OWN, path, new Request(path))).json();
}
