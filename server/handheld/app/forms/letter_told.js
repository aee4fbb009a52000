// A letter that was kept: what it says, that it is sealed, and how far it has come.

import { useEvidence, useRecord } from "../parts/device.js";
import { outcomeWords } from "../parts/failures.js";
import { html } from "../parts/html.js";
import { Note, Page, Section } from "../parts/page.js";
import { useReference } from "../parts/reference.js";
import { when } from "../parts/time.js";
import { t } from "../words.js";
import { Shots } from "./shots.js";

/** @param {{id: string}} props */
export function LetterTold({ id }) {
  const letter = useRecord("letter", id);
  const zone = useRecord("zone", letter?.fields.zone_id ?? "");
  const photos = useEvidence(id) ?? [];
  const duties = useReference().duties;
  if (letter === undefined) return html`<${Page} title=${t("责任书", "Letter")} back="/letter" />`;
  if (letter === null) {
    return html`<${Page} title=${t("责任书", "Letter")} back="/letter"><${Note}>${t("此责任书已放弃,或不在本机。", "It was given up, or is not on this device.")}<//><//>`;
  }
  const { fields } = letter, refused = fields.refused;
  return html`<${Page} title=${zone?.fields.name ?? t("责任书", "Letter")} back="/letter">
    <${Delivery} record=${letter} />
    ${fields.signed_at ? html`<${Note} kind="ok">${t(`已签并封存 ${when(fields.signed_at)}`, `Signed and sealed ${when(fields.signed_at)}`)}<//>`
      : html`<${Note} kind="warn">${t(`拒签:${refused?.reason ?? ""}(见证人 ${fields.witness?.name ?? fields.witness ?? "—"})`,
        `Refused: ${refused?.reason ?? ""} (witness ${fields.witness?.name ?? fields.witness ?? "—"})`)}<//>`}
    <p>${fields.party_name ? `${t("责任人", "Party")} ${fields.party_name} · ` : ""}${fields.period?.from ?? fields.period ?? ""} – ${fields.period?.to ?? ""}</p>
    ${fields.sticker_serial && html`<p>${t("贴花", "Sticker")} ${fields.sticker_serial}</p>`}
    <${Section} title=${t("责任", "Duties")}><ul class="told">${Object.keys(fields.duties ?? {}).map((name) => {
      const duty = duties.find((/** @type {any} */ one) => one.duty === name);
      return html`<li key=${name}>${duty ? t(duty.text_cn, duty.text_en) : name}</li>`;
    })}</ul><//>
    <${Shots} ids=${photos.map((one) => one.id)} /><//>`;
}

/** How far a record has come, in words. @param {{record: import("../device/types.d.ts").Shown}} props */
export function Delivery({ record }) {
  return html`${record.unsent ? html`<${Note} kind="wait">${t("已存在本机,等待送达。", "Kept on this device, waits to be delivered.")}<//>`
    : record.version && !record.problems.length ? html`<${Note} kind="ok">${t("服务器已收到。", "The server has it.")}<//>` : null}
    ${record.problems.map((problem) => html`<${Note} kind="bad">${outcomeWords(problem)}
      ${t("主管可在隔离区看到并放行。", "A supervisor sees it in the quarantine and can release it.")}<//>`)}`;
}
