// Findings nearby that may be the same thing.

import { t } from "../../words.js";
import { className } from "../../parts/classes.js";
import { html } from "../../parts/html.js";
import { Note } from "../../parts/page.js";
import { ago } from "../../parts/time.js";

/** @param {{twins: {record: import("../../device/types.d.ts").Shown, distance_m: number}[], classes: import("../../parts/classes.js").Class[]}} props */
export function Twins({ twins, classes }) {
  if (!twins.length) return null;
  return html`<${Note} kind="warn"><strong>${t("附近可能已有人报过:", "Perhaps reported already, near here:")}</strong>
    <ul class="rows">${twins.map(({ record, distance_m }) => html`<li key=${record.id}><a class="row" href="#/findings/${record.id}">
      <span class="text"><span>${record.fields.text || className(record.fields, classes)}</span>
        <small>${Math.round(distance_m)} m · ${ago(record.fields.observed_at)}</small></span></a></li>`)}</ul><//>`;
}
