// One finding: what it says, its photos, zone and state, what was done to it here, and what may be done now.

import { ConflictNotes, ReturnNotes } from "../forms/record_notes.js";
import { valueWords } from "../forms/values.js";
import { className, useClasses } from "../parts/classes.js";
import { useDevice, useEvidence, useOutbox, useRecord } from "../parts/device.js";
import { Embargoed, useEmbargo } from "../parts/embargo.js";
import { outcomeWords } from "../parts/failures.js";
import { html } from "../parts/html.js";
import { Button, Note, Page, Section } from "../parts/page.js";
import { useMay } from "../parts/reference.js";
import { go } from "../parts/router.js";
import { OVER, statusWords } from "../parts/states.js";
import { when } from "../parts/time.js";
import { t } from "../words.js";
import { Edit, LeftEdit, Remove } from "./finding/edit.js";
import { Gone } from "./finding/gone.js";
import { History } from "./finding/history.js";
import { PhotosShown } from "./finding/photos.js";
import { Steps } from "./finding/steps.js";
import { ZoneShown } from "./finding/zone.js";

/** @param {{params: Record<string, string>}} props */
export default function Finding({ params: { id } }) {
  const device = useDevice(), classes = useClasses(), may = useMay();
  const finding = useRecord("finding", id), made = useOutbox({ all: true, record_id: id }), photos = useEvidence(id);
  const embargo = useEmbargo();
  if (embargo?.has(id)) {
    return html`<${Page} title=${t("问题", "Finding")} back="/findings"><${Embargoed} /><${LeftEdit} id=${id} /><//>`;
  }
  if (finding === undefined || !made || !photos || !embargo) return html`<${Page} title=${t("问题", "Finding")} back="/findings" />`;
  if (!finding) {
    return html`<${Page} title=${t("问题", "Finding")} back="/findings"><${Gone} made=${made} /><${LeftEdit} id=${id} />
      <${History} made=${made} /><//>`;
  }
  const { fields, unsent, problems, version } = finding;
  const own = fields.inspector_id === device.user.id || made.some(({ body }) => body.op === "put" && body.scope && body.base === 0);
  return html`<${Page} title=${className(fields, classes)} back="/findings" actions=${html`
      <${Button} onClick=${() => go("/find")}>${t("再报一件", "Report another")}<//>`}>
    <p class="badges"><span class="badge ${problems.length && !fields.status ? "bad" : ""}">${statusWords(finding)}</span>
      ${unsent > 0 && html`<span class="badge wait">${t(`${unsent} 项待送`, `${unsent} unsent`)}</span>`}
      ${version > 0 && !unsent && html`<span class="badge ok">${t("服务器已有", "on the server")}</span>`}
      ${fields.severity !== undefined && html`<span class="badge">${t("程度", "severity")} ${valueWords("severity", fields.severity)}</span>`}</p>
    ${problems.map((problem, n) => html`<${Note} key=${n} kind="bad"><b>${t("未采纳", "Not applied")}</b>
      <span>${outcomeWords(problem)} <a href="#/sync">${t("原样留在服务器,由主管处理。", "Kept whole on the server for the supervisor.")}</a></span><//>`)}
    <${ConflictNotes} id=${id} /><${ReturnNotes} id=${id} />
    <${Section}>
      ${fields.text && html`<p class="said">${fields.text}</p>`}
      <dl class="facts">
        <dt>${t("发现于", "Seen")}</dt><dd>${when(fields.observed_at)}</dd>
        ${fields.address && html`<dt>${t("地址", "Address")}</dt><dd>${fields.address}</dd>`}
        ${fields.position && html`<dt>${t("定位", "Position")}</dt><dd>${fields.position.lat.toFixed(5)}, ${fields.position.lon.toFixed(5)}
          ${fields.position.accuracy_m !== undefined && ` ±${Math.round(fields.position.accuracy_m)}\u00a0m`}</dd>`}
        ${fields.sticker_serial && html`<dt>${t("贴花", "Sticker")}</dt><dd>${fields.sticker_serial}</dd>`}
        ${fields.tags?.length > 0 && html`<dt>${t("标签", "Tags")}</dt><dd>${fields.tags.join("、")}</dd>`}
        ${fields.due_at && html`<dt>${t("期限", "Due")}</dt><dd>${when(fields.due_at)}</dd>`}
        ${fields.duplicates?.length > 0 && html`<dt>${t("疑似重复", "Perhaps the same")}</dt><dd>${fields.duplicates.map((/** @type {string} */ twin) => html`<${Twin} key=${twin} id=${twin} />`)}</dd>`}</dl>
      <${Edit} finding=${finding} /><//>
    <${ZoneShown} finding=${finding} made=${made} own=${own} />
    <${PhotosShown} finding=${finding} photos=${photos} />
    <${Steps} finding=${finding} made=${made} photos=${photos} />
    ${may("enforcement") && !OVER.includes(fields.status) && html`<${Button} onClick=${() => go(`/enforcement?finding=${id}`)}>
      ${t("劝导 / 责令", "Persuade / order")}<//>`}
    <${History} made=${made} />
    <${Remove} finding=${finding} own=${own} />
  <//>`;
}

/** Another finding by what it says; one that a re-visit hides, or that is not here, by its number. @param {{id: string}} props */
function Twin({ id }) {
  const fields = useRecord("finding", id)?.fields, classes = useClasses(), embargo = useEmbargo();
  const shown = fields && embargo && !embargo.has(id);
  return html`<a href="#/findings/${id}">${shown ? [fields.text?.slice(0, 20) || className(fields, classes), when(fields.observed_at)].join(" · ") : t(`编号…${id.slice(-4)}`, `no. …${id.slice(-4)}`)}</a> `;
}
