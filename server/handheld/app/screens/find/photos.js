// The photos of a finding that is being written: evidence at once, about the id that the finding will have.

import { t } from "../../words.js";
import { StoppedPhotos } from "../../forms/shots.js";
import { Camera } from "../../parts/camera.js";
import { html, useState } from "../../parts/html.js";
import { isStopped } from "../../parts/outbox_words.js";
import { Button, Thumb } from "../../parts/page.js";
import { roleWords } from "../../parts/roles.js";

/** @typedef {import("../../device/types.d.ts").Shown} Shown */

/**
 * @param {{id: string, scope: string, photos: Shown[], hint: string, before: () => Promise<boolean>}} props
 *   `before` has the draft on disk before its first photo, so that none is left without one
 */
export function Photos({ id, scope, photos, hint, before }) {
  const [open, setOpen] = useState(false);
  async function begin() {
    if (await before()) setOpen(true);
  }
  return html`${hint && html`<p class="hint">${hint}</p>`}
    ${photos.length > 0 && html`<ul class="thumbs">${photos.map((photo) => html`<li key=${photo.id}>
      <${Thumb} sha256=${photo.fields.sha256} alt=${roleWords(photo.fields.role)} /><small>${roleWords(photo.fields.role)}</small>
      ${isStopped(photo) && html`<small>${t("未采纳", "not applied")}</small>`}</li>`)}</ul>`}
    <${StoppedPhotos} photos=${photos} />
    <${Button} onClick=${begin}>${photos.length ? t("再拍", "Take more") : t("拍照", "Take photos")}<//>
    ${open && html`<${Camera} about=${{ type: "finding", id }} scope=${photos[0]?.scope ?? scope}
      onClose=${() => setOpen(false)} />`}`;
}
