// One photo as large as the screen, with what is known of it.

import { t } from "../../words.js";
import { html } from "../../parts/html.js";
import { Note, Sheet } from "../../parts/page.js";
import { awaited, usePicture } from "../../parts/picture.js";
import { roleWords } from "../../parts/roles.js";
import { when } from "../../parts/time.js";

/** @param {{photo: import("../../device/types.d.ts").Shown, way: string, onClose: () => void}} props */
export function Viewer({ photo: { fields }, way, onClose }) {
  const url = usePicture(fields.sha256);
  return html`<${Sheet} title=${roleWords(fields.role)} onClose=${onClose}>
    ${url && html`<img class="whole" src=${url} alt=${roleWords(fields.role)} />`}
    ${url === null && html`<${Note} kind="wait">${awaited()}<//>`}
    <dl class="facts"><dt>${t("拍摄", "Taken")}</dt><dd>${when(fields.captured_at)}</dd><dt>${t("状态", "State")}</dt><dd>${way}</dd>
      ${fields.note && html`<dt>${t("备注", "Note")}</dt><dd>${fields.note}</dd>`}
      <dt>SHA-256</dt><dd><code>${fields.sha256.slice(0, 16)}…</code></dd></dl><//>`;
}
