// Metres from degrees: the plane of server/rules/plane.py (transverse Mercator on GRS 80), and distances in it.
// The projection is the one of PROJ: K. Poder and K. Engsager, series of sixth order in the third flattening.

/** @typedef {[number, number]} Spot x, y in metres, or longitude, latitude in degrees */
/** @typedef {Spot[][]} Rings all rings of a (multi)polygon: outer ones counter-clockwise, holes clockwise */

const A = 6_378_137, F = 1 / 298.257222101, RADIAN = Math.PI / 180;
const N = F / (2 - F);
const QUADRANT = A / (1 + N) * (1 + N ** 2 / 4 + N ** 4 / 64 + N ** 6 / 256);
const FARTHEST = 2.623395162778; // PROJ's bound of the reduced easting, beyond which the series says nothing

// Geodetic to Gaussian latitude, and Gaussian sphere to ellipsoid (Engsager and Poder 2007).
const GAUSSIAN = [
  N * (-2 + N * (2 / 3 + N * (4 / 3 + N * (-82 / 45 + N * (32 / 45 + N * (4642 / 4725)))))),
  N ** 2 * (5 / 3 + N * (-16 / 15 + N * (-13 / 9 + N * (904 / 315 + N * (-1522 / 945))))),
  N ** 3 * (-26 / 15 + N * (34 / 21 + N * (8 / 5 + N * (-12686 / 2835)))),
  N ** 4 * (1237 / 630 + N * (-12 / 5 + N * (-24832 / 14175))),
  N ** 5 * (-734 / 315 + N * (109598 / 31185)), N ** 6 * (444337 / 155925)];
const MERCATOR = [
  N * (1 / 2 + N * (-2 / 3 + N * (5 / 16 + N * (41 / 180 + N * (-127 / 288 + N * (7891 / 37800)))))),
  N ** 2 * (13 / 48 + N * (-3 / 5 + N * (557 / 1440 + N * (281 / 630 + N * (-1983433 / 1935360))))),
  N ** 3 * (61 / 240 + N * (-103 / 140 + N * (15061 / 26880 + N * (167603 / 181440)))),
  N ** 4 * (49561 / 161280 + N * (-179 / 168 + N * (6601661 / 7257600))),
  N ** 5 * (34729 / 80640 + N * (-3418889 / 1995840)), N ** 6 * (212378941 / 319334400)];

/**
 * The plane's point, infinite where it does not reach.
 * @param {number} lon degrees of EPSG:4490
 * @param {number} lat
 * @param {number} meridian
 * @returns {Spot}
 */
export function project(lon, lat, meridian) {
  const geodetic = lat * RADIAN, away = (((lon - meridian + 540) % 360 + 360) % 360 - 180) * RADIAN;
  const gaussian = GAUSSIAN.reduce((sum, factor, k) => sum + factor * Math.sin(2 * (k + 1) * geodetic), geodetic);
  const north = Math.atan2(Math.sin(gaussian), Math.cos(away) * Math.cos(gaussian));
  const east = Math.asinh(Math.sin(away) * Math.cos(gaussian)
    / Math.hypot(Math.sin(gaussian), Math.cos(gaussian) * Math.cos(away)));
  let x = east, y = north;
  MERCATOR.forEach((factor, k) => {
    const turn = 2 * (k + 1);
    y += factor * Math.sin(turn * north) * Math.cosh(turn * east);
    x += factor * Math.cos(turn * north) * Math.sinh(turn * east);
  });
  return Math.abs(x) <= FARTHEST ? [x * QUADRANT, y * QUADRANT] : [Infinity, Infinity];
}

/**
 * The rings of a GeoJSON (multi)polygon, oriented.
 * @param {{type: string, coordinates: any[]}} outline
 * @returns {Rings}
 */
export function ringsOf(outline) {
  const polygons = outline.type === "MultiPolygon" ? outline.coordinates : [outline.coordinates];
  return polygons.flatMap((polygon) => polygon.map((/** @type {Spot[]} */ ring, /** @type {number} */ place) =>
    doubleArea(ring) > 0 === (place === 0) ? ring : [...ring].reverse()));
}

/** @param {Spot[]} ring */
function doubleArea(ring) {
  const [x0, y0] = ring[0];
  return ring.slice(1).reduce((sum, [x, y], k) => sum + (ring[k][0] - x0) * (y - y0) - (x - x0) * (ring[k][1] - y0), 0);
}

/**
 * Metres from a spot to a polygon, 0 within it.
 * @param {Rings} rings
 * @param {Spot} spot
 */
export function distanceTo(rings, spot) {
  let nearest = Infinity, inside = false;
  for (const ring of rings) {
    for (let k = 1; k < ring.length; k++) {
      const [ax, ay] = ring[k - 1], [bx, by] = ring[k];
      if (ay > spot[1] !== by > spot[1] && spot[0] < (bx - ax) * (spot[1] - ay) / (by - ay) + ax) inside = !inside;
      nearest = Math.min(nearest, toEdge(spot, ring[k - 1], ring[k]));
    }
  }
  return inside ? 0 : nearest;
}

/** @param {Spot} spot @param {Spot} a @param {Spot} b */
function toEdge([x, y], [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const along = length ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/**
 * A position as a place in EPSG:4490: the server's reckoning, or what was sent where that needs none.
 * @param {any} position
 * @returns {{lon: number, lat: number} | null}
 */
export function pointOf(position) {
  if (!position) return null;
  const { normalized, lon, lat, crs } = position;
  return normalized ?? (crs?.startsWith("EPSG:") ? { lon, lat } : null);
}

/**
 * Metres along the great circle (haversine), as schemas/positions.py reckons them.
 * @param {{lon: number, lat: number}} one
 * @param {{lon: number, lat: number}} other
 */
export function apart(one, other) {
  const half = Math.sin((other.lat - one.lat) * RADIAN / 2) ** 2 + Math.cos(one.lat * RADIAN)
    * Math.cos(other.lat * RADIAN) * Math.sin((other.lon - one.lon) * RADIAN / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(Math.min(1, half)));
}
