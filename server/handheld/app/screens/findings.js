// All findings of this device: filtered, searched, and drawn a window at a time, so that thousands scroll smoothly.

import { zoneName } from "../forms/values.js";
import { className, useClasses } from "../parts/classes.js";
import { useDevice, useKept, useRecords } from "../parts/device.js";
import { useEmbargo } from "../parts/embargo.js";
import { html, useMemo, useState } from "../parts/html.js";
import { Page } from "../parts/page.js";
import { OVER, statusWords } from "../parts/states.js";
import { when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { Windowed } from "../parts/windowed.js";
import { t } from "../words.js";

/** @typedef {import("../device/types.d.ts").Shown} Shown */

const ROW_PX = 76;
const FILTERS = /** @type {Record<string, {words: () => string, holds: (one: Shown, user: string) => boolean}>} */ ({
  open: { words: () => t("未结", "Open"), holds: ({ fields }) => !OVER.includes(fields.status) },
  mine: { words: () => t("我报的", "Mine"), holds: ({ fields, version }, user) => version === 0 || fields.inspector_id === user },
  check: { words: () => t("待核查", "To check"), holds: ({ fields }) => fields.status === "checking" },
  zone: { words: () => t("待认责任区", "Zone open"), holds: ({ fields }) => fields.zone?.decision === "ambiguous" && fields.zone.method !== "person" },
  unsent: { words: () => t("待送", "Unsent"), holds: ({ unsent, problems }) => unsent > 0 || problems.length > 0 },
  all: { words: () => t("全部", "All"), holds: () => true },
});

export default function Findings() {
  const device = useDevice(), classes = useClasses(), records = useRecords("finding"), embargo = useEmbargo();
  const [filter, putFilter] = useKept("findings-filter", "open"), [typed, setTyped] = useState("");
  const found = useMemo(() => records && embargo && select(records.filter(({ id }) => !embargo.has(id)), filter ?? "open", typed, device.user.id, classes),
    [records, embargo, filter, typed, classes]);
  return html`<${Page} title=${t("问题", "Findings")} tools=${html`<a class="link" href="#/map">${t("地图", "Map")}</a>`}>
    <input type="search" value=${typed} aria-label=${t("搜索问题", "Search findings")} placeholder=${t("说明、地址、类别、责任区", "words, address, class, zone")}
      onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)} />
    <div class="pills sideways" role="group" aria-label=${t("筛选", "Filter")}>${Object.entries(FILTERS).map(([name, { words }]) => html`
      <button type="button" key=${name} class="pill" aria-pressed=${filter === name} onClick=${() => tried(() => putFilter(name))}>${words()}</button>`)}</div>
    ${found ? html`<p class="hint" role="status">${t(`${found.length} 条`, `${found.length} findings`)}</p>
      <${Windowed} items=${found} row=${ROW_PX} keyOf=${(/** @type {Shown} */ one) => one.id}
        label=${t("问题列表", "List of findings")} draw=${(/** @type {Shown} */ one) => html`<${Row} finding=${one} classes=${classes} />`} />`
      : html`<p class="loading">${t("正在读取…", "Reading …")}</p>`}
  <//>`;
}

/**
 * @param {Shown[]} records
 * @param {string} filter
 * @param {string} typed
 * @param {string} user
 * @param {import("../parts/classes.js").Class[]} classes
 */
function select(records, filter, typed, user, classes) {
  const wanted = typed.trim().toLowerCase(), { holds } = FILTERS[filter] ?? FILTERS.all;
  const names = new Map(classes.map((one) => [`${one.scheme}/${one.code}`, one.name]));
  const said = (/** @type {Shown} */ { fields }) => [fields.text, fields.address, names.get(`${fields.class_scheme}/${fields.class_code}`), fields.class_code,
    zoneName(fields), fields.sticker_serial, ...fields.tags ?? []].join("\n").toLowerCase();
  return records.filter((one) => holds(one, user) && (!wanted || said(one).includes(wanted)))
    .sort((a, b) => a.fields.observed_at < b.fields.observed_at ? 1 : -1);
}

/** @param {{finding: Shown, classes: import("../parts/classes.js").Class[]}} props */
function Row({ finding, classes }) {
  const { id, fields, unsent, problems } = finding;
  return html`<a class="row" href="#/findings/${id}"><span class="text">
      <span class="one-line">${fields.text || fields.address || className(fields, classes)}</span>
      <small class="one-line">${[className(fields, classes), zoneName(fields), when(fields.observed_at)].filter(Boolean).join(" · ")}</small></span>
    ${problems.length ? html`<span class="badge bad">${t("未采纳", "not applied")}</span>`
      : unsent ? html`<span class="badge wait">${t("待送", "unsent")}</span>`
        : html`<span class="badge ${OVER.includes(fields.status) ? "ok" : ""}">${statusWords(finding)}</span>`}</a>`;
}
