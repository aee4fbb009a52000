// The tasks of this person: what is due first; what is done lies below.

import { AboutLine } from "../forms/task_work.js";
import { valueWords } from "../forms/values.js";
import { useDevice, useOutbox, useRecords } from "../parts/device.js";
import { TO_DO, stateOf } from "../parts/embargo.js";
import { html, useState } from "../parts/html.js";
import { titleOf } from "../parts/outbox_words.js";
import { Button, Note, Page, Section } from "../parts/page.js";
import { useReference } from "../parts/reference.js";
import { go } from "../parts/router.js";
import { ago, dueBy, when } from "../parts/time.js";
import { t } from "../words.js";

const DONE_SHOWN = 20;

/** @param {any[]} kinds @param {string | undefined} kind */
export function kindOf(kinds, kind) {
  return kinds.find((one) => one.kind === kind) ?? kinds.find((one) => one.kind === "other");
}

export default function Tasks() {
  const device = useDevice();
  const tasks = useRecords("task"), made = useOutbox();
  const { task_kinds: kinds } = useReference();
  const [all, setAll] = useState(false);
  if (!tasks || !made) return html`<${Page} title=${t("任务", "Tasks")} />`;
  const mine = tasks.filter((one) => one.fields.assignee === device.user.id).map((task) => ({ task, state: stateOf(task, made) }));
  const open = mine.filter(({ state }) => TO_DO.has(state)).sort((one, other) => dueBy(one.task) - dueBy(other.task));
  const done = mine.filter(({ state }) => !TO_DO.has(state)).reverse();
  return html`<${Page} title=${t("任务", "Tasks")}>
    ${!open.length && html`<${Note} kind="ok">${t("没有待办任务。", "No task is waiting.")}<//>`}
    <${List} tasks=${open} kinds=${kinds} />
    ${done.length > 0 && html`<${Section} title=${t("已办", "Done")}><${List} tasks=${all ? done : done.slice(0, DONE_SHOWN)} kinds=${kinds} />
      ${!all && done.length > DONE_SHOWN && html`<${Button} onClick=${() => setAll(true)}>${t("全部", "All")}<//>`}<//>`}<//>`;
}

/** @param {{tasks: {task: import("../device/types.d.ts").Shown, state: string}[], kinds: any[]}} props */
function List({ tasks, kinds }) {
  return html`<ul class="listed">${tasks.map(({ task, state }) => {
    const kind = kindOf(kinds, task.fields.kind), due = task.fields.due_at;
    const late = due && TO_DO.has(state) && Date.parse(due) < Date.now();
    return html`<li key=${task.id}><button type="button" onClick=${() => go(`/tasks/${task.id}`)}>
      <b>${t(kind.name_cn, kind.name_en)} · ${titleOf(task.fields)}</b><${AboutLine} about=${task.fields.about} />
      <small class=${late ? "late" : ""}>${valueWords("status", state)}${due ? ` · ${late ? t("已超期 ", "overdue ") : t("限 ", "due ")}${when(due)} (${ago(due)})` : ""}
        ${task.unsent ? t(" · 待送达", " · waits") : ""}</small></button></li>`;
  })}</ul>`;
}
