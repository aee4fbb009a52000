// Which zone a form is about: its sticker scanned, or one tap among the zones nearby or searched by name.

import { useRecord, useRecords } from "../parts/device.js";
import { html, useMemo, useState } from "../parts/html.js";
import { Button, Field, Note, Sheet } from "../parts/page.js";
import { usePosition } from "../parts/position.js";
import { Scan } from "../parts/scan.js";
import { t } from "../words.js";
import { partyName } from "./fields.js";
import { pointOf, zonesNear } from "./places.js";

const SHOWN = 30, NEXT_TO = 3, NEXT_TO_M = 60;

/** @typedef {{zone_id: string, zone_method: "sticker" | "person", sticker_serial?: string}} Chosen */

/** @param {{zone_id?: string | null, onChosen: (chosen: Chosen) => void, label?: string}} props */
export function ZoneField({ zone_id: id, onChosen, label }) {
  const zone = useRecord("zone", id ?? "");
  const [open, setOpen] = useState(false);
  return html`<${Field} label=${label ?? t("责任区", "Zone")}>
    ${id && zone ? html`<p class="zone-chosen"><b>${zone.fields.name}</b>
        <small>${[zone.fields.road, zone.fields.section].filter(Boolean).join(" · ")}</small>
        <small>${t("责任人", "Party")} ${partyName(zone.fields)}</small></p>`
      : id && zone === null ? html`<${Note} kind="warn">${t("此责任区不在本机", "This zone is not on this device")}<//>` : null}
    ${!id && html`<${NextTo} onChosen=${onChosen} />`}
    <${Button} onClick=${() => setOpen(true)}>
      ${id ? t("更换责任区", "Another zone") : t("选择责任区", "Choose the zone")}<//>
    ${open && html`<${ZoneSheet} onClose=${() => setOpen(false)}
      onChosen=${(/** @type {Chosen} */ chosen) => { setOpen(false); onChosen(chosen); }} />`}<//>`;
}

/** The zones that one stands at, each one tap away. @param {{onChosen: (chosen: Chosen) => void}} props */
function NextTo({ onChosen }) {
  const zones = useRecords("zone");
  const here = pointOf(usePosition().position);
  const near = useMemo(() => (here ? zonesNear(zones ?? [], here, "").filter(({ away }) => away !== null && away <= NEXT_TO_M) : []),
    [zones, here?.lon, here?.lat]);
  if (!near.length) return null;
  return html`<${Picks} found=${near.slice(0, NEXT_TO)} onChosen=${onChosen} />`;
}

/** @param {{found: {zone: import("../device/types.d.ts").Shown, away: number | null}[], onChosen: (chosen: Chosen) => void}} props */
function Picks({ found, onChosen }) {
  return html`<ul class="listed">${found.map(({ zone, away }) => html`<li key=${zone.id}>
    <button type="button" onClick=${() => onChosen({ zone_id: zone.id, zone_method: "person" })}>
      <b>${zone.fields.name}</b><small>${[zone.fields.road, zone.fields.section].filter(Boolean).join(" · ")}
      ${away === null ? "" : ` · ${Math.round(away)} m`}</small></button></li>`)}</ul>`;
}

/** @param {{onChosen: (chosen: Chosen) => void, onClose: () => void}} props */
function ZoneSheet({ onChosen, onClose }) {
  const zones = useRecords("zone");
  const { position } = usePosition();
  const [words, setWords] = useState("");
  const [scanning, setScanning] = useState(false);
  const [unknown, setUnknown] = useState("");
  const here = pointOf(position);
  const found = useMemo(() => zonesNear(zones ?? [], here, words), [zones, here?.lon, here?.lat, words]);

  /** @param {string} serial */
  function scanned(serial) {
    setScanning(false);
    const zone = (zones ?? []).find((one) => one.fields.sticker_serial === serial);
    if (zone) onChosen({ zone_id: zone.id, zone_method: "sticker", sticker_serial: serial });
    else setUnknown(serial);
  }

  return html`<${Sheet} title=${t("选择责任区", "Choose the zone")} onClose=${onClose}>
    <${Button} onClick=${() => { setUnknown(""); setScanning(true); }}>${t("扫贴花", "Scan the sticker")}<//>
    ${scanning && html`<${Scan} title=${t("扫贴花", "Scan the sticker")} typed=${t("贴花编号", "Sticker serial")}
      onRead=${scanned} onClose=${() => setScanning(false)} />`}
    ${unknown && html`<${Note} kind="warn">${t(`本机没有贴花 ${unknown} 的责任区,请从下面选择`,
      `No zone here has the sticker ${unknown}; choose one below`)}<//>`}
    <${Field} label=${t("按名称、路段、责任人查找", "Search by name, road or party")}>
      <input type="search" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /><//>
    ${zones && !found.length && html`<p class="hint">${zones.length ? t("没有符合的责任区", "No zone fits")
      : t("本机还没有责任区,请联网同步一次", "No zones on this device yet: sync once with a network")}</p>`}
    <${Picks} found=${found.slice(0, SHOWN)} onChosen=${onChosen} />
    ${found.length > SHOWN && html`<p class="hint">${t(`还有 ${found.length - SHOWN} 处,请缩小查找`,
      `${found.length - SHOWN} more: narrow the search`)}</p>`}<//>`;
}
