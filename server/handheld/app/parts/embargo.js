// What a spot-check re-visit keeps from its own visitor (protocol section 11; domain.md 12): the first report stays out
// of sight until he has given his own answer. Serves every screen that shows findings.

import { useDevice, useOutbox, useRecords } from "./device.js";
import { commandsOf } from "./given.js";
import { useMemo } from "./html.js";

/** The states in which a task is still to be done. */
export const TO_DO = new Set(["open", "accepted"]);
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
 * @returns {Set<string> | undefined}
 */
export function useEmbargo() {
  const device = useDevice();
  const tasks = useRecords("task"), made = useOutbox();
  return useMemo(() => tasks && made && new Set(tasks.filter((one) => one.fields.kind === "spot_check"
    && one.fields.assignee === device.user.id && TO_DO.has(stateOf(one, made))).map((one) => one.fields.about?.id)), [device, tasks, made]);
}
