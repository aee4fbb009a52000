// The photos of a finding, how far each has come, and the next one from the same angle.

import { t } from "../../words.js";
import { Camera } from "../../parts/camera.js";
import { useEvidence, usePhotos, useRecord } from "../../parts/device.js";
import { html, useState } from "../../parts/html.js";
import { wayWords } from "../../parts/outbox_words.js";
import { Button, Section, Sheet, Thumb } from "../../parts/page.js";
import { roleWords } from "../../parts/roles.js";
import { OVER } from "../../parts/states.js";
import { when } from "../../parts/time.js";
import { StoppedPhotos } from "../../forms/shots.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("../../device/types.d.ts").Shown} Shown */

/** @param {{finding: Shown, photos: Shown[]}} props */
export function PhotosShown({ finding, photos }) {
  const visit = finding.fields.inspection_id ?? "", inspection = useRecord("inspection", visit), about = useEvidence(visit) ?? [];
  const item = Object.values(inspection?.fields.answers ?? {}).find((one) => one.finding_id === finding.id), before = about.filter(({ id }) => item?.photos?.includes(id));
  const here = usePhotos(), [camera, setCamera] = useState(/** @type {{role?: string, ghost?: string} | null} */ (null));
  const [pairing, setPairing] = useState(false), [shown, setShown] = useState(/** @type {Shown | null} */ (null));
  const states = new Map((here ?? []).map(({ sha256, state }) => [sha256, state]));
  const earlier = [...photos, ...before].filter(({ fields }) => ["scene", "before", "close"].includes(fields.role));
  function after() {
    if (earlier.length > 1) setPairing(true);
    else setCamera({ role: "after", ghost: earlier[0]?.fields.sha256 });
  }
  const listed = (/** @type {Shown[]} */ some, /** @type {(photo: Shown) => void} */ onTap) => some.length > 0 && html`<ul class="thumbs">${some.map((photo) => html`<li key=${photo.id}>
    <button type="button" class="thumb-button" aria-label=${`${roleWords(photo.fields.role)} ${when(photo.fields.captured_at)}`} onClick=${() => onTap(photo)}>
      <${Thumb} sha256=${photo.fields.sha256} alt="" /></button>
    <small>${roleWords(photo.fields.role)}</small><small>${wayWords(photo, states)}</small></li>`)}</ul>`;
  const count = photos.length + before.length;
  return html`<${Section} title=${t(`照片 ${count}`, `Photos ${count}`)}>
    ${listed(photos, setShown)}
    <${StoppedPhotos} photos=${photos} />
    ${inspection && html`<a class="link" href="#/inspect/${visit}">${t("来自检查中这一项", "From this item of the inspection")}</a>`}
    ${listed(before, setShown)}
    ${!OVER.includes(finding.fields.status) && html`<div class="buttons">
      <${Button} onClick=${() => setCamera({})}>${t("补拍", "Add photos")}<//>
      <${Button} onClick=${after}>${t("拍整改后", "After photo")}<//></div>`}
    ${pairing && html`<${Sheet} title=${t("和哪张对比?同一角度拍", "Which one to match? Take the same angle")} onClose=${() => setPairing(false)}>
      ${listed(earlier, ({ fields }) => { setPairing(false); setCamera({ role: "after", ghost: fields.sha256 }); })}<//>`}
    ${camera && html`<${Camera} about=${{ type: "finding", id: finding.id }} scope=${finding.scope} role=${camera.role} ghost=${camera.ghost}
      onClose=${() => setCamera(null)} />`}
    ${shown && html`<${Viewer} photo=${shown} way=${wayWords(shown, states)} onClose=${() => setShown(null)} />`}
  <//>`;
}
