// Which open findings on this device may be the same thing, as server/rules/duplicates.py says it. A suggestion only.

import { apart, pointOf } from "./plane.js";

/** @typedef {import("./types.js").Shown} Shown */
/** @typedef {import("./types.js").Fields} Fields */

/**
 * Findings of the same class, near in place and time, that are open; nearest first.
 * @param {Fields} fields of the one at hand
 * @param {Shown[]} findings
 * @param {Record<string, any>} limits the figures of server/reference/duplicates.json
 */
export function twinsOf(fields, findings, limits) {
  const here = pointOf(fields.position), at = Date.parse(fields.observed_at);
  if (!here || !fields.class_code) return [];
  return findings.map((record) => ({ record, distance_m: sameKind(fields, record, at, limits) }))
    .filter(({ distance_m }) => distance_m <= limits.within_m)
    .sort((a, b) => a.distance_m - b.distance_m).slice(0, limits.most);
}

/** @param {Fields} fields @param {Shown} record @param {number} at @param {Record<string, any>} limits */
function sameKind(fields, { fields: other }, at, limits) {
  const same = other.class_scheme === fields.class_scheme && other.class_code === fields.class_code
    && !limits.closed.includes(other.status)
    && Math.abs(Date.parse(other.observed_at) - at) <= limits.within_hours * 3_600_000;
  const here = pointOf(fields.position), there = same ? pointOf(other.position) : null;
  return here && there ? apart(here, there) : Infinity;
}
