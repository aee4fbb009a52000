// What somebody has to see to about a record, where that is shown: its open conflicts, its return by a reviewer.

import { useDevice, useOutbox, useRecords } from "../parts/device.js";
import { TO_DO, stateOf } from "../parts/embargo.js";
import { html } from "../parts/html.js";
import { Note } from "../parts/page.js";
import { t } from "../words.js";

/** @param {{id: string}} props */
export function ConflictNotes({ id }) {
  return useRecords("conflict")?.some(({ fields }) => fields.record_id === id && fields.state === "open")
    && html`<${Note} kind="warn">${t("有人同时改了这一条。", "Somebody changed this at the same time.")} <a href="#/conflicts/${id}">${t("去看看", "See both")}</a><//>`;
}

/** That it was returned to this person, why, and the way to what is asked. @param {{id: string}} props */
export function ReturnNotes({ id }) {
  const device = useDevice(), made = useOutbox();
  const asked = useRecords("task")?.filter((task) => task.fields.kind === "retake" && task.fields.about?.id === id && task.fields.assignee === device.user.id
    && made && TO_DO.has(stateOf(task, made)));
  return (asked ?? []).map(({ id: task, fields }) => html`<${Note} key=${task} kind="warn"><b>${t("审核退回,请补拍", "Returned by the reviewer: more photos are asked for")}</b>
    <span>${[fields.note, ...(fields.photos ?? []).map((/** @type {any} */ one) => one.reason)].filter(Boolean).join(" · ")}</span>
    <a href="#/tasks/${task}">${t("去补拍", "Take them")}</a><//>`);
}
