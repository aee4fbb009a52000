// Where things are, as far as a form must know: metres between a fix and a place, zones nearest first. Pure.

import { apart, pointOf } from "../device/plane.js";

export { pointOf };

/** @typedef {{lon: number, lat: number}} Point */

/** The middle of a zone's outline, null where it has none. @param {any} outline GeoJSON @returns {Point | null} */
export function middle(outline) {
  const ring = outline?.type === "Polygon" ? outline.coordinates?.[0]
    : outline?.type === "MultiPolygon" ? outline.coordinates?.[0]?.[0] : null;
  if (!ring?.length) return null;
  const corners = ring.slice(0, -1);
  const sum = corners.reduce((/** @type {number[]} */ all, /** @type {number[]} */ one) => [all[0] + one[0], all[1] + one[1]], [0, 0]);
  return { lon: sum[0] / corners.length, lat: sum[1] / corners.length };
}

/**
 * Zones that fit all words, nearest first where the place is known, else by name.
 * @param {import("../device/types.d.ts").Shown[]} zones
 * @param {Point | null} here
 * @param {string} words
 * @returns {{zone: import("../device/types.d.ts").Shown, away: number | null}[]}
 */
export function zonesNear(zones, here, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return zones.filter(({ fields }) => {
    const text = [fields.name, fields.road, fields.section, fields.party?.name, fields.sticker_serial].join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  }).map((zone) => {
    const centre = here && middle(zone.fields.outline);
    return { zone, away: here && centre ? apart(here, centre) : null };
  }).sort((one, other) => (one.away ?? Infinity) - (other.away ?? Infinity)
    || String(one.zone.fields.name).localeCompare(String(other.zone.fields.name), "zh"));
}

/**
 * How near a fix is to a place, and whether that counts as being there: its accuracy is counted in, up to a limit.
 * @param {any} position
 * @param {any} place
 * @param {{embargo_m: number, embargo_accuracy_m: number}} figures
 */
export function arrival(position, place, figures) {
  const here = pointOf(position), there = pointOf(place);
  if (!here || !there) return null;
  const away = apart(here, there), accuracy = Math.min(position.accuracy_m ?? Infinity, figures.embargo_accuracy_m);
  return { distance_m: Math.round(away), there: away - accuracy <= figures.embargo_m };
}
