// Fields that several forms share: the officers, the party, a refusal with its witness, and giving a form up.

import { useDevice, useEvidence } from "../parts/device.js";
import { html, useRef, useState } from "../parts/html.js";
import { Button, Field, Sheet } from "../parts/page.js";
import { useShots } from "../parts/unkept.js";
import { t } from "../words.js";

/**
 * Who is there: the one who holds the device, and others by name. Values are his id and their names; a name counts as it is typed,
 * whether or not it is added to the list.
 * @param {{value: string[], least?: number, onChange: (officers: string[]) => void}} props
 */
export function Officers({ value, least = 1, onChange }) {
  const device = useDevice();
  const [name, setName] = useState(""), typed = useRef(""); // the value that stands there by the field alone
  const listed = value.filter((one) => one !== typed.current);
  function write(/** @type {string} */ words) {
    const next = words.trim();
    setName(words);
    typed.current = listed.includes(next) ? "" : next;
    onChange(typed.current ? [...listed, next] : listed);
  }
  function add() {
    typed.current = "";
    setName("");
  }
  return html`<div class="officers">
    <ul class="names" aria-label=${t("执法人员", "Officers")}>${listed.map((one) => html`<li key=${one}>
      ${one === device.user.id ? html`<span>${device.user.name}${t("(本人)", " (me)")}</span>`
        : html`<span>${one}</span><button type="button" aria-label=${t(`移除 ${one}`, `Remove ${one}`)}
            onClick=${() => onChange(value.filter((each) => each !== one))}>×</button>`}</li>`)}</ul>
    <div class="pair"><${Field} label=${t("同行人员(姓名或证号)", "Others (name or certificate no.)")}
        problem=${value.length < least ? t(`须 ${least} 人以上`, `At least ${least} people`) : null}>
      <input type="text" maxlength="80" value=${name} onInput=${(/** @type {any} */ event) => write(event.target.value)} onChange=${add}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter") add(); }} /><//>
    <${Button} onClick=${add}>${t("加入", "Add")}<//></div></div>`;
}

/**
 * A refusal: what was said and who saw it.
 * @param {{reason: string, witness: string, onChange: (part: {reason?: string, witness?: string}) => void}} props
 */
export function Refusal({ reason, witness, onChange }) {
  return html`<${Field} label=${t("拒签情况", "How it was refused")}>
      <textarea rows="2" maxlength="500" value=${reason}
        onInput=${(/** @type {any} */ event) => onChange({ reason: event.target.value })}></textarea><//>
    <${Field} label=${t("见证人(姓名、单位或地址)", "Witness (name, unit or address)")}>
      <input type="text" maxlength="200" value=${witness}
        onInput=${(/** @type {any} */ event) => onChange({ witness: event.target.value })} /><//>`;
}

/**
 * Give up a form: with a reason where something of it is kept already, its record (`begun`) or evidence about it.
 * @param {{what: string, id: string, begun?: boolean, onGiveUp: (reason: string) => Promise<unknown>}} props
 */
export function GiveUp({ what, id, begun = false, onGiveUp }) {
  const evidence = useEvidence(id), coming = useShots().length > 0; // a photo on its way to the disk is of this form, too
  const needsReason = begun || Boolean(evidence?.length);
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState(""), [busy, setBusy] = useState(false);
  async function giveUp() {
    setBusy(true);
    await onGiveUp(reason.trim());
    setBusy(false);
    setOpen(false);
  }
  return html`<${Button} kind="danger" onClick=${() => setOpen(true)}>${t(`放弃${what}`, `Give up`)}<//>
    ${open && html`<${Sheet} title=${t(`放弃${what}?`, "Give it up?")} onClose=${() => setOpen(false)}>
      ${needsReason ? html`<p>${t("已有照片或记录,将连同理由一并上报,不会无声消失。",
          "Photos or records of it are kept already; they are delivered together with the reason.")}</p>
        <${Field} label=${t("理由", "Reason")}><textarea rows="2" maxlength="500" value=${reason}
          onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea><//>`
        : html`<p>${t("草稿将被删除。", "The draft will be dropped.")}</p>`}
      <${Button} kind="danger" busy=${busy} disabled=${!evidence || coming || (needsReason && !reason.trim())} onClick=${giveUp}>${t("确认放弃", "Give it up")}<//><//>`}`;
}

/** The party of a zone as people name it. @param {Record<string, any> | undefined} zone */
export function partyName(zone) {
  return zone?.party?.name ?? zone?.name ?? "";
}
