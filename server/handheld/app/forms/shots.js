// The photos of a form: what was taken so far, and the way to the camera.

import { Camera } from "../parts/camera.js";
import { useAsked } from "../parts/device.js";
import { html, useState } from "../parts/html.js";
import { isStopped } from "../parts/outbox_words.js";
import { Button, Note, Thumb } from "../parts/page.js";
import { roleWords } from "../parts/roles.js";
import { SIGNED } from "../parts/signature.js";
import { t } from "../words.js";

/**
 * Thumbnails of evidence, by the ids of its records.
 * @param {{ids: string[]}} props
 */
export function Shots({ ids }) {
  const records = useAsked((device) => Promise.all(ids.map((id) => device.get("evidence", id))), ["shots", ...ids]);
  if (!ids.length) return null;
  return html`<ul class="shots">${(records ?? []).map((record) => record && html`<li key=${record.id}>
    <${Thumb} sha256=${record.fields.sha256} alt=${named(record.fields)} /><span>${named(record.fields)}${isStopped(record) ? t(" · 未采纳", " · not applied") : ""}</span></li>`)}</ul>`;
}

/** Photos that came to the server, but not into the record, and what helps. @param {{photos: import("../device/types.d.ts").Shown[]}} props */
export function StoppedPhotos({ photos }) {
  const count = photos.filter(isStopped).length;
  return count > 0 && html`<${Note} kind="bad"><b>${t(`${count} 张照片未采纳`, `${count} photo${count === 1 ? " was" : "s were"} not applied`)}</b>
    <span>${t("服务器没有及时等到这一条。请主管在隔离区放行,或者补拍。", "The server waited for this one too long. Your supervisor can release them; or take them again.")}</span><//>`;
}

/**
 * A button that opens the camera; each photo is evidence at once.
 * @param {{about: {type: string, id: string}, role: string, scope: string, label?: string, ghost?: string | null, note?: string, kind?: "primary" | "plain",
 *   disabled?: boolean, before?: () => Promise<boolean>, onShot?: (photo: {id: string, role: string}) => unknown}} props
 *   `before` runs before the first shot and may refuse; `onShot` is for a form that names its photos (see `Camera`)
 */
export function ShotButton({ about, role, scope, label, ghost, note, kind = "plain", disabled, before, onShot }) {
  const [open, setOpen] = useState(false);
  async function look() {
    if (!before || await before()) setOpen(true);
  }
  return html`<${Button} kind=${kind} disabled=${disabled} onClick=${look}>
      ${label ?? t(`拍照 · ${roleWords(role)}`, `Photo: ${roleWords(role)}`)}<//>
    ${open && html`<${Camera} about=${about} role=${role} scope=${scope} ghost=${ghost} note=${note} once=${true}
      onShot=${onShot} onClose=${() => setOpen(false)} />`}`;
}

/** Was it drawn or typed as a signature, be it discarded since? Which one counts, only its form says. @param {Record<string, any>} evidence */
export function isSignature({ role, note }) {
  return role === "document" && Boolean(note?.startsWith(SIGNED));
}

/** @param {Record<string, any>} evidence */
function named(evidence) {
  return isSignature(evidence) ? t("签名", "Signature") : roleWords(evidence.role);
}
