// Frontage zones on the device: which version is in force when, and which one a position or a sticker speaks of. It is
// reckoned as server/rules/zones.py and attribution.py do it, so that what is shown in the street stands in the office.

import { gaussianMass } from "./gaussian.js";
import { distanceTo, project, ringsOf } from "./plane.js";

/** @typedef {import("./plane.js").Rings} Rings */
/**
 * A version of a zone; times in ms, `box` in degrees: west, south, east, north.
 * @typedef {{zone_id: string, version: number, name: string, road: string, section: string, scope: string,
 *   party: Record<string, any>, sticker_serial: string | null, from: number, to: number, outline: any,
 *   box: [number, number, number, number], metric: Rings | null}} Zone
 * @typedef {{zone_id: string, version: number, name: string, party: Record<string, any>, probability: number,
 *   distance_m: number | null, inside: boolean, method: string}} Candidate
 * @typedef {{decision: "certain" | "probable" | "ambiguous" | "none", candidates: Candidate[]}} Attribution
 * @typedef {Record<string, any>} Limits the figures of server/reference/attribution.json
 */

const SIGMAS_IN_68_PERCENT = Math.sqrt(-2 * Math.log(1 - 0.68)); // radius that holds 68 % of a 2-D Gaussian, in sigmas
const METRES_A_DEGREE = 111_320;

/**
 * The zone of a record as a pull brings it; null for one without an outline.
 * @param {{id: string, scope: string, fields: Record<string, any>}} record
 * @returns {Zone | null}
 */
export function zoneOf({ id, scope, fields }) {
  if (!fields.outline?.coordinates?.length) return null;
  return {
    zone_id: id, version: fields.zone_version ?? 0, name: fields.name, road: fields.road ?? "",
    section: fields.section ?? "", scope, party: fields.party ?? {}, sticker_serial: fields.sticker_serial ?? null,
    from: fields.valid_from ? Date.parse(fields.valid_from) : -Infinity,
    to: fields.valid_to ? Date.parse(fields.valid_to) : Infinity,
    outline: fields.outline, box: boxOf(fields.outline), metric: null,
  };
}

/** @param {any} outline @returns {[number, number, number, number]} */
export function boxOf(outline) {
  const points = outline.coordinates.flat(outline.type === "MultiPolygon" ? 2 : 1);
  const lons = points.map((/** @type {number[]} */ p) => p[0]), lats = points.map((/** @type {number[]} */ p) => p[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** All zones that this device knows, ready for questions of place and time. */
export class ZoneIndex {
  /**
   * @param {Zone[]} zones
   * @param {Limits} limits
   */
  constructor(zones, limits) {
    this.zones = [...zones].sort((a, b) => order(a.zone_id, b.zone_id) || a.version - b.version);
    this.limits = limits;
    this.meridian = meridianOf(this.zones);
    this.zones.reduceRight((newer, zone) => { // a newer version ends the older ones
      const ends = newer.zone_id === zone.zone_id ? newer.ends : Infinity;
      zone.to = Math.min(zone.to, ends);
      return { zone_id: zone.zone_id, ends: Math.min(ends, zone.from) };
    }, { zone_id: "", ends: Infinity });
  }

  /** @param {number} at ms */
  inForce(at) {
    return this.zones.filter((zone) => zone.from <= at && at < zone.to);
  }

  /**
   * Which zone in force is meant by a position in EPSG:4490 degrees, a sticker, or both. A sticker decides unless it
   * is implausibly far from the position, or two zones bear it.
   * @param {{place: {lon: number, lat: number} | null, accuracy_m?: number | null, at: number, sticker?: string | null}} asked
   * @returns {Attribution}
   */
  attribute({ place, accuracy_m, at, sticker }) {
    const inForce = this.inForce(at);
    const bearers = sticker ? inForce.filter((zone) => zone.sticker_serial === sticker) : [];
    const borne = bearers.length === 1 ? bearers[0] : null;
    const spot = place ? project(place.lon, place.lat, this.meridian) : null;
    if (!place || !spot || !Number.isFinite(spot[0])) {
      return borne ? this.#byStickerAlone(borne) : { decision: "none", candidates: [] };
    }
    const accuracy = usableAccuracy(accuracy_m, this.limits), radius = searchRadius(accuracy, this.limits);
    const found = inForce.filter((zone) => zone === borne || isNear(zone, place, radius))
      .map((zone) => ({ zone, distance: distanceTo(this.#metric(zone), spot), chance: 0 }))
      .filter(({ zone, distance }) => zone === borne || distance <= radius);
    if (!found.length) return { decision: "none", candidates: [] };
    found.forEach((each) => {
      each.chance = gaussianMass(this.#metric(each.zone), spot, accuracy / SIGMAS_IN_68_PERCENT);
    });
    const sum = Math.max(1, found.reduce((total, each) => total + each.chance, 0));
    found.forEach((each) => { each.chance /= sum; });
    return weigh(found, accuracy, borne, this.limits);
  }

  /** @param {Zone} zone @returns {Attribution} */
  #byStickerAlone({ zone_id, version, name, party }) {
    return { decision: "certain", candidates: [{ zone_id, version, name, party, method: "sticker", inside: false,
      probability: this.limits.sticker_probability, distance_m: null }] };
  }

  /** @param {Zone} zone */
  #metric(zone) {
    return zone.metric ??= ringsOf(zone.outline).map((ring) =>
      ring.map(([lon, lat]) => project(lon, lat, this.meridian)));
  }
}

/**
 * What `finding.zone` will say: the first candidate when the decision is certain or probable.
 * @param {Attribution} attribution
 */
export function decided({ decision, candidates }) {
  return decision === "certain" || decision === "probable" ? candidates[0] : null;
}

/** @param {Zone[]} zones the median longitude, to which the plane is true */
function meridianOf(zones) {
  if (!zones.length) return 120;
  const middles = zones.map(({ box }) => (box[0] + box[2]) / 2).sort((a, b) => a - b), half = middles.length >> 1;
  const median = middles.length % 2 ? middles[half] : (middles[half - 1] + middles[half]) / 2;
  return Math.round(median * 100) / 100;
}

/** @param {Zone} zone @param {{lon: number, lat: number}} place @param {number} radius a first sieve, in degrees */
function isNear({ box }, { lon, lat }, radius) {
  const north = 1.1 * radius / METRES_A_DEGREE, east = north / Math.max(0.01, Math.cos(lat * Math.PI / 180));
  return lon >= box[0] - east && lon <= box[2] + east && lat >= box[1] - north && lat <= box[3] + north;
}

/**
 * A default for a missing or senseless accuracy, a floor for a boastful one.
 * @param {number | null | undefined} accuracy
 * @param {Limits} limits
 */
function usableAccuracy(accuracy, limits) {
  if (accuracy == null || !Number.isFinite(accuracy) || accuracy < 0) return limits.default_accuracy_m;
  return Math.max(accuracy, limits.least_accuracy_m);
}

/** @param {number} accuracy @param {Limits} limits */
function searchRadius(accuracy, limits) {
  return Math.min(limits.search_accuracies * accuracy + limits.search_beyond_m, limits.search_most_m);
}

/**
 * @param {{zone: Zone, distance: number, chance: number}[]} found masses of sum at most 1
 * @param {number} accuracy
 * @param {Zone | null} borne whose sticker was read
 * @param {Limits} limits
 * @returns {Attribution}
 */
function weigh(found, accuracy, borne, limits) {
  const distance = found.find(({ zone }) => zone === borne)?.distance ?? Infinity;
  const plausible = distance <= limits.sticker_within_m + limits.sticker_accuracies * accuracy;
  if (plausible) {
    const sure = limits.sticker_probability;
    found.forEach((each) => { each.chance = each.chance * (1 - sure) + (each.zone === borne ? sure : 0); });
  }
  const candidates = found
    .filter((each) => each.chance >= limits.listed_from || each.distance <= limits.search_beyond_m
      || each.zone === borne)
    .map((each) => candidate(each, each.zone === borne))
    .sort((a, b) => b.probability - a.probability || Number(a.distance_m) - Number(b.distance_m)
      || order(a.zone_id, b.zone_id))
    .slice(0, limits.candidates_most);
  return { decision: plausible ? "certain" : decisionOf(found, accuracy, limits), candidates };
}

/** @param {{zone: Zone, distance: number, chance: number}} found @param {boolean} borne @returns {Candidate} */
function candidate({ zone: { zone_id, version, name, party }, distance, chance }, borne) {
  return { zone_id, version, name, party, probability: Math.floor(chance * 1e6) / 1e6, inside: distance === 0,
    distance_m: Math.round(distance * 100) / 100, method: borne ? "sticker" : "position" };
}

/**
 * A fix too coarse to rule zones out says ambiguous, never none: a person or a sticker decides.
 * @param {{chance: number}[]} found
 * @param {number} accuracy
 * @param {Limits} limits
 */
function decisionOf(found, accuracy, limits) {
  const best = Math.max(...found.map(({ chance }) => chance));
  if (best >= limits.certain_from) return "certain";
  if (best >= limits.probable_from) return "probable";
  const sum = found.reduce((total, { chance }) => total + chance, 0);
  return accuracy > limits.ask_sticker_above_m || sum >= limits.none_below ? "ambiguous" : "none";
}

/** @param {string} a @param {string} b */
function order(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
