// Where this phone is: one watch for as many screens as ask, and none while nobody does.

import { t } from "../words.js";
import { ageOf, near, timed } from "./fix.js";
import { html, useEffect, useState } from "./html.js";
import { useLocked } from "./locked.js";
import { Note } from "./page.js";
import { useReference } from "./reference.js";

/** @typedef {import("../device/types.d.ts").Position} Position */
/** @typedef {"denied" | "unavailable" | "slow" | "unsupported" | "poor" | "old" | null} Problem */
/** @typedef {{position: Position | null, here: Position | null, age_s: number | null, problem: Problem}} Whereabouts
 * `here` is the fix where it is of now: what is made now lies there, and at no older one. */

const OLD_S = 60, ASKED_MS = 20_000, AGE_EVERY_MS = 5_000, ASK_AGAIN_S = 30;
const FAILURES = /** @type {const} */ ({ 1: "denied", 2: "unavailable", 3: "slow" });

/** @type {{position: Position | null, failure: Problem}} */
let known = { position: null, failure: null };
/** @type {Set<() => void>} */
const listeners = new Set();
let clocks = /** @type {import("./fix.js").Timed | null} */ (null), watch = 0, asking = /** @type {ReturnType<typeof setInterval> | undefined} */ (undefined);

/** @param {() => void} listener gives the way to stop */
function follow(listener) {
  listeners.add(listener);
  if (listeners.size === 1) begin();
  return () => {
    listeners.delete(listener);
    if (listeners.size || !navigator.geolocation) return;
    navigator.geolocation.clearWatch(watch);
    clearInterval(asking);
  };
}

function begin() {
  if (!navigator.geolocation) {
    tell({ position: null, failure: "unsupported" });
    return;
  }
  clocks = null;
  ask();
  asking = setInterval(() => { // browsers may tell nothing more of a phone that lies still, but tell a new watch at once
    if ((ageOf(known.position) ?? 0) < ASK_AGAIN_S) return;
    navigator.geolocation.clearWatch(watch);
    ask();
  }, ASKED_MS);
}

function ask() {
  watch = navigator.geolocation.watchPosition(
    (fix) => tell({ position: positionOf(fix), failure: null }),
    ({ code }) => tell({ position: known.position, failure: code === 3 && known.position ? null // its age is said
      : FAILURES[/** @type {1 | 2 | 3} */ (code)] ?? "unavailable" }),
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
function positionOf(fix) {
  const { coords } = fix;
  clocks = timed(fix, Date.now(), clocks);
  return { lon: coords.longitude, lat: coords.latitude, crs: "EPSG:4326", accuracy_m: Math.round(coords.accuracy * 10) / 10,
    provider: "browser", fixed_at: new Date(clocks.at).toISOString() };
}

/** The last fix without asking for another; null before the first. */
export function lastPosition() {
  return known.position;
}

/**
 * Follow the position as long as the screen is shown.
 * @returns {Whereabouts}
 */
export function usePosition() {
  const { attribution } = useReference();
  const [, drawAgain] = useState(0), locked = useLocked();
  useEffect(() => {
    if (locked) return undefined;
    const look = () => drawAgain((times) => times + 1);
    const stop = follow(look), timer = setInterval(look, AGE_EVERY_MS);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [locked]);
  const { position, failure } = known, age_s = ageOf(position);
  return { position, here: near(position), age_s, problem: failure ?? problemOf(position, age_s, attribution.ask_sticker_above_m) };
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
  return html`${(position || !problem) && html`<p class="position-line">${position
    ? html`<span>${t("定位", "Position")} ${degrees(position)}</span>
      <b class=${problem ? "warn" : "ok"}>±${Math.round(position.accuracy_m ?? 0)} m</b>
      ${age_s !== null && age_s >= 10 && html`<span>${t(`${age_s} 秒前`, `${age_s} s ago`)}</span>`}`
    : html`<span>${t("正在定位…", "Looking for the position …")}</span>`}</p>`}
    ${problem && html`<${Note} kind="warn">${WORDS[problem]()}<//>`}`;
}

/** The position that something unfinished lies at, wherever the phone is by now.
 * @param {{position: Position | null, onFollow: () => void}} props */
export function HeldLine({ position, onFollow }) {
  const { attribution } = useReference(), problem = problemOf(position, null, attribution.ask_sticker_above_m);
  return html`<p class="position-line"><span>${t("已固定", "Held")}
      ${position ? ` ${degrees(position)} ±${Math.round(position.accuracy_m ?? 0)} m` : ""}</span>
    <button type="button" class="link" onClick=${onFollow}>${t("用现在的定位", "Use the position of now")}</button></p>
    ${problem && html`<${Note} kind="warn">${WORDS[problem]()}<//>`}`;
}

/** @param {Position} position */
function degrees({ lat, lon }) {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}
