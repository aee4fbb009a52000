// On duty and off. Track points are taken only on duty and only while the app is open, and told so.

import { apart } from "../device/plane.js";
import { OWN_TURNS } from "../device/tabs.js";
import { useDevice, useKept } from "./device.js";
import { failureWords } from "./failures.js";
import { timed } from "./fix.js";
import { useEffect, useState } from "./html.js";

/** @typedef {{id: string, at: string, lon: number, lat: number, crs: "EPSG:4326", accuracy_m: number}} Point */
/** @typedef {{track: string, since: string, scope: string, last: Point | null, points: Point[]}} Duty */
/** @typedef {import("../device/types.d.ts").Device} Device */

const EVERY_MS = 30_000, STANDING_MS = 300_000, MOVED_M = 20, AT_ONCE = 4, POOREST_M = 200;

/** The duty that goes on, null when off duty, undefined while loading. @returns {Duty | null | undefined} */
export function useDuty() {
  const [duty] = useKept("duty", /** @type {Duty | null} */ (null));
  return duty;
}

/** @param {Device} device @param {string} scope */
export function goOnDuty(device, scope) {
  return inTurn(async () => {
    if (await device.kept("duty", null)) return; // by another tab
    const since = new Date().toISOString();
    await device.keep("duty", { track: device.newId(), since, scope, last: null, points: [] });
  });
}

/** What was walked is put into the outbox first. @param {Device} device */
export function goOffDuty(device) {
  return inTurn(async () => {
    await deliver(device);
    await device.keep("duty", null);
  });
}

/** What was walked since the last batch goes into the outbox now. @param {Device} device */
export function putPoints(device) {
  return inTurn(() => deliver(device));
}

/**
 * One after the other in all tabs: what is read of the duty still stands when it is written.
 * @param {() => Promise<void>} work
 * @returns {Promise<void>}
 */
function inTurn(work) {
  return /** @type {typeof OWN_TURNS} */ (globalThis.navigator?.locks ?? OWN_TURNS).request("menqian-duty-write", {}, work);
}

/** Watches the position while on duty, in one tab of all, whatever screen is shown. */
export function usePatrol() {
  const device = useDevice(), duty = useDuty();
  const track = duty?.track;
  useEffect(() => {
    tell("");
    if (!track) return undefined;
    const stopped = new AbortController();
    alone(stopped.signal, () => watch(device, track, stopped.signal)).catch((failure) => tell(failureWords(failure)));
    return () => stopped.abort();
  }, [device, track]);
}

let hindrance = "";
const listeners = /** @type {Set<(hindrance: string) => void>} */ (new Set());

/** @param {string} problem */
function tell(problem) {
  hindrance = problem;
  for (const listener of listeners) listener(problem);
}

/** What hinders the track: `denied`, `unavailable`, the words of a failure, or empty. @returns {string} */
export function usePatrolProblem() {
  const [problem, setProblem] = useState(hindrance);
  useEffect(() => {
    listeners.add(setProblem);
    return () => void listeners.delete(setProblem);
  }, []);
  return problem;
}

/** Runs `work` when no other tab does. @param {AbortSignal} signal @param {() => Promise<void>} work */
async function alone(signal, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request("menqian-duty", { signal }, work).catch((error) => {
    if (error.name !== "AbortError") throw error; // off duty before this tab's turn came
  });
}

/**
 * @param {Device} device
 * @param {string} track
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function watch(device, track, signal) {
  let known = /** @type {import("./fix.js").Timed | null} */ (null);
  const keep = (/** @type {GeolocationPosition} */ fix) => {
    tell("");
    known = timed(fix, Date.now(), known);
    add(device, track, fix, known.at).catch((failure) => tell(failureWords(failure)));
  };
  const failed = (/** @type {GeolocationPositionError} */ error) => tell(error.code === 1 ? "denied" : "unavailable");
  const number = navigator.geolocation.watchPosition(keep, failed, { enableHighAccuracy: true, maximumAge: 10_000 });
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      navigator.geolocation.clearWatch(number);
      resolve();
    });
  });
}

/** @param {Device} device @param {string} track @param {GeolocationPosition} fix @param {number} at ms */
export function add(device, track, fix, at) {
  return inTurn(() => addInTurn(device, track, fix.coords, at));
}

/** @param {Device} device @param {string} track @param {GeolocationCoordinates} coords @param {number} at ms */
async function addInTurn(device, track, coords, at) {
  const duty = /** @type {Duty | null} */ (await device.kept("duty", null));
  if (duty?.track !== track || coords.accuracy > POOREST_M) return;
  const point = /** @type {Point} */ ({
    id: device.newId(), at: new Date(at).toISOString(), lon: coords.longitude, lat: coords.latitude,
    crs: "EPSG:4326", accuracy_m: Math.round(coords.accuracy * 10) / 10,
  });
  if (duty.last && !worthwhile(duty.last, point)) return;
  await device.keep("duty", { ...duty, last: point, points: [...duty.points, point] });
  if (duty.points.length + 1 >= AT_ONCE || !duty.last) await deliver(device);
}

/** About every 30 s while walking, every 5 min while standing, and at once when the clock was put back. @param {Point} last @param {Point} point */
function worthwhile(last, point) {
  const passed = Date.parse(point.at) - Date.parse(last.at);
  return passed < 0 || passed >= STANDING_MS || (passed >= EVERY_MS && apart(last, point) >= MOVED_M);
}

/**
 * Put the points that wait into the outbox. Were the app killed between the two writes, they would be given twice:
 * points are known by their ids, so the server keeps each once.
 * @param {Device} device
 */
async function deliver(device) {
  const duty = /** @type {Duty | null} */ (await device.kept("duty", null));
  if (!duty?.points.length) return;
  if (await device.get("track", duty.track)) await device.edit("track", duty.track, { add: { points: duty.points } });
  else await device.create("track", { points: duty.points }, duty.scope, { id: duty.track });
  await device.keep("duty", { ...duty, points: [] });
}
