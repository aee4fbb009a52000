// The commands that this person may give to a finding now, each with what it needs.

import { t } from "../../words.js";
import { Camera } from "../../parts/camera.js";
import { useDevice } from "../../parts/device.js";
import { failureWords } from "../../parts/failures.js";
import { html, useState } from "../../parts/html.js";
import { isStopped } from "../../parts/outbox_words.js";
import { Button, Field, Note, Section, Sheet, say } from "../../parts/page.js";
import { commandWords, commandsOf, handled, onward, stepsFor } from "../../parts/states.js";

/** @typedef {import("../../device/types.d.ts").Shown} Shown */
/** @typedef {import("../../device/types.d.ts").Made} Made */
/** @typedef {import("../../parts/states.js").Step} Step */

/** Is there a photo of what was put right, newer than the work that was asked for? @param {Shown} finding @param {Shown[]} photos */
function hasAfterPhoto({ fields }, photos) {
  const from = fields.handling?.round_from ?? "";
  return photos.filter((one) => !isStopped(one)).some(({ fields: photo, version }) => photo.role === "after" && !["damaged", "refused"].includes(photo.media?.state)
    && (version === 0 || (photo.received_at ?? "") > from));
}

/** @param {{finding: Shown, made: Made[], photos: Shown[]}} props */
export function Steps({ finding, made, photos }) {
  const device = useDevice(), { fields } = finding, [step, setStep] = useState(/** @type {Step | null} */ (null));
  const given = commandsOf(finding, made).map(({ name }) => name).filter((name) => name !== "choose_zone");
  const status = onward(fields.status, given), now = { ...finding, fields: { ...fields, status } };
  const steps = stepsFor(now.fields, device.user);
  if (!steps.length && !given.length) return null;
  const last = commandWords(given.at(-1) ?? "", onward(fields.status, given.slice(0, -1)));
  return html`<${Section} title=${t("下一步", "Next")}>
    ${fields.handling?.reason && html`<p class="hint">${t("上一步理由:", "Reason of the last step: ")}${fields.handling.reason}</p>`}
    ${given.length > 0 && html`<${Note} kind="wait">${t(`“${last}”已记下,待送。`, `“${last}” is kept and waits to be sent.`)}<//>`}
    ${steps.length > 0 && html`<div class="buttons">${steps.map((one) => html`<${Button} key=${one.command} kind=${one.command === "hand_back" || one.command === "check_fail" ? "danger" : "primary"}
        onClick=${() => setStep(one)}>${commandWords(one.command, status)}<//>`)}</div>`}
    ${step && html`<${StepSheet} step=${step} finding=${now} photos=${photos} onClose=${() => setStep(null)} />`}<//>`;
}

/** @param {{step: Step, finding: Shown, photos: Shown[], onClose: () => void}} props */
function StepSheet({ step, finding, photos, onClose }) {
  const device = useDevice(), { id, fields, scope } = finding, [reason, setReason] = useState(""), [camera, setCamera] = useState(false);
  const [problem, setProblem] = useState(""), [busy, setBusy] = useState(false), [taken, setTaken] = useState(0);
  const needs = (/** @type {string} */ need) => step.needs.includes(need), checks = step.command.startsWith("check");
  const own = needs("not_handler") && handled(fields, device.user);
  const lacksPhoto = needs("after_photo_on_reply") && !hasAfterPhoto(finding, photos);
  const earlier = photos.find(({ fields: photo }) => ["scene", "before", "close"].includes(photo.role));
  async function give() {
    setBusy(true);
    try {
      await device.command("finding", id, step.command, reason.trim() ? { reason: reason.trim() } : {}, { status: fields.status });
      device.syncSoon();
      say(t("已记下,待送。", "Kept; waits to be sent."));
      onClose();
    } catch (failure) {
      setProblem(failureWords(failure));
      setBusy(false);
    }
  }
  if (camera) {
    return html`<${Camera} about=${{ type: "finding", id }} scope=${scope} role=${checks ? "scene" : "after"} ghost=${earlier?.fields.sha256}
      note=${checks ? "核查" : undefined} onTaken=${() => setTaken((count) => count + 1)} onClose=${() => setCamera(false)} />`;
  }
  return html`<${Sheet} title=${commandWords(step.command, fields.status)} onClose=${onClose}>
    ${own && html`<${Note} kind="bad">${t("这一条是你处置的,须由别人核查。", "You handled this one: somebody else has to check it.")}<//>`}
    ${lacksPhoto && html`<${Note} kind="warn">${t("反馈须有整改后照片(返工后须重拍)。", "A reply needs a photo of what was put right, a new one after a failed check.")}<//>`}
    ${taken > 0 && html`<${Note} kind="ok">${t(`已拍 ${taken} 张`, `${taken} taken`)}<//>`}
    ${!own && html`<${Button} onClick=${() => setCamera(true)}>${checks ? t("拍核查照片", "Take a photo of the check") : t("拍整改后照片", "Take the after photo")}<//>
      <${Field} label=${needs("reason") ? t("理由", "Reason") : t("备注(可不填)", "Note (may be left out)")}><input name="reason" value=${reason}
        onInput=${(/** @type {any} */ event) => setReason(event.currentTarget.value)} /><//>`}
    ${problem && html`<${Note} kind="bad">${problem}<//>`}
    <${Button} kind="primary" busy=${busy} disabled=${own || lacksPhoto || (needs("reason") && !reason.trim())} onClick=${give}>
      ${commandWords(step.command, fields.status)}<//><//>`;
}
