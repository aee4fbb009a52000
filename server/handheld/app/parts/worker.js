// The service worker as a page sees it: registered once, asked for news now and then, told to take over when a person
// wants that.

/**
 * `offline`: the app opens without a network. `update`: a newer edition is ready. `failed`: the last attempt to keep an
 * edition whole did not end well; the one in use goes on.
 * @typedef {{ supported: boolean, offline: boolean, update: boolean, failed: boolean }} Standing
 */

const SCOPE = "/handheld/";
const SCRIPT = `${SCOPE}worker.js`;
/** For browsers whose workers take no modules: the same without deliveries in the background, which those lack, too. */
const CLASSIC = `${SCOPE}worker-classic.js`;
const ASK_AGAIN_MS = 3_600_000;

/** The edition that this page runs. */
export const VERSION = new URL(import.meta.url).pathname.split("/")[2];

const container = typeof navigator === "undefined" ? undefined : navigator.serviceWorker;
/** @type {Standing} */
let standing = { supported: Boolean(container), offline: false, update: false, failed: false };
/** @type {Set<(standing: Standing) => void>} */
const listeners = new Set();
/** @type {ServiceWorkerRegistration | undefined} */
let registration;
let asked = false, begun = false, lastAsked = -Infinity;

/** How it stands now. */
export function workerStanding() {
  return standing;
}

/** Calls back when that changes; gives the way to stop. @param {(standing: Standing) => void} listener */
export function onWorker(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Calls back when the browser found a network for what waits; gives the way to stop. @param {() => void} listener */
export function onSyncAsked(listener) {
  const hear = (/** @type {MessageEvent} */ { data }) => data?.kind === "sync" && listener();
  container?.addEventListener("message", hear);
  return () => container?.removeEventListener("message", hear);
}

/** Register the worker and watch for newer editions. */
export async function startWorker() {
  if (!container || begun) return;
  begun = true;
  holdEdition();
  let controlled = Boolean(container.controller);
  container.addEventListener("controllerchange", () => {
    if (asked) location.reload();
    else if (controlled) tell({ update: true }); // another window took the newer edition; this one goes on with its own
    controlled = true;
  });
  container.ready.then(() => tell({ offline: true }));
  try {
    registration = await registered();
  } catch (failure) {
    console.warn(failure); // the page works all the same while there is a network
    tell({ failed: true });
    return;
  }
  watch(registration);
  document.addEventListener("visibilitychange", look);
  setInterval(look, ASK_AGAIN_MS);
}

/** Let the newer edition take over, and show it: offered where nothing stands unsaved. */
export function applyUpdate() {
  asked = true;
  if (registration?.waiting) registration.waiting.postMessage({ kind: "take over" });
  else location.reload();
}

/** @returns {Promise<ServiceWorkerRegistration>} */
async function registered() {
  // the worker itself is asked for at the server each time; what it imports names its edition and may come from the cache
  const given = /** @type {RegistrationOptions} */ ({ scope: SCOPE, updateViaCache: "imports" });
  const { serviceWorker } = navigator;
  try {
    return await serviceWorker.register(SCRIPT, { ...given, type: "module" });
  } catch (failure) {
    console.warn(failure); // a browser without module workers, or a line that broke: who has the one keeps to it
    if (!(await fetch(SCRIPT)).ok) throw failure;
    return serviceWorker.register(CLASSIC, given);
  }
}

/** @param {ServiceWorkerRegistration} its */
function watch(its) {
  const offer = () => its.waiting && its.active && tell({ update: true, failed: false });
  offer();
  its.active?.postMessage({ kind: "clean" });
  its.addEventListener("updatefound", () => {
    const coming = its.installing;
    coming?.addEventListener("statechange", () => {
      if (coming.state === "installed") offer();
      if (coming.state === "redundant" && its.waiting !== coming && !asked) tell({ failed: !its.waiting });
    });
  });
}

/** Ask for a newer edition, at most once an hour. */
function look() {
  if (document.visibilityState !== "visible" || performance.now() - lastAsked < ASK_AGAIN_MS) return; // the clock may be put back
  lastAsked = performance.now();
  registration?.update().catch((failure) => console.info(failure)); // without a network there is no news
}

/** As long as this page is open its edition is not removed: it may still ask for a screen of it. */
function holdEdition() {
  navigator.locks?.request(`menqian-edition-${VERSION}`, { mode: "shared" }, () => new Promise(() => undefined))
    .catch((failure) => console.info(failure)); // the page is closing
}

/** @param {Partial<Standing>} news */
function tell(news) {
  standing = { ...standing, ...news };
  for (const listener of [...listeners]) listener(standing);
}
