// What becomes of a finding, in words, and which commands somebody with a handheld may give: rows of
// server/reference/states.csv for the roles inspector, auxiliary, assignee and finder.

import { counts } from "../device/view.js";
import { t } from "../words.js";

/** @typedef {import("../device/types.d.ts").User} User */
/** @typedef {import("../device/types.d.ts").Fields} Fields */
/** @typedef {{command: string, from: string[], needs: string[]}} Step */

const STATUS = /** @type {Record<string, () => string>} */ ({
  reported: () => t("待受理", "reported"), filed: () => t("已立案", "filed"), dispatched: () => t("已派遣", "dispatched"),
  handling: () => t("处置中", "handling"), checking: () => t("待核查", "to be checked"), closed: () => t("已结案", "closed"),
  not_filed: () => t("未立案", "not filed"), returned: () => t("已回退", "returned"), rework: () => t("返工", "rework"),
  suspended: () => t("挂账", "suspended"), cancelled: () => t("已作废", "cancelled"),
});
export const OVER = ["closed", "not_filed", "cancelled"];
export const DELETABLE = ["reported", "not_filed", "returned"]; // server/reference/deletions.csv

/** @type {Step[]} */
export const STEPS = [
  { command: "handle", from: ["dispatched", "rework"], needs: [] },
  { command: "handle", from: ["handling"], needs: ["after_photo_on_reply"] },
  { command: "hand_back", from: ["dispatched", "handling", "rework"], needs: ["reason"] },
  { command: "check_pass", from: ["checking"], needs: ["not_handler"] },
  { command: "check_fail", from: ["checking"], needs: ["not_handler", "reason"] },
];
const COMMANDS = /** @type {Record<string, (status?: string) => string>} */ ({
  handle: (status) => status === "handling" ? t("处置完成,反馈", "Done: reply") : t("开始处置", "Take up"),
  hand_back: () => t("回退", "Hand back"), check_pass: () => t("核查通过", "Check passed"),
  check_fail: () => t("核查不通过", "Check failed"), choose_zone: () => t("认定责任区", "Choose the zone"),
});

/** A finding that was not pulled yet has no status: it waits here, was not applied, or was delivered.
 *  @param {{fields: Fields, unsent: number, problems: Fields[]}} finding */
export function statusWords({ fields: { status }, unsent, problems }) {
  if (status) return stateWords(status);
  if (unsent) return t("未送达", "not delivered");
  return problems.length ? t("未采纳", "not applied") : t("已送达", "delivered");
}

/** @param {string} status */
export function stateWords(status) {
  return STATUS[status]?.() ?? status;
}

/** @param {string} command @param {string} [status] */
export function commandWords(command, status) {
  return COMMANDS[command]?.(status) ?? command;
}

/**
 * The commands that were given here and that the record does not show yet, in their order: what was sent stands in no row
 * until the next pull, so it counts until then. Those that the server refused count for nothing.
 * @param {import("../device/types.d.ts").Shown} record
 * @param {import("../device/types.d.ts").Made[]} made
 * @returns {{name: string, args: Record<string, any>}[]}
 */
export function commandsOf(record, made) {
  return made.filter((one) => one.record_id === record.id && one.body.op === "command" && counts(one, record))
    .map((one) => one.body.command);
}

/** From which states a task's commands lead on (server/trade/office.py). @type {Record<string, string[]>} */
const OF_TASKS = { accept: ["open"], finish: ["open", "accepted"], hand_back: ["open", "accepted"] };

/** Can a command that came too late still be carried out, as far as this device knows? @param {import("../device/types.d.ts").Shown} record @param {string} command */
export function stillPossible({ type, fields }, command) {
  const steps = STEPS.filter((one) => one.command === command);
  const from = type === "task" ? OF_TASKS[command] : type === "finding" && steps.length ? steps.flatMap((one) => one.from) : undefined;
  return from?.includes(fields.status) ?? true;
}

/** @type {Record<string, string>} */
const HANDLED = { dispatched: "handling", rework: "handling", handling: "checking" };

/**
 * The state that the commands given here lead to, where the next step may be taken before the server has them: a case
 * that was taken up can be replied to. Undefined after any other step: who goes on is not this person's
 * to say.
 * @param {string} status
 * @param {string[]} given names of commands
 * @returns {string | undefined}
 */
export function onward(status, given) {
  if (!given.length) return status;
  return given.length === 1 && given[0] === "handle" && HANDLED[status] === "handling" ? "handling" : undefined;
}

/** Of the unit, as server/rules/lifecycle.py has it: named in person, by the unit's name, by a scope, or without units.
 *  @param {Fields} fields @param {User} user */
function isAssigned({ unit }, user) {
  if (!unit) return false;
  if (/^[0-9a-f]{8}-/.test(unit)) return unit === user.id;
  return !user.unit || unit === user.unit || user.scopes.some((scope) => scope.startsWith(unit));
}

/**
 * The steps that a person may take now.
 * @param {Fields} fields
 * @param {User} user
 * @returns {Step[]}
 */
export function stepsFor(fields, user) {
  const has = (/** @type {string} */ role) => user.roles.includes(role);
  return STEPS.filter(({ command, from }) => from.includes(fields.status)
    && (command.startsWith("check") ? has("inspector") : (has("inspector") || has("auxiliary")) && isAssigned(fields, user)));
}

/** Who handled a case never checks it. @param {Fields} fields @param {User} user */
export function handled(fields, user) {
  return Boolean(fields.handling?.handled_by?.includes(user.id) || (fields.self_handled && fields.inspector_id === user.id));
}

/** May this person still say which zone it is? @param {Fields} fields @param {User} user @param {boolean} own */
export function mayChooseZone(fields, user, own) {
  return user.roles.includes("inspector") && (own || fields.inspector_id === user.id) && !OVER.includes(fields.status);
}
