// An enforcement record that was kept: its text, how it was served, and what the server's checks say of it.

import { useDevice, useEvidence, useRecord } from "../parts/device.js";
import { Embargoed, useEmbargo } from "../parts/embargo.js";
import { html } from "../parts/html.js";
import { Note, Page, Section } from "../parts/page.js";
import { useReference } from "../parts/reference.js";
import { when } from "../parts/time.js";
import { t } from "../words.js";
import { Delivery } from "./letter_told.js";
import { ConflictNotes, ReturnNotes } from "./record_notes.js";
import { Shots } from "./shots.js";
import { valueWords } from "./values.js";

/** @param {{id: string}} props */
export function EnforcementTold({ id }) {
  const device = useDevice();
  const record = useRecord("enforcement", id);
  const reference = useReference(), embargo = useEmbargo();
  const photos = useEvidence(id) ?? [];
  const title = t("执法记录", "Enforcement");
  if (record === undefined || !embargo) return html`<${Page} title=${title} back="/enforcement" />`;
  if (record === null) {
    return html`<${Page} title=${title} back="/enforcement"><${Note}>${t("此记录已放弃,或不在本机。", "It was given up, or is not on this device.")}<//><//>`;
  }
  if (embargo.has(record.fields.finding_id)) return html`<${Page} title=${title} back="/enforcement"><${Embargoed} /><//>`;
  const { fields } = record, served = fields.served ?? {};
  const step = reference.enforcement_kinds.find((/** @type {any} */ one) => one.kind === fields.kind);
  const offence = reference.offences.find((/** @type {any} */ one) => one.code === fields.offence_code);
  return html`<${Page} title=${step ? t(step.name_cn, step.name_en) : fields.kind} back="/enforcement">
    <${Delivery} record=${record} /><${ConflictNotes} id=${id} /><${ReturnNotes} id=${id} />
    ${fields.status === "issued" && html`<${Note} kind="ok">${t("已送达并封存:以后的更改只能作为补充。", "Served and sealed: later edits become amendments.")}<//>`}
    ${fields.status === "concluded" && html`<${Note} kind="ok">${t("已结案归档。", "Concluded and archived.")}<//>`}
    ${(fields.checks ?? []).map((/** @type {any} */ check) => html`<${Note} kind="warn" key=${check.code}>${check.code === "two_officers"
      ? t(`服务器核对:只有 ${check.detail?.officers ?? 0} 名执法人员,应有 2 名(${check.law})。`,
        `The server's check: ${check.detail?.officers ?? 0} officers, two are needed (${check.law}).`)
      : `${check.code} ${check.law ?? ""}`}<//>`)}
    ${record.version > 0 && fields.checks?.length === 0 && html`<${Note} kind="ok">${t("服务器核对:没有发现问题。", "The server's checks found nothing amiss.")}<//>`}
    <p class="hint">${fields.party_name ? `${fields.party_name} · ` : ""}${when(served.at)}${fields.due_at ? t(` · 限期 ${when(fields.due_at)}`, ` · due ${when(fields.due_at)}`) : ""}</p>
    ${offence && html`<p><b>${offence.code}</b> ${offence.name}</p>`}
    ${served.text ? html`<pre class="order-text">${served.text}</pre>` : html`<p>${fields.facts}</p>`}
    <p>${t("执法人员", "Officers")} ${valueWords("officers", fields.officers ?? [], device.user)}</p>
    ${served.how === "refused" && html`<${Note} kind="warn">${t(`拒签:${served.reason}(见证人 ${served.witness})`, `Refused: ${served.reason} (witness ${served.witness})`)}<//>`}
    ${photos.length > 0 && html`<${Section} title=${t("照片与签名", "Photos and signature")}><${Shots} ids=${photos.map((one) => one.id)} /><//>`}<//>`;
}
