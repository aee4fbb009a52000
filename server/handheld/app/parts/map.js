// A small map of lines: zones, names of roads, findings and the own position. No tiles, unless the reference names an
// address of some (`map.tile_url`), for a patrol has no network to fetch them by.

import { t } from "../words.js";
import { failureWords } from "./failures.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Note } from "./page.js";
import { useReference } from "./reference.js";

/** @typedef {import("../device/zones.js").Zone} Zone */
/** @typedef {import("../device/types.d.ts").Position} Position */
/** @typedef {{id: string, lon: number, lat: number, kind: string, label: string}} Mark */

const LEAFLET = "../vendor/leaflet/leaflet.js";
const ROADS_MOST = 12;

/** @returns {Promise<any>} */
async function leaflet() {
  if (!(/** @type {any} */ (globalThis).L)) {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet",
      href: new URL("../vendor/leaflet/leaflet.css", import.meta.url).href });
    const drawn = new Promise((resolve, reject) => Object.assign(sheet, { onload: resolve, onerror: reject }));
    document.head.append(sheet);
    await Promise.all([drawn, import(LEAFLET)]);
  }
  return /** @type {any} */ (globalThis).L;
}

/**
 * @param {{zones: Zone[], ranks?: Map<string, number>, chosen?: string | null, position?: Position | null, marks?: Mark[],
 *   tall?: boolean, onZone?: (zoneId: string) => void, onMark?: (id: string) => void,
 *   onMoved?: (box: [number, number, number, number]) => void}} props
 *   `ranks` are the places of candidates in their order, which can be tapped; of `zones` those in view are drawn
 */
export function MapView(props) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null)), drawn = useRef(/** @type {Drawing | null} */ (null));
  const tiles = useReference().map?.tile_url ?? null;
  const [problem, setProblem] = useState("");
  const newest = useRef(props);
  newest.current = props;
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
      zoomSnap: 0.5, maxZoom: 22, tap: true });
    if (tiles) L.tileLayer(tiles, { maxZoom: 22, maxNativeZoom: 18 }).addTo(this.map);
    this.layer = L.layerGroup().addTo(this.map);
    this.lastSeen = "";
    this.moved = false;
    this.lookedAt = this.#aim();
    this.#look();
    this.map.on("dragstart", () => { this.moved = true; });
    this.map.on("moveend", () => {
      this.lastSeen = "";
      this.draw();
      const view = this.map.getBounds();
      props.current.onMoved?.([view.getWest(), view.getSouth(), view.getEast(), view.getNorth()]);
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
    const { zones, ranks, chosen, position, marks } = this.props.current;
    const seen = JSON.stringify([zones.length, [...ranks ?? []], chosen, position?.lon, position?.lat, position?.accuracy_m,
      marks?.map((/** @type {Mark} */ { id, kind, lon, lat }) => [id, kind, lon, lat])]);
    if (seen === this.lastSeen) return;
    this.lastSeen = seen;
    if (!this.moved && this.#aim() !== this.lookedAt) {
      this.lookedAt = this.#aim();
      this.#look();
    }
    this.layer.clearLayers();
    const view = this.map.getBounds().pad(0.2);
    const near = zones.filter((/** @type {Zone} */ { box }) => view.intersects([[box[1], box[0]], [box[3], box[2]]]));
    near.forEach((/** @type {Zone} */ zone) => this.#zone(zone, ranks?.get(zone.zone_id), zone.zone_id === chosen));
    this.#roads(near);
    marks?.filter((/** @type {Mark} */ mark) => view.contains([mark.lat, mark.lon]))
      .forEach((/** @type {Mark} */ mark) => this.#mark(mark));
    if (position) this.#self(position);
  }

  /** @param {Zone} zone @param {number | undefined} rank @param {boolean} chosen */
  #zone(zone, rank, chosen) {
    const kind = chosen ? "chosen" : rank === undefined ? "plain" : "candidate";
    const shape = this.L.geoJSON(zone.outline, { style: { ...this.#ink(kind), className: `zone ${kind}` } });
    const label = rank === undefined ? zone.name : `${rank + 1}`;
    if (rank !== undefined || this.map.getZoom() >= 19) {
      shape.bindTooltip(text(label), { permanent: true, direction: "center", className: `zone-label ${kind}` });
    }
    if (this.props.current.onZone) shape.on("click", () => this.props.current.onZone(zone.zone_id));
    shape.addTo(this.layer);
  }

  /** Colours of the theme, which a canvas does not read from a style sheet. @param {string} kind */
  #ink(kind) {
    const theme = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => theme.getPropertyValue(name).trim();
    if (kind === "chosen") return { color: colour("--leaf"), weight: 3, fillColor: colour("--leaf"), fillOpacity: 0.5 };
    if (kind === "candidate") return { color: colour("--leaf"), weight: 2, fillColor: colour("--leaf"), fillOpacity: 0.15 };
    return { color: colour("--dim"), weight: 1, fillColor: colour("--dim"), fillOpacity: 0.07 };
  }

  /** The name of each road, amid its zones. @param {Zone[]} zones */
  #roads(zones) {
    /** @type {Map<string, Zone[]>} */
    const roads = new Map();
    zones.filter((zone) => zone.road).forEach((zone) => roads.set(zone.road, [...roads.get(zone.road) ?? [], zone]));
    if (roads.size > ROADS_MOST) return;
    for (const [road, along] of roads) {
      const middle = along[along.length >> 1].box;
      this.L.marker([middle[1], (middle[0] + middle[2]) / 2], { interactive: false, keyboard: false,
        icon: this.L.divIcon({ className: "road-label", html: text(road), iconSize: null }) }).addTo(this.layer);
    }
  }

  /** @param {Mark} mark */
  #mark(mark) {
    const colour = getComputedStyle(document.documentElement).getPropertyValue(mark.kind === "own" ? "--leaf" : "--red-line");
    this.L.circleMarker([mark.lat, mark.lon], { radius: 9, weight: 2, color: "#fff", fillColor: colour.trim(), fillOpacity: 0.95 })
      .on("click", () => this.props.current.onMark?.(mark.id)).bindTooltip(text(mark.label)).addTo(this.layer);
  }

  /** @param {Position} position */
  #self({ lon, lat, accuracy_m }) {
    const blue = { color: "#1668d8", weight: 1, fillColor: "#1668d8", fillOpacity: 0.12, interactive: false };
    if (accuracy_m) this.L.circle([lat, lon], { ...blue, radius: accuracy_m }).addTo(this.layer);
    this.L.circleMarker([lat, lon], { ...blue, radius: 7, weight: 3, color: "#fff", fillOpacity: 1 }).addTo(this.layer);
  }
}

/** A node of text, so that a name is never read as markup. @param {string} words */
function text(words) {
  return Object.assign(document.createElement("span"), { textContent: words });
}
