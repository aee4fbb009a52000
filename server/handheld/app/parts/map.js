// A small map of lines: roads with their names, zones, findings and the own position. No tiles, unless the reference names an
// address of some (`map.tile_url`), for a patrol has no network to fetch them by.

import { boxOf } from "../device/zones.js";
import { t } from "../words.js";
import { useAsked } from "./device.js";
import { failureWords } from "./failures.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Note } from "./page.js";
import { useReference } from "./reference.js";

/** @typedef {import("../device/zones.js").Zone} Zone */
/** @typedef {import("../device/types.d.ts").Position} Position */
/** @typedef {import("../device/roads.js").Road & {box: any}} Road */
/** @typedef {{id: string, lon: number, lat: number, kind: string, label: string}} Mark */

const LEAFLET = "../vendor/leaflet/leaflet.js";
const ROADS_MOST = 12, NAMED_FROM_PX = 40, NAMED_FROM_ZOOM = 19, LETTER_PX = 12, LINE_PX = 16, BUTTONS_PX = [64, 112], LEAST_PX = 3, INSET_PX = 12, USUAL_M = 6;
const STEP = 4; // decimals of a degree, about ten metres: words make room for the own position by as much
const EQUATOR_PX_A_M = 256 / 40_075_017; // at zoom 0
/** By device, so that they are read once. @type {WeakMap<import("../device/types.d.ts").Device, {got: number, roads: Road[]}>} */
const read = new WeakMap();

/** @returns {Promise<any>} */
async function leaflet() {
  if (!(/** @type {any} */ (globalThis).L)) {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet",
      href: new URL("../vendor/leaflet/leaflet.css", import.meta.url).href });
    const drawn = new Promise((resolve, reject) => Object.assign(sheet, { onload: resolve, onerror: () => reject(new TypeError(sheet.href)) }));
    document.head.append(sheet);
    await Promise.all([drawn, import(LEAFLET)]);
  }
  return /** @type {any} */ (globalThis).L;
}

/** The roads of this device; the same array until others come. */
function useRoads() {
  return useAsked(async (device) => {
    const { got } = await device.kept("roads_asked", /** @type {any} */ ({}));
    const known = read.get(device);
    if (known && known.got === got) return known.roads;
    const roads = (await device.kept("roads", /** @type {Road[]} */ ([]))).map((road) => ({ ...road, box: boxOf({ type: "Polygon", coordinates: road.parts }) }));
    read.set(device, { got, roads });
    return roads;
  }, ["roads"]);
}

/**
 * @param {{zones: Zone[], ranks?: Map<string, number>, chosen?: string | null, position?: Position | null, marks?: Mark[],
 *   tall?: boolean, onZone?: (zoneId: string) => void, onMark?: (id: string) => void}} props
 *   `ranks` are the places of candidates in their order, which can be tapped; of `zones` those in view are drawn
 */
export function MapView(props) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null)), drawn = useRef(/** @type {Drawing | null} */ (null));
  const tiles = useReference().map?.tile_url ?? null;
  const [problem, setProblem] = useState(""), roads = useRoads();
  const newest = useRef(/** @type {any} */ (null));
  newest.current = { ...props, roads };
  useEffect(() => {
    let over = false;
    leaflet().then((L) => {
      if (over || !place.current) return;
      drawn.current = new Drawing(L, place.current, tiles, newest);
      drawn.current.draw();
    }).catch((failure) => setProblem(failureWords(failure)));
    return () => {
      over = true;
      drawn.current?.map.remove();
    };
  }, []);
  useEffect(() => drawn.current?.draw());
  return html`${problem && html`<${Note} kind="warn">${t("地图没有打开,列表照常可用。", "The map did not open; the list works all the same.")} ${problem}<//>`}
    <div ref=${place} hidden=${problem !== ""} class="map ${props.tall ? "tall" : ""}" role="application"
    aria-label=${t("责任区示意图", "Map of the zones")}></div>`;
}

class Drawing {
  /**
   * @param {any} L
   * @param {HTMLElement} place
   * @param {string | null} tiles
   * @param {{current: any}} props
   */
  constructor(L, place, tiles, props) {
    this.L = L;
    this.props = props;
    this.map = L.map(place, { zoomControl: Boolean(props.current.tall), attributionControl: Boolean(tiles), preferCanvas: Boolean(props.current.tall),
      zoomSnap: 0.5, maxZoom: 22 });
    if (tiles) L.tileLayer(tiles, { maxZoom: 22, maxNativeZoom: 18 }).addTo(this.map);
    this.layer = L.layerGroup().addTo(this.map);
    this.self = L.layerGroup().addTo(this.map);
    this.lastSeen = "";
    this.lastRoads = undefined;
    this.lastSelf = "";
    this.moved = false;
    this.lookedAt = this.#aim();
    this.#look();
    this.map.on("dragstart", () => { this.moved = true; });
    this.map.on("moveend", () => {
      this.lastSeen = "";
      this.draw();
    });
  }

  /** What the view was made for: it follows that until the person moves the map. */
  #aim() {
    const { ranks, position } = this.props.current;
    return `${[...ranks?.keys() ?? []]} ${Boolean(position)}`;
  }

  /** Begin with what matters: the candidates, else where the person stands, else all there is. */
  #look() {
    const { zones, ranks, position, marks } = this.props.current;
    const first = ranks?.size ? zones.filter((/** @type {Zone} */ zone) => ranks.has(zone.zone_id)) : [];
    const corners = (first.length || position ? first : zones).flatMap((/** @type {Zone} */ { box }) =>
      [[box[1], box[0]], [box[3], box[2]]]);
    if (position) corners.push([position.lat, position.lon]);
    else if (!corners.length) corners.push(...(marks ?? []).map((/** @type {Mark} */ mark) => [mark.lat, mark.lon]));
    if (corners.length) this.map.fitBounds(corners, { padding: [18, 18], maxZoom: first.length ? 20 : 19, animate: false });
    else this.map.setView([35, 110], 4);
  }

  draw() {
    this.#around();
    this.#self(this.props.current.position);
  }

  /** All but the own position, where any of it is new. */
  #around() {
    const { zones, ranks, chosen, position, marks, roads, tall } = this.props.current;
    const drawn = zones.reduce((/** @type {number} */ sum, /** @type {Zone} */ { version }) => sum + version, zones.length);
    const seen = JSON.stringify([drawn, [...ranks ?? []], chosen, position?.lon.toFixed(STEP), position?.lat.toFixed(STEP), marks]); // each fix moves the dot alone
    if (seen === this.lastSeen && roads === this.lastRoads) return;
    this.lastSeen = seen;
    this.lastRoads = roads;
    if (!this.moved && this.#aim() !== this.lookedAt) {
      this.lookedAt = this.#aim();
      this.#look();
    }
    this.layer.clearLayers();
    this.lastSelf = ""; // it is drawn above the rest
    const view = this.map.getBounds().pad(0.2);
    const isNear = (/** @type {Zone | Road} */ { box }) => view.intersects([[box[1], box[0]], [box[3], box[2]]]);
    const middle = this.map.getCenter(), away = (/** @type {Zone} */ { box }) => Math.hypot(box[0] - middle.lng, box[1] - middle.lat);
    const near = zones.filter(isNear).sort((/** @type {Zone} */ one, /** @type {Zone} */ other) => away(one) - away(other)), ways = (roads ?? []).filter(isNear);
    this.#lines(ways);
    /** Where words stand already, in pixels. @type {any[]} */
    this.worded = tall ? [this.L.bounds([0, 0], BUTTONS_PX)] : [];
    if (position) this.#hasRoom(" ", this.map.latLngToContainerPoint([position.lat, position.lon]));
    this.#names(ways, near);
    near.forEach((/** @type {Zone} */ zone) => this.#zone(zone, ranks?.get(zone.zone_id), zone.zone_id === chosen));
    marks?.filter((/** @type {Mark} */ mark) => view.contains([mark.lat, mark.lon]))
      .forEach((/** @type {Mark} */ mark) => this.#mark(mark));
  }

  /** @param {Zone} zone @param {number | undefined} rank @param {boolean} chosen */
  #zone(zone, rank, chosen) {
    const kind = chosen ? "chosen" : rank === undefined ? "plain" : "candidate";
    const shape = this.L.geoJSON(zone.outline, { style: { ...this.#ink(kind), className: `zone ${kind}` } });
    const label = rank === undefined ? zone.name : `${rank + 1}`;
    if (rank !== undefined || (this.map.getZoom() >= NAMED_FROM_ZOOM && this.#hasRoom(label, this.map.latLngToContainerPoint(shape.getBounds().getCenter())))) {
      shape.bindTooltip(text(label), { permanent: true, direction: "center", className: `zone-label ${kind}` });
    }
    if (this.props.current.onZone) shape.on("click", () => this.props.current.onZone(zone.zone_id));
    shape.addTo(this.layer);
  }

  /**
   * Is there room in sight for these words around that place? Then it is theirs.
   * @param {string} words @param {any} middle in pixels @param {number} [turn] in radians
   */
  #hasRoom(words, middle, turn = 0) {
    const half = words.length * LETTER_PX / 2;
    const reach = this.L.point(half * Math.abs(Math.cos(turn)) + LINE_PX / 2, half * Math.abs(Math.sin(turn)) + LINE_PX / 2);
    const box = this.L.bounds(middle.subtract(reach), middle.add(reach));
    if (!this.L.bounds([0, 0], this.map.getSize()).contains(box) || this.worded?.some((one) => one.overlaps(box))) return false;
    this.worded?.push(box);
    return true;
  }

  /** @param {string} kind */
  #ink(kind) {
    if (kind === "chosen") return { color: colour("--leaf"), weight: 3, fillColor: colour("--leaf"), fillOpacity: 0.5 };
    if (kind === "candidate") return { color: colour("--leaf"), weight: 2, fillColor: colour("--leaf"), fillOpacity: 0.15 };
    return { color: colour("--dim"), weight: 1, fillColor: colour("--dim"), fillOpacity: 0.07 };
  }

  /** Roads as wide as they are, all edges below all surfaces so that crossings are open. @param {Road[]} roads */
  #lines(roads) {
    const pxAMetre = EQUATOR_PX_A_M * 2 ** this.map.getZoom() / Math.cos(this.map.getCenter().lat * Math.PI / 180);
    const draw = (/** @type {string} */ className, /** @type {string} */ color, edge = 0) => roads.forEach(({ parts, width_m }) =>
      this.L.polyline(parts.map(latLons), { className, color, interactive: false,
        weight: Math.max(LEAST_PX, (width_m ?? USUAL_M) * pxAMetre) + edge }).addTo(this.layer));
    draw("road-edge", colour("--line"), 2);
    draw("road", colour("--paper"));
  }

  /** Names: along the middle of what is seen of a road, of others amid their zones. @param {Road[]} roads @param {Zone[]} zones */
  #names(roads, zones) {
    const { L, map } = this, bounds = L.bounds([INSET_PX, INSET_PX], map.getSize().subtract([INSET_PX, INSET_PX]));
    /** By name the pieces in view, in pixels. @type {Map<string, [any, any][]>} */
    const seen = new Map(roads.map(({ name }) => [name, []])), named = new Set();
    for (const { name, parts } of roads) {
      for (const points of parts.map(latLons).map((part) => part.map((point) => map.latLngToContainerPoint(point)))) {
        for (let n = 1; n < points.length; n += 1) {
          const piece = L.LineUtil.clipSegment(points[n - 1], points[n], bounds);
          if (piece) seen.get(name)?.push(piece);
        }
      }
    }
    const lengths = [...seen].map(([name, pieces]) => ({ name, pieces, px: pieces.reduce((sum, [from, to]) => sum + from.distanceTo(to), 0) }));
    for (const { name, pieces, px } of lengths.sort((one, other) => other.px - one.px).slice(0, ROADS_MOST)) {
      if (px < NAMED_FROM_PX) break;
      let left = px / 2;
      const [from, to] = pieces.find((piece) => (left -= piece[0].distanceTo(piece[1])) <= 0) ?? pieces[0];
      const turn = Math.atan((to.y - from.y) / (to.x - from.x)), middle = to.subtract(from).multiplyBy(1 + left / from.distanceTo(to)).add(from);
      if (this.#hasRoom(name, middle, turn)) { // else the longer one has it
        this.#name(name, map.containerPointToLatLng(middle), `rotate(${turn}rad)`);
      }
      named.add(name);
    }
    /** @type {Map<string, Zone[]>} */
    const others = new Map();
    zones.filter(({ road }) => road && !named.has(road)).forEach((zone) => others.set(zone.road, [...others.get(zone.road) ?? [], zone]));
    if (others.size > ROADS_MOST) return;
    for (const [road, along] of others) {
      const middle = along[along.length >> 1].box;
      const place = /** @type {[number, number]} */ ([middle[1], (middle[0] + middle[2]) / 2]);
      if (this.#hasRoom(road, map.latLngToContainerPoint(place).add([0, LINE_PX]))) this.#name(road, place, "translateY(1em)");
    }
  }

  /** @param {string} name @param {any} place @param {string} turn */
  #name(name, place, turn) {
    const html = text(name);
    html.style.transform = `translate(-50%, -50%) ${turn}`;
    this.L.marker(place, { interactive: false, keyboard: false,
      icon: this.L.divIcon({ className: "road-label", html, iconSize: null }) }).addTo(this.layer);
  }

  /** @param {Mark} mark */
  #mark(mark) {
    this.L.circleMarker([mark.lat, mark.lon], { radius: 9, weight: 2, color: "#fff", fillColor: colour(mark.kind === "own" ? "--leaf" : "--red-line"), fillOpacity: 0.95 })
      .on("click", () => this.props.current.onMark?.(mark.id)).bindTooltip(text(mark.label)).addTo(this.layer);
  }

  /** The own position, above all else. @param {Position | null | undefined} position */
  #self(position) {
    const { lon, lat, accuracy_m } = position ?? {}, said = `${lon} ${lat} ${accuracy_m}`;
    if (said === this.lastSelf) return;
    this.lastSelf = said;
    this.self.clearLayers();
    if (!position) return;
    const blue = { color: "#1668d8", weight: 1, fillColor: "#1668d8", fillOpacity: 0.12, interactive: false };
    if (accuracy_m) this.L.circle([lat, lon], { ...blue, radius: accuracy_m }).addTo(this.self);
    this.L.circleMarker([lat, lon], { ...blue, radius: 7, weight: 3, color: "#fff", fillOpacity: 1 }).addTo(this.self);
  }
}

/** A colour of the theme, which a canvas does not read from a style sheet. @param {string} name */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** As Leaflet has points. @param {[number, number][]} part @returns {[number, number][]} */
function latLons(part) {
  return part.map(([lon, lat]) => [lat, lon]);
}

/** A node of text, so that a name is never read as markup. @param {string} words */
function text(words) {
  return Object.assign(document.createElement("span"), { textContent: words });
}
