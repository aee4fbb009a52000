// What a spot-check re-visit keeps from its own visitor (protocol section 11; domain.md 12): the first report stays out
// of sight until he has given his own answer. Serves every screen that shows findings.

import { embargoed, TO_DO } from "../device/pictures.js";
import { t } from "../words.js";
import { useDevice, useRecords } from "./device.js";
import { html, useMemo } from "./html.js";
import { Note } from "./page.js";
import { commandsOf } from "./states.js";

export { TO_DO };
/** Under this name are kept the ids of tasks that something was done for and not sent: it is found when the task itself is gone. */
export const BEGUN = "tasks-begun";
/** What the commands of a task lead to. @type {Record<string, string>} */
const LEADS_TO = { accept: "accepted", finish: "finished", hand_back: "handed_back" };

/**
 * A task's state with the commands given here.
 * @param {import("../device/types.d.ts").Shown} task
 * @param {import("../device/types.d.ts").Made[]} made
 * @returns {string}
 */
export function stateOf(task, made) {
  return LEADS_TO[commandsOf(task, made).at(-1)?.name ?? ""] ?? task.fields.status ?? "open";
}

/**
 * The ids of the records that this person may not look at yet; undefined while loading, and then nothing should be shown.
 * Only a verdict that the server has lifts it: who handed the visit back may be sent again, and an answer that was refused
 * is given again.
 * @returns {Set<string> | undefined}
 */
export function useEmbargo() {
  const device = useDevice(), tasks = useRecords("task");
  return useMemo(() => tasks && embargoed(tasks, device.user.id), [device, tasks]);
}

/** In place of what is embargoed. */
export function Embargoed() {
  return html`<${Note} kind="wait">${t("这一条要由你复查:先作出自己的判断,送达后再看原来的上报。",
    "You re-visit this one: the first report is shown once your own answer is delivered.")}<//>`;
}
