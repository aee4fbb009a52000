// The zones of this device, and the one that a finding lies in: what is reckoned, and a person's choice by one tap.

import { ZoneIndex, decided, zoneOf } from "../device/zones.js";
import { t } from "../words.js";
import { useClockError } from "./clock.js";
import { useDevice } from "./device.js";
import { html, useEffect, useMemo, useState } from "./html.js";
import { MapView } from "./map.js";
import { Note } from "./page.js";
import { useReference } from "./reference.js";
import { tried } from "./tried.js";

/** @typedef {import("../device/zones.js").Zone} Zone */
/** @typedef {import("../device/zones.js").Attribution} Attribution */
/** @typedef {import("../device/zones.js").Candidate} Candidate */
/** @typedef {import("../device/types.d.ts").Device} Device */
/** @typedef {import("../device/types.d.ts").Position} Position */

const FRESH_MS = 60_000, NEAREST_MOST = 20;
/** @type {WeakMap<Device, {at: number, index: ZoneIndex}>} */
const read = new WeakMap();

/**
 * All zones in an index, undefined while loading. Read at most once a minute: they change by an import, not by work.
 * @returns {ZoneIndex | undefined}
 */
export function useZones() {
  const device = useDevice(), { attribution } = useReference();
  const [index, setIndex] = useState(read.get(device)?.index);
  useEffect(() => {
    let over = false;
    async function look() {
      const known = read.get(device);
      if (known?.index.zones.length && Math.abs(Date.now() - known.at) < FRESH_MS) {
        if (!over) setIndex(known.index); // another part of the screen may have read it between this one's drawing and now
        return;
      }
      const zones = (await device.records("zone")).map(zoneOf).filter((zone) => zone !== null);
      const kept = read.get(device)?.index, same = kept && mark(kept.zones) === mark(zones);
      const now = same ? kept : new ZoneIndex(zones, attribution);
      read.set(device, { at: Date.now(), index: now });
      if (!over) setIndex(now);
    }
    const ask = () => void tried(look);
    ask();
    const stop = device.onChange(ask);
    return () => {
      over = true;
      stop();
    };
  }, [device, attribution]);
  return index;
}

/** What tells two readings of the register apart. @param {Zone[]} zones */
function mark(zones) {
  return `${zones.length} ${zones.reduce((sum, { version }) => sum + version, 0)} ${zones.map(({ zone_id }) => zone_id).sort().join("")}`;
}

/**
 * What the zones say to a position or a sticker at a moment; null while zones are loading or nothing is known. Where a clock
 * that is off finds nothing, the zones of the right time are told: of those a person has to say which it is, for the server
 * goes by the time that was recorded.
 * @param {{position: Position | null | undefined, at: string, sticker?: string | null}} asked
 * @returns {Attribution | null}
 */
export function useAttribution({ position, at, sticker }) {
  const index = useZones(), error = useClockError();
  return useMemo(() => {
    if (!index || (!position && !sticker)) return null;
    const place = position ? { lon: position.lon, lat: position.lat } : null;
    const asked = { place, accuracy_m: position?.accuracy_m, at: Date.parse(at), sticker }, recorded = index.attribute(asked);
    if (recorded.candidates.length || !error) return recorded;
    const right = index.attribute({ ...asked, at: asked.at - error });
    return right.decision === "certain" ? { ...right, decision: /** @type {const} */ ("probable") } : right;
  }, [index, error, position?.lon, position?.lat, position?.accuracy_m, at, sticker]);
}

/** Does a person have to say which zone it is? @param {Attribution | null} attribution */
export function isOpen(attribution) {
  return attribution !== null && attribution.candidates.length > 0 && attribution.decision !== "certain";
}

const DECISIONS = {
  certain: () => t("责任区已确定", "The zone is certain"),
  probable: () => t("很可能是第一个,请点一下确认", "Probably the first: tap to confirm"),
  ambiguous: () => t("可能是其中一个,请点一下", "It may be one of these: tap it"),
  none: () => t("不在任何责任区内;若不对请点选", "In no zone; if that is wrong, tap one"),
};

/**
 * Candidates in their order, with a map that can be tapped as well.
 * @param {{attribution: Attribution | null, value: string | null | undefined, position?: Position | null, at: string,
 *   scope?: string, onChange: ((zoneId: string | null | undefined) => void) | null, lasting?: boolean}} props
 *   `value` undefined: nobody has chosen; null: none of them. Without `onChange` they are shown and cannot be tapped; a `lasting`
 *   choice is made anew, but not taken back
 */
export function ZonePicker({ attribution, value, position, at, scope, onChange, lasting }) {
  const index = useZones(), error = useClockError();
  const inForce = useMemo(() => [...new Map([error, 0].flatMap((off) => index?.inForce(Date.parse(at) - off) ?? [])
    .map((zone) => [zone.zone_id, zone])).values()], [index, at, error]);
  const candidates = attribution?.candidates ?? [];
  if (!index) return html`<p class="hint">${t("正在读取责任区…", "Reading the zones …")}</p>`;
  if (!index.zones.length) {
    return html`<${Note} kind="wait">${t("本机还没有责任区数据,联网同步后才有;由服务器认定。",
      "This device has no zones yet, they come with a sync; the server decides.")}<//>`;
  }
  if (!candidates.length && !onChange) return html`<p class="hint">${t("由审核人员认定", "A reviewer decides")}</p>`;
  if (!candidates.length) return html`<${Elsewhere} ...${{ attribution, inForce, value, position, scope, onChange }} />`;
  const settled = value === undefined && attribution?.decision === "certain" ? candidates[0].zone_id : value;
  const ranks = new Map(candidates.map((one, n) => [one.zone_id, n]));
  return html`<div class="zone-picker">
    <p class="hint" role="status">${value === undefined ? DECISIONS[attribution?.decision ?? "none"]()
      : t("已由你认定", "Chosen by you")}</p>
    <${MapView} zones=${inForce} ranks=${ranks} chosen=${settled} position=${position}
      onZone=${(/** @type {string} */ id) => ranks.has(id) && onChange?.(id)} />
    <ol class="candidates" aria-label=${t("候选责任区", "Candidate zones")}>${candidates.map((one, n) => html`
      <li key=${one.zone_id}><button type="button" class="candidate" aria-pressed=${one.zone_id === settled}
        disabled=${!onChange} onClick=${() => onChange?.(one.zone_id)}><b>${n + 1}</b><span><strong>${one.name}</strong>
          <small>${words(one, index)}</small></span></button></li>`)}
      ${onChange && html`<li><button type="button" class="candidate" aria-pressed=${settled === null} onClick=${() => onChange(null)}>
        <b>–</b><span><strong>${t("都不是", "None of these")}</strong></span></button></li>`}</ol>
    ${onChange && value !== undefined && !lasting && html`<button type="button" class="link" onClick=${() => onChange(undefined)}>
      ${t("撤销选择", "Undo the choice")}</button>`}</div>`;
}

/** @param {Candidate} one @param {ZoneIndex} index */
function words(one, index) {
  const zone = index.zones.find(({ zone_id }) => zone_id === one.zone_id);
  return [zone?.road, zone?.party.name !== one.name && zone?.party.name,
    one.method === "sticker" ? t("贴花", "sticker") : `${Math.round(one.probability * 100)} %`,
    one.distance_m === null ? "" : one.inside ? t("在区内", "inside")
      : one.distance_m < 0.5 ? t("在边上", "at its edge") : `${one.distance_m.toFixed(1)} m`].filter(Boolean).join(" · ");
}

/**
 * Nothing near: the zone may be named by hand, as somebody does who reports from an address.
 * @param {{attribution: Attribution | null, inForce: Zone[], value: string | null | undefined, scope?: string,
 *   position?: Position | null, onChange: (zoneId: string | null | undefined) => void}} props
 */
function Elsewhere({ attribution, inForce, value, scope = "", onChange }) {
  const [text, setText] = useState("");
  const chosen = inForce.find(({ zone_id }) => zone_id === value);
  const found = text.trim() ? inForce.filter((zone) => scope.startsWith(zone.scope) || zone.scope.startsWith(scope))
    .filter(({ name, road, section, party, sticker_serial }) => [name, road, section, party.name, sticker_serial]
      .some((part) => part?.toLowerCase().includes(text.trim().toLowerCase()))).slice(0, NEAREST_MOST) : [];
  return html`<div class="zone-picker"><p class="hint" role="status">${attribution ? DECISIONS.none()
      : t("没有定位也没有贴花:可按店名或路名找责任区", "No position and no sticker: find the zone by name or road")}</p>
    ${chosen && html`<button type="button" class="candidate" aria-pressed="true" onClick=${() => onChange(undefined)}>
      <b>✓</b><span><strong>${chosen.name}</strong><small>${chosen.road} · ${t("再点撤销", "tap to undo")}</small></span></button>`}
    <input type="search" value=${text} placeholder=${t("店名、路名或贴花号", "shop, road or sticker")}
      aria-label=${t("查找责任区", "Find a zone")} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} />
    <ol class="candidates">${found.map((zone) => html`<li key=${zone.zone_id}><button type="button" class="candidate"
      onClick=${() => { onChange(zone.zone_id); setText(""); }}><b>·</b><span><strong>${zone.name}</strong>
        <small>${zone.road} ${zone.section}</small></span></button></li>`)}</ol></div>`;
}

export { decided };
