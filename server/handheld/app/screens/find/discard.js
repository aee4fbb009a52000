// To give a draft up: one without photos is dropped, one with photos leaves with a reason that everybody can read.

import { t } from "../../words.js";
import { useDevice } from "../../parts/device.js";
import { failureWords } from "../../parts/failures.js";
import { html, useState } from "../../parts/html.js";
import { Button, Field, Note, Sheet, say } from "../../parts/page.js";
import { go } from "../../parts/router.js";
import { useShots } from "../../parts/unkept.js";
import { giveUp } from "./keep.js";

/** @typedef {import("../find.js").Draft} Draft */

/**
 * @param {{id: string, draft: {value?: Draft | null, drop: () => Promise<void>}, photos: import("../../device/types.d.ts").Shown[],
 *   place: import("./keep.js").Placed}} props
 */
export function Discard({ id, draft, photos, place }) {
  const device = useDevice(), [open, setOpen] = useState(false), [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false), [problem, setProblem] = useState(""), coming = useShots().length > 0;
  const usual = [t("误拍", "Taken by mistake"), t("已有人报过", "Reported already"), t("现场已整改", "Put right on the spot")];
  async function leave() {
    setBusy(true);
    try {
      if (photos.length) await giveUp(device, id, /** @type {Draft} */ (draft.value), place, photos, reason.trim());
      await draft.drop();
      say(photos.length ? t("已作废,理由随照片送出。", "Given up; the reason goes with the photos.") : t("已丢弃。", "Dropped."));
      go("/", { replace: true });
    } catch (failure) {
      setProblem(failureWords(failure));
      setBusy(false);
    }
  }
  return html`<${Button} kind="danger" onClick=${() => setOpen(true)}>${t("不报了", "Give this one up")}<//>
    ${open && html`<${Sheet} title=${t("不报了", "Give this one up")} onClose=${() => setOpen(false)}>
      ${photos.length ? html`<${Note} kind="wait">${t(`已拍的 ${photos.length} 张照片是证据,不会消失:会连同理由送到局里。`,
          `The ${photos.length} photos are evidence and stay: they go to the office with your reason.`)}<//>
        <div class="pills" role="group" aria-label=${t("常用理由", "Usual reasons")}>${usual.map((words) => html`<button type="button" key=${words}
          class="pill" aria-pressed=${reason === words} onClick=${() => setReason(words)}>${words}</button>`)}</div>
        <${Field} label=${t("理由", "Reason")}><input name="reason" value=${reason}
          onInput=${(/** @type {any} */ event) => setReason(event.currentTarget.value)} /><//>`
        : html`<p>${t("这一条还没有照片,丢弃后不留下什么。", "This one has no photos; nothing is left of it.")}</p>`}
      ${problem && html`<${Note} kind="bad">${problem}<//>`}
      <${Button} kind="danger" busy=${busy} disabled=${coming || (photos.length > 0 && !reason.trim())} onClick=${leave}>
        ${photos.length ? t("作废并说明", "Give it up with this reason") : t("丢弃", "Drop it")}<//><//>`}`;
}
