// Shots that are not on disk yet. They stay in memory and are told above every screen until each is kept or given up,
// whatever became of the camera that took them.

import { t } from "../words.js";
import { useDevice } from "./device.js";
import { failureWords } from "./failures.js";
import { html, useEffect, useState } from "./html.js";
import { Button, Note, Sheet } from "./page.js";

/** `gone`: its file cannot be read, so there is nothing left that could be kept.
 * @typedef {{photo: Blob, captured: import("../device/types.d.ts").Captured, onKept: () => void,
 *   busy?: boolean, problem?: string, gone?: boolean}} Shot */

let shots = /** @type {Shot[]} */ ([]);
const listeners = /** @type {Set<(shots: Shot[]) => void>} */ (new Set());
const warn = (/** @type {Event} */ event) => event.preventDefault();

/** @param {Shot[]} next */
function tell(next) {
  shots = next;
  if (shots.length) addEventListener("beforeunload", warn);
  else removeEventListener("beforeunload", warn);
  for (const listener of listeners) listener([...shots]);
}

/** Shots on their way to the disk, and those that did not get there. @returns {Shot[]} */
export function useShots() {
  const [now, setNow] = useState(shots);
  useEffect(() => {
    setNow(shots);
    listeners.add(setNow);
    return () => void listeners.delete(setNow);
  }, []);
  return now;
}

/**
 * Keep them, one after the other; one that fails stops no other.
 * @param {import("../device/types.d.ts").Device} device
 * @param {Shot[]} given
 */
export async function keepShots(device, given) {
  const these = given.filter((shot) => !shot.busy);
  for (const shot of these) shot.busy = true;
  tell([...new Set([...shots, ...these])]);
  for (const shot of these) {
    let kept = false, read = false;
    try {
      shot.photo = new Blob([await shot.photo.arrayBuffer()], { type: shot.photo.type }); // in memory: its file may be cleared away
      read = true;
      await device.capture(shot.photo, shot.captured);
      kept = true;
    } catch (failure) {
      Object.assign(shot, { busy: false, gone: !read, problem: !read ? t("照片文件已被手机清除,读不出来,请重拍。",
        "The phone has cleared the picture's file away, so it cannot be read: take it again.") : failureWords(failure) });
    }
    tell(kept ? shots.filter((one) => one !== shot) : shots);
    if (kept) shot.onKept();
  }
}

export function Unkept() {
  const device = useDevice(), failed = useShots().filter(({ problem }) => problem), [said, setSaid] = useState("");
  const held = failed.filter(({ gone }) => !gone), lost = held.length ? held : failed, many = lost.length; // what can be kept is told first
  const busy = lost.some((shot) => shot.busy), giveUp = () => tell(shots.filter((shot) => !lost.includes(shot)));
  if (!many) return null;
  return html`<${Sheet} title=${t("照片还没有存下", "Not kept yet")}
      onClose=${() => (held.length ? setSaid(t("还没存下,关掉就没有了。", "It is not kept yet and would be lost.")) : giveUp())}>
    <${Note} kind="bad"><strong>${many > 1 ? t(`这 ${many} 张照片还没有存下!`, `These ${many} photos are not kept yet!`)
      : t("这张照片还没有存下!", "This photo is not kept yet!")}</strong><p>${lost[0].problem}</p>
      ${held.length > 0 && html`<p>${said}</p><p>${t("照片还在内存里。请不要关掉此页:先腾出空间,再点“再存一次”。",
        "It is still in memory. Do not close this page: free some space, then try again.")}</p>`}<//>
    ${held.length > 0 && html`<${Button} kind="primary" busy=${busy} onClick=${() => keepShots(device, lost)}>${t("再存一次", "Keep it now")}<//>`}
    <${Button} kind=${held.length ? "danger" : "primary"} disabled=${busy} onClick=${giveUp}>${held.length === 0 ? t("好,重拍", "I take it again")
      : many > 1 ? t(`不要这 ${many} 张`, `Give these ${many} up`) : t("不要这张", "Give this one up")}<//><//>`;
}
