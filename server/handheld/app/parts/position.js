// Where this phone is: one watch for as many screens as ask, and none while nobody does.

import { t } from "../words.js";
import { html, useEffect, useState } from "./html.js";
import { Note } from "./page.js";
import { useReference } from "./reference.js";

/** @typedef {import("../device/types.d.ts").Position} Position */
/** @typedef {"denied" | "unavailable" | "slow" | "unsupported" | "poor" | "old" | null} Problem */
/** @typedef {{position: Position | null, age_s: number | null, problem: Problem}} Whereabouts */

const OLD_S = 60, NEAR_MS = 120_000, ASKED_MS = 20_000, AGE_EVERY_MS = 5_000;
const FAILURES = /** @type {const} */ ({ 1: "denied", 2: "unavailable", 3: "slow" });

/** @type {{position: Position | null, failure: Problem}} */
let known = { position: null, failure: null };
/** @type {Set<() => void>} */
const listeners = new Set();
let watch = 0;

/** @param {() => void} listener gives the way to stop */
function follow(listener) {
  listeners.add(listener);
  if (listeners.size === 1) begin();
  return () => {
    listeners.delete(listener);
    if (!listeners.size && navigator.geolocation) navigator.geolocation.clearWatch(watch);
  };
}

function begin() {
  if (!navigator.geolocation) {
    tell({ position: null, failure: "unsupported" });
    return;
  }
  watch = navigator.geolocation.watchPosition(
    (fix) => tell({ position: positionOf(fix), failure: null }),
    (error) => tell({ position: known.position, failure: FAILURES[/** @type {1 | 2 | 3} */ (error.code)] ?? "unavailable" }),
    { enableHighAccuracy: true, maximumAge: 0, timeout: ASKED_MS });
}

/** @param {typeof known} now */
function tell(now) {
  known = now;
  listeners.forEach((listener) => listener());
}

/**
 * A fix as it is sent. Browsers give WGS 84 and do not say whether it was made up, so `mock` is not claimed.
 * @param {GeolocationPosition} fix
 * @returns {Position}
 */
function positionOf({ coords, timestamp }) {
  return { lon: coords.longitude, lat: coords.latitude, crs: "EPSG:4326", accuracy_m: Math.round(coords.accuracy * 10) / 10,
    provider: "browser", fixed_at: new Date(timestamp).toISOString() };
}

/** The last fix without asking for another; null before the first. */
export function lastPosition() {
  return known.position;
}

/** The fix, if it was had near that time: of another time it may be another place. @param {Position | null | undefined} position
 *  @param {number} [at] ms */
export function near(position, at = Date.now()) {
  return position?.fixed_at && Math.abs(at - Date.parse(position.fixed_at)) <= NEAR_MS ? position : null;
}

/** @param {Position | null | undefined} position @param {number} [at] ms */
export function ageOf(position, at = Date.now()) {
  return position?.fixed_at ? Math.max(0, Math.round((at - Date.parse(position.fixed_at)) / 1000)) : null;
}

/**
 * Follow the position as long as the screen is shown.
 * @returns {Whereabouts}
 */
export function usePosition() {
  const { attribution } = useReference();
  const [, drawAgain] = useState(0);
  useEffect(() => {
    const look = () => drawAgain((times) => times + 1);
    const stop = follow(look), timer = setInterval(look, AGE_EVERY_MS);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, []);
  const { position, failure } = known, age_s = ageOf(position);
  return { position, age_s, problem: failure ?? problemOf(position, age_s, attribution.ask_sticker_above_m) };
}

/** @param {Position | null} position @param {number | null} age_s @param {number} worst metres @returns {Problem} */
export function problemOf(position, age_s, worst) {
  if (!position) return null;
  if ((position.accuracy_m ?? Infinity) > worst) return "poor";
  return age_s !== null && age_s > OLD_S ? "old" : null;
}

const WORDS = {
  denied: () => t("定位被拒绝。请在浏览器的网站设置里允许位置,或填写地址、扫贴花。",
    "Location is not allowed. Allow it in the browser's site settings, or give an address or scan the sticker."),
  unavailable: () => t("现在定不了位。请到开阔处,或填写地址、扫贴花。",
    "No position can be had here. Step into the open, or give an address or scan the sticker."),
  slow: () => t("定位还没有结果,继续等待中;可先填写地址或扫贴花。",
    "The position takes long; it is still waited for. Give an address or scan the sticker meanwhile."),
  unsupported: () => t("此浏览器不能定位。请填写地址或扫贴花。",
    "This browser has no location. Give an address or scan the sticker."),
  poor: () => t("定位很粗略,责任区可能认错。请到开阔处等一等,或扫贴花。",
    "The position is poor and may name the wrong zone. Wait in the open, or scan the sticker."),
  old: () => t("定位不是现在的。请等新的定位,或扫贴花。", "The position is not of now. Wait for a new one, or scan the sticker."),
};

/** The position in one line, and what is wrong with it. @param {Whereabouts} props */
export function PositionLine({ position, age_s, problem }) {
  return html`<p class="position-line">${position
    ? html`<span>${t("定位", "Position")} ${position.lat.toFixed(5)}, ${position.lon.toFixed(5)}</span>
      <b class=${problem ? "warn" : "ok"}>±${Math.round(position.accuracy_m ?? 0)} m</b>
      ${age_s !== null && age_s >= 10 && html`<span>${t(`${age_s} 秒前`, `${age_s} s ago`)}</span>`}`
    : html`<span>${t("正在定位…", "Looking for the position …")}</span>`}</p>
    ${problem && html`<${Note} kind="warn">${WORDS[problem]()}<//>`}`;
}
