// Zones and open findings around.

import { pointOf } from "../device/plane.js";
import { className, useClasses } from "../parts/classes.js";
import { useClockError } from "../parts/clock.js";
import { useDevice, useRecords } from "../parts/device.js";
import { useEmbargo } from "../parts/embargo.js";
import { html, useMemo, useState } from "../parts/html.js";
import { MapView } from "../parts/map.js";
import { Note, Page, Sheet } from "../parts/page.js";
import { PositionLine, usePosition } from "../parts/position.js";
import { go } from "../parts/router.js";
import { OVER, statusWords } from "../parts/states.js";
import { useZones } from "../parts/zone.js";
import { t } from "../words.js";

/** @typedef {import("../device/types.d.ts").Shown} Shown */

export default function Around() {
  const device = useDevice(), live = usePosition(), classes = useClasses(), index = useZones(), all = useRecords("finding"), embargo = useEmbargo();
  const findings = useMemo(() => embargo && all?.filter(({ id }) => !embargo.has(id)), [all, embargo]);
  const [zone, setZone] = useState(/** @type {string | null} */ (null));
  const minute = Math.floor((Date.now() - useClockError()) / 60_000);
  const zones = useMemo(() => index?.inForce(minute * 60_000) ?? [], [index, minute]);
  const marks = useMemo(() => (findings ?? []).flatMap((one) => markOf(one, device.user.id, classes)), [findings, classes]);
  const shown = zones.find(({ zone_id }) => zone_id === zone);
  if (!index || !findings) return html`<${Page} title=${t("周边", "Around")} back="/findings" />`;
  return html`<${Page} title=${t("周边", "Around")} back="/findings">
    <${PositionLine} ...${live} />
    ${!zones.length && html`<${Note} kind="wait">${t("本机还没有责任区数据,联网同步后才有。", "This device has no zones yet; they come with a sync.")}<//>`}
    <${MapView} tall=${true} zones=${zones} position=${live.position} marks=${marks} chosen=${zone} onZone=${setZone}
      onMark=${(/** @type {string} */ id) => go(`/findings/${id}`)} />
    <p class="hint">${t(`${zones.length} 个责任区,${marks.length} 个未结问题`, `${zones.length} zones, ${marks.length} open findings`)}</p>
    ${shown && html`<${Sheet} title=${shown.name} onClose=${() => setZone(null)}><dl class="facts">
      <dt>${t("道路", "Road")}</dt><dd>${shown.road} ${shown.section}</dd>
      <dt>${t("责任人", "Party")}</dt><dd>${shown.party.name ?? "—"}</dd>
      <dt>${t("贴花", "Sticker")}</dt><dd>${shown.sticker_serial ?? "—"}</dd></dl>
      <${In} zone=${shown.zone_id} findings=${findings} classes=${classes} /><//>`}
  <//>`;
}

/** @param {Shown} finding @param {string} user @param {import("../parts/classes.js").Class[]} classes */
function markOf(finding, user, classes) {
  const { id, fields, version } = finding;
  const place = pointOf(fields.position);
  if (!place || OVER.includes(fields.status)) return [];
  const own = version === 0 || fields.inspector_id === user;
  return [{ id, ...place, kind: own ? "own" : "other", label: `${className(fields, classes)} · ${statusWords(finding)}` }];
}

/** The open findings of a zone. @param {{zone: string, findings: Shown[], classes: import("../parts/classes.js").Class[]}} props */
function In({ zone, findings, classes }) {
  const here = findings.filter(({ fields }) => fields.zone?.zone_id === zone && !OVER.includes(fields.status));
  if (!here.length) return html`<p class="hint">${t("没有未结问题", "No open findings")}</p>`;
  return html`<ul class="rows">${here.map((one) => html`<li key=${one.id}><a class="row" href="#/findings/${one.id}"><span class="text">
    <span>${one.fields.text || className(one.fields, classes)}</span><small>${statusWords(one)}</small></span></a></li>`)}</ul>`;
}
