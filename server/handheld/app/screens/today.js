// The first screen: what can be done now, what is due, what was begun, and whether anything stands in the way.

import { AboutLine } from "../forms/task_work.js";
import { useDevice, useDrafts, useKept, useOutbox, useRecords } from "../parts/device.js";
import { goOffDuty, goOnDuty, useDuty } from "../parts/duty.js";
import { BEGUN, TO_DO, stateOf } from "../parts/embargo.js";
import { failureWords } from "../parts/failures.js";
import { html, useState } from "../parts/html.js";
import { Icon } from "../parts/icons.js";
import { stoppedOf, titleOf, typeWords } from "../parts/outbox_words.js";
import { Button, Choice, Page, Section, Sheet, say } from "../parts/page.js";
import { useMay, useReference } from "../parts/reference.js";
import { stoppedWords } from "../parts/sync_words.js";
import { ago, dueBy, when } from "../parts/time.js";
import { Hints, Warnings } from "../parts/warnings.js";
import { t } from "../words.js";

const LONG_DUTY_MS = 14 * 3600_000, DAY_MS = 86_400_000, SHOWN = 5;
/** The server holds photos of what is not kept yet for five days (protocol section 2). */
const WARN_MS = 3 * DAY_MS, HELD_MS = 5 * DAY_MS;

/** @type {{path: string, makes?: string, sign: import("../parts/icons.js").Sign, words: () => string}[]} */
const ACTIONS = [
  { path: "/find", makes: "finding", sign: "camera", words: () => t("上报问题", "Report a finding") },
  { path: "/inspect", makes: "inspection", sign: "inspect", words: () => t("检查", "Inspect") },
  { path: "/register", makes: "register_entry", sign: "register", words: () => t("日常登记", "Daily register") },
  { path: "/letter", makes: "letter", sign: "letter", words: () => t("责任书", "Letter") },
  { path: "/enforcement", makes: "enforcement", sign: "enforcement", words: () => t("劝导与责令", "Persuade & order") },
  { path: "/map", sign: "map", words: () => t("地图", "Map") },
];

export default function Today() {
  const device = useDevice(), may = useMay();
  const tools = html`<a class="square" href="#/settings" aria-label=${t("设置", "Settings")}><${Icon} of="settings" /></a>`;
  return html`<${Page} title=${device.user.name} tools=${tools}>
    <${DutyStrip} /><${Warnings} />
    <ul class="doings">${ACTIONS.filter(({ makes }) => !makes || may(makes)).map((one) => html`<li key=${one.path}><a class="doing" href="#${one.path}">
      <${Icon} of=${one.sign} /><span>${one.words()}</span></a></li>`)}</ul>
    <${Hints} /><${DueTasks} /><${Begun} /><${LeftTasks} /><${Stopped} /><${OpenConflicts} /><//>`;
}

function DutyStrip() {
  const device = useDevice(), duty = useDuty(), may = useMay();
  const { divisions } = useReference();
  const [asking, setAsking] = useState(false), [busy, setBusy] = useState(false);
  if (!duty && !may("track")) return null;
  if (duty === undefined) return html`<div class="duty off"></div>`; // as high as what comes
  async function turn(/** @type {() => Promise<void>} */ work, /** @type {string} */ done) {
    setBusy(true);
    await work().then(() => say(done), (failure) => say(failureWords(failure)));
    setBusy(false);
    setAsking(false);
  }
  const begin = (/** @type {string} */ scope) => turn(() => goOnDuty(device, scope), t("已上岗,开始记录轨迹", "On duty; your track is recorded"));
  if (!duty) {
    return html`<div class="duty off"><p><b>${t("未上岗", "Off duty")}</b><small>${t("不记录您的位置", "Your way is not recorded")}</small></p>
      <${Button} kind="primary" busy=${busy}
        onClick=${() => (device.scopes.length > 1 ? setAsking(true) : begin(device.scopes[0]))}>${t("上岗", "Go on duty")}<//></div>
      ${asking && html`<${Sheet} title=${t("在哪里上岗", "On duty where")} onClose=${() => setAsking(false)}>
        <${Choice} label=${t("责任范围", "Area")} hideLabel value=${null} onChange=${begin}
          options=${device.scopes.map((code) => ({ value: code, label: divisions[code] ?? code, hint: code }))} /><//>`}`;
  }
  const long = Date.now() - Date.parse(duty.since) > LONG_DUTY_MS;
  return html`<div class="duty on"><p><b>${t("在岗", "On duty")}</b>
      <small>${long ? t(`自 ${when(duty.since)} 起,是不是忘了离岗?`, `since ${when(duty.since)}: forgotten to end it?`)
        : t(`自 ${when(duty.since)} · 应用打开时记录轨迹`, `since ${when(duty.since)} · track while open`)}</small></p>
    <${Button} busy=${busy} onClick=${() => turn(() => goOffDuty(device), t("已离岗,不再记录位置", "Off duty; your way is no longer recorded"))}>
      ${t("离岗", "Go off duty")}<//></div>`;
}

function DueTasks() {
  const device = useDevice(), tasks = useRecords("task"), made = useOutbox();
  const mine = (tasks ?? []).filter((task) => made && task.fields.assignee === device.user.id && TO_DO.has(stateOf(task, made)))
    .sort((one, other) => dueBy(one) - dueBy(other));
  if (!mine.length) return null;
  return html`<${Section} title=${t(`待办任务 ${mine.length}`, `Tasks ${mine.length}`)}><ul class="rows">
    ${mine.slice(0, SHOWN).map(({ id, fields }) => html`<li key=${id}><a class="row" href="#/tasks/${id}">
      <span class="text"><b>${titleOf(fields) || t("任务", "Task")}</b><${AboutLine} about=${fields.about} />
      ${fields.due_at && html`<small>${t("期限", "due")} ${when(fields.due_at)} · ${ago(fields.due_at)}</small>`}</span>
      ${Date.parse(fields.due_at) < Date.now() && html`<span class="badge bad">${t("已超期", "overdue")}</span>`}</a></li>`)}</ul>
    ${mine.length > SHOWN && html`<a class="button plain" href="#/tasks">${t("全部任务", "All tasks")}</a>`}<//>`;
}

const KINDS = /** @type {Record<string, string>} */ ({
  finding: "/find/", inspection: "/inspect/", letter: "/letter/", enforcement: "/enforcement/", register: "/register?day=", edit: "/findings/",
});
/** What a draft of that kind makes, where it is called otherwise. @type {Record<string, string>} */
const MAKES = { register: "register_entry", edit: "finding" };

function Begun() {
  const drafts = useDrafts(), made = useOutbox(), [all, setAll] = useState(false);
  const known = (drafts ?? []).filter((draft) => KINDS[draft.kind]);
  const about = (/** @type {{id: string}} */ { id }) => id.replace(/^(register|edit)-/, "");
  const named = (/** @type {{id: string, kind: string, value: any}} */ { id, kind, value }) =>
    [value?.name ?? value?.text ?? value?.fields?.text ?? (kind === "register" && about({ id })), kind === "edit" && t("修改", "edit")];
  if (!known.length) return null;
  return html`<${Section} title=${t(`未完成 ${known.length}`, `Unfinished ${known.length}`)}><ul class="rows">
    ${known.slice(0, all ? Infinity : SHOWN).map((draft) => html`<li key=${draft.id}><a class="row" href="#${KINDS[draft.kind]}${about(draft)}">
      <span class="text"><b>${[typeWords(MAKES[draft.kind] ?? draft.kind), ...named(draft)].filter(Boolean).join(" · ").slice(0, 40)}</b>
        <small>${t("存于", "kept")} ${ago(draft.saved_at)}</small>${urgent(draft, made)}</span>
      <span class="badge">${t("继续", "Go on")}</span></a></li>`)}</ul>
    ${!all && known.length > SHOWN && html`<${Button} onClick=${() => setAll(true)}>${t("全部未完成", "All unfinished")}<//>`}<//>`;
}

/** That the photos of a draft will not be waited for much longer, counted from when they were taken: they came later at the soonest.
 *  @param {{id: string}} draft @param {import("../device/types.d.ts").Made[]} [made] */
function urgent({ id }, made = []) {
  const photos = made.filter(({ type, body }) => type === "evidence" && body.set?.about?.id === id);
  if (photos.some(({ state }) => state === "quarantined")) return html`<small class="late">${t("照片等得太久,服务器没有采纳:请主管放行", "Its photos waited too long and were not applied: ask your supervisor to release them")}</small>`;
  const first = Math.min(...photos.filter(({ state }) => state === "held").map((one) => Date.parse(one.made_at)));
  if (!(Date.now() - first > WARN_MS)) return null;
  const until = when(new Date(first + HELD_MS).toISOString());
  return html`<small class="late">${t(`须在 ${until} 前写完,否则照片不被采纳`, `Finish it before ${until}, or its photos are not applied`)}</small>`;
}

/** Tasks that went elsewhere with something done for them here. */
function LeftTasks() {
  const device = useDevice(), tasks = useRecords("task"), [begun] = useKept(BEGUN, /** @type {string[]} */ ([]));
  const left = (tasks && begun ? begun : []).filter((id) => tasks?.find((one) => one.id === id)?.fields.assignee !== device.user.id);
  return left.map((id) => html`<a key=${id} class="note warn plain-link" href="#/tasks/${id}"><b>${t("有一项任务已改派,您为它写的还在本机", "A task went to somebody else; what you wrote for it is still here")}</b></a>`);
}

function Stopped() {
  const made = useOutbox(), count = made ? stoppedOf(made) : 0;
  return count > 0 && html`<a class="note warn plain-link" href="#/sync"><b>${stoppedWords(count)}</b></a>`;
}

function OpenConflicts() {
  const device = useDevice(), conflicts = useRecords("conflict"), made = useOutbox();
  const [left] = useKept("conflicts-left", /** @type {string[]} */ ([]));
  const answered = new Set([...left ?? [], ...(made ?? []).filter(({ state }) => state !== "quarantined").map((one) => one.record_id)]);
  const mine = (/** @type {{fields: Record<string, any>}} */ { fields }) => fields.state === "open" && [fields.mine_by, fields.theirs_by].some((by) => by?.user_id === device.user.id);
  const open = (conflicts ?? []).filter((one) => mine(one) && !answered.has(one.id)).length;
  if (!open) return null;
  return html`<a class="note warn plain-link" href="#/conflicts"><b>${t(`${open} 处冲突待看`, `${open} conflicts to look at`)}</b>
    <span>${t("别人同时改了同一处。可以选一个,也可以留给办公室。", "Somebody changed the same thing. Choose, or leave it to the office.")}</span></a>`;
}
