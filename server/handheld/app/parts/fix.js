// When a fix was had, and whether that is near enough to something made. Pure.

/** @typedef {import("../device/types.d.ts").Position} Position */

const NEAR_MS = 120_000;

/** When a fix that comes now was had, by this phone's clock like all its times: phones give satellite time, which a clock
 *  that is off does not agree with. @param {{timestamp: number}} fix @param {number} [now] ms */
export function timeOf({ timestamp }, now = Date.now()) {
  return Math.abs(now - timestamp) <= NEAR_MS ? timestamp : now;
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
