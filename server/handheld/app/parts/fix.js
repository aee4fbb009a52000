// When a fix was had, and whether that is near enough to something made. Pure.

/** @typedef {import("../device/types.d.ts").Position} Position */

const NEAR_MS = 120_000, DAY_MS = 86_400_000;

/** When a fix was had, and what is known of the phone's clocks by then: the `first` stamp, and how far the freshest one is `ahead`.
 * @typedef {{at: number, first?: number, ahead?: number}} Timed */

/** When a fix that comes now was had, by this phone's clock like all its times: phones give satellite time, which a clock that is
 *  off does not agree with. A stamp is as old as it says, unless all of the watch are off by as much or it is more than a day off:
 *  then it is of another clock. One that is ahead always is. @param {{timestamp: number}} fix @param {number} now ms
 *  @param {Timed | null} before of the fix before it, null for the first of a watch @returns {Timed} */
export function timed({ timestamp }, now, before) {
  const off = timestamp - now;
  if (Math.abs(off) > DAY_MS) return { ...before, at: now };
  const first = before?.first ?? timestamp, ahead = Math.max(off, before?.ahead ?? off);
  const clock = timestamp === first ? Math.max(0, ahead) : ahead; // the first, told again too, may itself be old
  return { at: Math.abs(clock) > NEAR_MS ? timestamp - clock : timestamp, first, ahead };
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
