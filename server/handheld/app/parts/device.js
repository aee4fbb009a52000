// The device for screens: what is asked of it is asked again after every change, here or in another tab.

import { createContext, useCallback, useContext, useEffect, useState } from "./html.js";

const PASSES_MS = 30_000;

/** @typedef {import("../device/types.d.ts").Device} Device */
/** @typedef {import("../device/types.d.ts").Shown} Shown */

export const DeviceContext = createContext(/** @type {Device} */ (/** @type {unknown} */ (null)));

/** @returns {Device} */
export function useDevice() {
  return useContext(DeviceContext);
}

/**
 * The answer to a question, asked again after each change; undefined until the first. While one answer is on its way,
 * any number of changes make one more question. What the first throws is thrown at the screen, which tells it in words; after
 * an answer that one stays, until the next change brings a newer.
 * @template T
 * @param {(device: Device) => Promise<T>} ask
 * @param {any[]} about what the question depends on
 * @returns {T | undefined}
 */
export function useAsked(ask, about) {
  const device = useDevice();
  const [answer, setAnswer] = useState(/** @type {{of: string, is?: T, failure?: unknown} | null} */ (null));
  const of = JSON.stringify(about);
  useEffect(() => {
    let over = false, asking = false, again = false;
    async function look() {
      again = true;
      if (asking) return;
      asking = true;
      while (again && !over) {
        again = false;
        const found = await ask(device).then((is) => ({ of, is }), (failure) => ({ of, failure }));
        if ("failure" in found) console.warn(found.failure);
        if (!over) setAnswer((before) => ("failure" in found && before?.of === of && "is" in before ? before : found));
      }
      asking = false;
    }
    look();
    const stop = device.onChange(/** @param {boolean} [data] */ (data) => {
      if (data !== false) look(); // else only what is being done with the network changed
    });
    return () => {
      over = true;
      stop();
    };
  }, [device, of]);
  if (answer && "failure" in answer) throw answer.failure;
  return answer?.of === of ? answer.is : undefined;
}

/** All records of a type as this person sees them. @param {string} type */
export function useRecords(type) {
  return useAsked((device) => device.records(type), ["records", type]);
}

/** One record, null when there is none. @param {string} type @param {string} id */
export function useRecord(type, id) {
  return useAsked((device) => device.get(type, id), ["record", type, id]);
}

/** The evidence about a record, oldest first; undefined while loading. @param {string} id */
export function useEvidence(id) {
  return useAsked(async (device) => (await device.records("evidence")).filter(({ fields }) => fields.about?.id === id)
    .sort((a, b) => a.fields.captured_at < b.fields.captured_at ? -1 : 1), ["evidence about", id]);
}

/** Every mutation that is not done. @param {{all?: boolean, record_id?: string}} [options] */
export function useOutbox(options) {
  return useAsked((device) => device.outbox(options), ["outbox", options ?? null]);
}

/** @param {string} [state] */
export function usePhotos(state) {
  return useAsked((device) => device.photos(state), ["photos", state ?? null]);
}

export function useHealth() {
  return useAsked((device) => device.health(), ["health"]);
}

export function useDrafts() {
  return useAsked((device) => device.drafts(), ["drafts"]);
}

/** What the device is doing with the network; drawn again as it changes, as the network comes and goes, and as time passes. */
export function useSyncing() {
  const device = useDevice();
  const [, drawAgain] = useState(0);
  useEffect(() => {
    const again = () => drawAgain((times) => times + 1);
    const stop = device.onChange(again), timer = setInterval(again, PASSES_MS);
    ["online", "offline"].forEach((event) => addEventListener(event, again));
    document.addEventListener("visibilitychange", again); // timers may have stood still
    return () => {
      stop();
      clearInterval(timer);
      ["online", "offline"].forEach((event) => removeEventListener(event, again));
      document.removeEventListener("visibilitychange", again);
    };
  }, [device]);
  return device.syncing;
}

/**
 * Something small that this device keeps, and the way to change it; undefined while loading.
 * @template T
 * @param {string} name
 * @param {T} otherwise
 * @returns {[T | undefined, (value: T) => Promise<void>]}
 */
export function useKept(name, otherwise) {
  const device = useDevice();
  const value = useAsked((asked) => asked.kept(name, otherwise), ["kept", name]);
  const put = useCallback((/** @type {T} */ next) => device.keep(name, next), [device, name]);
  return [/** @type {T | undefined} */ (value), put];
}

let last = /** @type {Promise<unknown>} */ (Promise.resolve());

/**
 * Change something that is kept by what is there then, one change after the other; the same again is not written.
 * @template T
 * @param {Device} device
 * @param {string} name
 * @param {T} otherwise
 * @param {(before: T) => T} change
 */
export function changeKept(device, name, otherwise, change) {
  const done = last.then(async () => {
    const before = await device.kept(name, otherwise), next = change(before);
    if (next !== before) await device.keep(name, next);
  });
  last = done.catch(() => {});
  return done;
}
