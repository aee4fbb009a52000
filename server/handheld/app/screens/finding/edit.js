// Changes of a finding's words, tags, class and severity, kept as they are typed; its deletion for a reason where the table
// allows it.

import { factWords } from "../../forms/values.js";
import { t } from "../../words.js";
import { ClassPicker, useClasses } from "../../parts/classes.js";
import { useDevice } from "../../parts/device.js";
import { useDraft } from "../../parts/draft.js";
import { failureWords } from "../../parts/failures.js";
import { html, useState } from "../../parts/html.js";
import { Button, Choice, Field, Note, Sheet, say } from "../../parts/page.js";
import { leaveFor } from "../../parts/router.js";
import { severities } from "../../parts/severity.js";
import { DELETABLE, OVER } from "../../parts/states.js";
import { tried } from "../../parts/tried.js";
import { Tags } from "../find/more.js";

/** @typedef {import("../../device/types.d.ts").Shown} Shown */
/** @typedef {import("../../device/types.d.ts").Fields} Fields */

const LATEST = ["text", "address"], CLASS = ["class_scheme", "class_code", "severity"];

/**
 * What an edit has to name: only what was changed, tags by what was added and taken away.
 * @param {Fields} before
 * @param {Fields} after
 */
function changeOf(before, after) {
  const set = Object.fromEntries(LATEST.filter((name) => (before[name] ?? "") !== (after[name] ?? "").trim())
    .map((name) => [name, after[name]?.trim() || null]));
  if (CLASS.some((name) => before[name] !== after[name])) { // one bound value: named whole
    CLASS.filter((name) => after[name] !== undefined).forEach((name) => { set[name] = after[name]; });
  }
  if (set.class_code && before.condition && !after.condition) set.condition = null; // a condition is of its class
  const had = before.tags ?? [], has = after.tags ?? [];
  const add = has.filter((/** @type {string} */ tag) => !had.includes(tag)), remove = had.filter((/** @type {string} */ tag) => !has.includes(tag));
  return { ...(Object.keys(set).length ? { set } : {}), ...(add.length ? { add: { tags: add } } : {}),
    ...(remove.length ? { remove: { tags: remove } } : {}) };
}

/** The draft of an edit. @param {string} id of the finding */
const draftOf = (id) => `edit-${id}`;

/** @param {string} id of the finding @returns {import("../../parts/draft.js").Draft<{fields: Fields, before: Fields, base: number}>} */
const useEdit = (id) => /** @type {any} */ (useDraft(draftOf(id), "edit"));

/** An edit that was begun of what can be edited no more: what it says, and its end. @param {{id: string}} props */
export function LeftEdit({ id }) {
  const draft = useEdit(id), classes = useClasses();
  if (!draft.value) return null;
  const { set, add, remove } = changeOf(draft.value.before, draft.value.fields);
  return html`<${Note} kind="warn"><b>${t("有一处没存完的修改,现在已不能改这一条", "An edit was not finished, and this one can be changed no more")}</b>
    <p>${factWords({ ...set, ...(add || remove ? { tags: draft.value.fields.tags } : {}) }, undefined, classes)}</p>
    <${Button} kind="danger" onClick=${() => tried(draft.drop)}>${t("放弃修改", "Give the edit up")}<//><//>`;
}

/** An edit stands open until it is kept or closed, over a reload, too. @param {{finding: Shown}} props */
export function Edit({ finding: { id, version, fields } }) {
  const device = useDevice(), [problem, setProblem] = useState("");
  const draft = useEdit(id), after = draft.value, classes = useClasses(), [leaving, setLeaving] = useState(false);
  if (OVER.includes(fields.status)) return html`<${LeftEdit} id=${id} />`;
  const moved = after && version > after.base ? changeOf(after.before, fields) : {}; // under the open form
  const now = factWords({ ...Object.fromEntries(Object.entries(moved.set ?? {}).map(([name, value]) => [name, value ?? ""])), ...(moved.add || moved.remove ? { tags: fields.tags } : {}) }, undefined, classes);
  async function close() {
    if (!leaving && after && Object.keys(changeOf(after.before, after.fields)).length) setLeaving(true);
    else if (await tried(draft.drop)) setLeaving(false);
  }
  const set = (/** @type {Fields} */ part) => draft.change((now) => ({ fields: { ...now.fields, ...part } }));
  async function keep() {
    if (!after) return;
    const change = changeOf(after.before, after.fields), any = Object.keys(change).length > 0;
    setProblem("");
    try {
      await draft.drop(() => device.group((maker) => {
        if (any) maker.edit("finding", id, change, after.base); // the version that was looked at
      }, { apart: true, draft: { id: draftOf(id) } }));
      device.syncSoon();
      if (any) say(t("已存在本机。", "Kept on this device."));
    } catch (failure) {
      setProblem(failureWords(failure));
    }
  }
  return html`<${Button} onClick=${() => tried(() => draft.begin({ fields, before: fields, base: version }))}>${t("修改", "Edit")}<//>
    ${after && html`<${Sheet} title=${t("修改", "Edit")} onClose=${close}>
      ${leaving && html`<${Note} kind="warn"><b>${t("还没保存,放弃修改?", "This is not saved. Give the edit up?")}</b><div class="buttons">
        <${Button} kind="danger" onClick=${close}>${t("放弃修改", "Give the edit up")}<//><${Button} onClick=${() => setLeaving(false)}>${t("接着改", "Go on")}<//></div><//>`}
      ${now && html`<${Note} kind="warn"><b>${t("您打开之后,这一条已被改为:", "Since you opened it, this one was changed to:")}</b>
        <p>${now}</p><p>${t("改了同一处的,保存后作为冲突两个都留着。", "What you both changed is kept twice, as a conflict.")}</p><//>`}
      ${draft.found && html`<${Note}>${t("这是没存完的修改,已替你找回。", "This edit was not saved and is found again.")}<//>`}
      <${Field} label=${t("说明", "Words")}><textarea name="text" rows="3" value=${after.fields.text ?? ""}
        onInput=${(/** @type {any} */ event) => set({ text: event.currentTarget.value })}></textarea><//>
      <${Field} label=${t("类别", "Class")}><${ClassPicker} value=${after.fields.class_code ? { scheme: after.fields.class_scheme, code: after.fields.class_code } : null}
        onChange=${(/** @type {any} */ one) => set({ class_scheme: one.scheme, class_code: one.code,
          ...(one.code === after.fields.class_code ? {} : { condition: undefined }) })} /><//>
      <${Choice} label=${t("程度", "Severity")} value=${after.fields.severity} onChange=${(/** @type {string} */ severity) => set({ severity })}
        options=${severities()} />
      <${Tags} value=${after.fields.tags} onChange=${(/** @type {string[]} */ tags) => set({ tags })} />
      <${Field} label=${t("地址", "Address")}><input name="address" value=${after.fields.address ?? ""}
        onInput=${(/** @type {any} */ event) => set({ address: event.currentTarget.value })} /><//>
      ${(problem || draft.problem) && html`<${Note} kind="bad">${problem || draft.problem}<//>`}
      <${Button} kind="primary" onClick=${keep}>${t("保存修改", "Save")}<//><//>`}`;
}

/** @param {{finding: Shown, own: boolean}} props */
export function Remove({ finding: { id, version, fields }, own }) {
  const device = useDevice(), [base, setBase] = useState(/** @type {number | null} */ (null)), [reason, setReason] = useState("");
  const [problem, setProblem] = useState(""), [busy, setBusy] = useState(false);
  const may = own || device.user.roles.some((role) => role !== "auxiliary");
  if (!may || (fields.status && !DELETABLE.includes(fields.status))) return null;
  async function remove() {
    setBusy(true);
    try {
      await device.group((maker) => maker.remove("finding", id, reason.trim(), base ?? version), // the version that was looked at
        { apart: true, draft: { id: draftOf(id) } });
      device.syncSoon();
      leaveFor("/findings");
    } catch (failure) {
      setProblem(failureWords(failure));
      setBusy(false);
    }
  }
  return html`<${Button} kind="danger" onClick=${() => setBase(version)}>${t("删除", "Delete")}<//>
    ${base !== null && html`<${Sheet} title=${t("删除这一条", "Delete this one")} onClose=${() => setBase(null)}>
      <p>${t("删除要写明理由;历史和照片仍在服务器上。", "A deletion needs a reason; history and photos stay on the server.")}</p>
      <${Field} label=${t("理由", "Reason")}><input name="reason" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.currentTarget.value)} /><//>
      ${problem && html`<${Note} kind="bad">${problem}<//>`}
      <${Button} kind="danger" busy=${busy} disabled=${!reason.trim()} onClick=${remove}>${t("删除", "Delete")}<//><//>`}`;
}
