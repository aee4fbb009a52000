// What was made here and what became of it, in words.

import { inOneLanguage, t } from "../words.js";
import { outcomeWords, statusWords } from "./failures.js";

/** @typedef {import("../device/types.d.ts").Made} Made */
/** @typedef {import("../device/types.d.ts").Photo} Photo */
/** @typedef {{kind: "ok" | "wait" | "warn" | "bad", word: string, why: string}} Fate */

const TYPES = /** @type {Record<string, () => string>} */ ({
  finding: () => t("问题", "Finding"), inspection: () => t("检查", "Inspection"), evidence: () => t("照片记录", "Photo record"),
  enforcement: () => t("执法记录", "Enforcement record"), letter: () => t("责任书", "Letter"),
  register_entry: () => t("日常登记", "Register entry"), track: () => t("巡查轨迹", "Patrol track"), task: () => t("任务", "Task"),
  conflict: () => t("冲突", "Conflict"), zone: () => t("责任区", "Zone"),
});

/** @param {string} type */
export function typeWords(type) {
  return TYPES[type]?.() ?? type;
}

const SCREENS = /** @type {Record<string, string>} */ ({
  finding: "/findings", inspection: "/inspect", enforcement: "/enforcement", letter: "/letter", task: "/tasks", conflict: "/conflicts",
});

/** Where a record is seen, null where no screen shows its type. @param {string} type @param {string} id @param {Record<string, any>} [fields] */
export function pathOf(type, id, fields = {}) {
  if (type === "register_entry" && fields.zone_id) return `/register?zone=${fields.zone_id}&day=${fields.on}`;
  return SCREENS[type] ? `${SCREENS[type]}/${id}` : null;
}

/** What was done to what. @param {Made} made */
export function deedWords({ type, body }) {
  const name = typeWords(type);
  if (body.op === "delete") return t(`删除${name}`, `Delete: ${name}`);
  if (body.op === "command") return t(`${name}:${stepWords(body.command.name)}`, `${name}: ${stepWords(body.command.name)}`);
  return body.base === 0 && body.scope ? t(`新${name}`, `New: ${name}`) : t(`修改${name}`, `Edit: ${name}`);
}

const COMMANDS = /** @type {Record<string, () => string>} */ ({
  accept: () => t("接受", "accept"), finish: () => t("完成", "finish"), hand_back: () => t("退回", "hand back"),
  resolve: () => t("裁决", "resolve"), choose_zone: () => t("认定责任区", "choose the zone"), handle: () => t("处置", "handle"),
  check_pass: () => t("核查通过", "check passed"), check_fail: () => t("核查不通过", "check failed"), close: () => t("结案", "close"),
  file: () => t("立案", "file"), cancel: () => t("撤销", "cancel"), explain: () => t("说明", "explain"),
});

/** @param {string} command */
export function stepWords(command) {
  return COMMANDS[command]?.() ?? command;
}

/** The kinds of tasks that the server itself makes, with titles in both languages. */
const OWN = new Set(["retake", "spot_check"]);

/** @param {Record<string, any>} fields of a task @returns {string} */
export function titleOf({ kind, title = "" }) {
  return OWN.has(kind) ? inOneLanguage(title) : title;
}

/** What it is about, as far as the mutation itself says. @param {Made} made */
export function subjectWords({ body }) {
  const set = body.set ?? {};
  const said = set.text ?? set.facts ?? set.note ?? set.title ?? set.reason ?? set.address ?? "";
  return String(said).slice(0, 60);
}

/** How many changes the server keeps for the supervisor without having applied them. @param {Made[]} made */
export function stoppedOf(made) {
  return made.filter((one) => one.state === "quarantined" && !isLate(one)).length;
}

/** A choice in a conflict that others had settled by then: it is over, and there is nothing for a supervisor to see to. @param {Made} made */
export function isLate({ type, body, state, outcome, settled }) {
  return state === "quarantined" && type === "conflict" && body.command?.name === "resolve" && (settled ?? outcome)?.problem?.code === "state_moved";
}

/** @param {Made} made @returns {Fate} */
export function fateWords(made) {
  const { state, outcome, settled } = made;
  const last = settled ?? outcome ?? {};
  const why = last.problem ? outcomeWords(last.problem) : "";
  if (state === "waiting") return { kind: "wait", word: t("待送", "waiting"), why: "" };
  if (isLate(made)) return { kind: "ok", word: t("晚了一步", "came late"), why: t("这处冲突已先由他人处理,您的选择没有用上。", "Others settled this conflict first; your choice was not used.") };
  if (state === "quarantined") return { kind: "bad", word: t("未采纳", "not applied"),
    why: [why, t("原样留在服务器,由主管处理。", "Kept whole on the server for the supervisor.")].filter(Boolean).join(" ") };
  if (state === "held") return { kind: "wait", word: t("在等", "held"), why: t("服务器已收下,等它所属的记录到达。", "The server has it; it waits for the record it refers to.") };
  if (last.outcome === "conflicted") return { kind: "warn", word: t("有冲突", "conflict"), why: t("别人也改了同一处,两个都留着。", "Somebody changed the same; both are kept.") };
  if (last.outcome === "dismissed") return { kind: "warn", word: t("已驳回", "dismissed"), why: [dismissalWords(last), why].join(" · ") };
  if (last.outcome === "merged") return { kind: "ok", word: t("已合并", "merged"), why: t("与别人的改动合在一起。", "Together with others' changes.") };
  return { kind: "ok", word: t("已采纳", "applied"), why: "" };
}

/** A dismissal with the reason that the supervisor wrote. @param {Record<string, any>} settled */
export function dismissalWords({ reason }) {
  return reason ? t(`主管驳回:${reason}`, `Dismissed by your supervisor: ${reason}`) : t("主管已驳回", "Dismissed by your supervisor");
}

const REFUSED = /** @type {Record<string, () => string>} */ ({
  digest_mismatch: () => t("字节与拍摄时不符,请联系主管", "its bytes differ from those at capture; contact your supervisor"),
  media_type_refused: () => t("不是服务器接受的图片", "not a picture that the server accepts"),
  too_many_pixels: () => t("像素过多", "too many pixels"),
  unreadable: () => t("本机读不出这张照片,会再试;请补拍一张", "this phone cannot read it and tries again; take another"),
  too_large: () => t("文件过大", "the file is too large"),
  unreachable: () => t("传到一半断了,会再试", "the line broke; it is tried again"),
});

/** @param {Photo} photo @returns {Fate} */
export function photoWords({ state, offset, problem }) {
  const code = statusWords(problem ?? ""), said = t(`没送成(${code}),会再试`, `it did not go through (${code}); it is tried again`);
  const why = problem ? REFUSED[problem]?.() ?? (state === "waiting" ? said : problem) : "";
  switch (state) {
    case "verified": return { kind: "ok", word: t("已核验", "verified"), why: "" };
    case "stored": return { kind: "wait", word: t("已到,待核验", "arrived, being checked"), why: "" };
    case "refused": return { kind: "bad", word: t("被拒收", "refused"), why: why || t("原图留在本机", "the original stays here") };
    case "damaged": return { kind: "bad", word: t("已损坏", "damaged"), why: why || t("请补拍", "take it again") };
    case "gone": return { kind: "bad", word: t("已丢失", "gone"), why: t("服务器没有,本机也已清除", "the server lost it, and it is no longer here") };
    default: return offset > 0 ? { kind: "wait", word: t("传了一部分", "partly sent"), why }
      : { kind: "wait", word: t("待传", "waiting"), why };
  }
}

const WAYS = /** @type {Record<string, () => string>} */ ({
  waiting: () => t("待传", "waiting"), stored: () => t("已传,待核验", "uploaded"), verified: () => t("已核验", "verified"),
  refused: () => t("被拒收", "refused"), damaged: () => t("损坏", "damaged"), gone: () => t("本机已缺", "gone from here"),
  expected: () => t("还没传到", "not arrived yet"), partial: () => t("传到一部分", "partly arrived"),
});

/** Does the server keep this photo's record without having applied it, because what it is about came too late or never?
 *  @param {import("../device/types.d.ts").Shown} evidence */
export function isStopped({ version, problems }) {
  return version === 0 && problems.length > 0;
}

/** How far the photo of an evidence record has come: this device hears of it before the record does; of others' the record says.
 *  @param {import("../device/types.d.ts").Shown} evidence @param {Map<string, string>} here the states of photos by digest */
export function wayWords(evidence, here) {
  if (isStopped(evidence)) return t("未采纳", "not applied");
  const { fields } = evidence, state = here.get(fields.sha256) ?? fields.media?.state;
  return state ? WAYS[state]?.() ?? state : t("在别的设备上", "on another device");
}

const EVENTS = /** @type {Record<string, (event: Record<string, any>) => string>} */ ({
  server_restored: ({ delivered_again: again }) => t(`服务器从备份恢复过;它丢了的正由本机补送(${again ?? 0} 条)。`,
    `The server was restored from a backup; what it lost is sent again from here (${again ?? 0}).`),
  journal_replaced: () => t("服务器的日志换过,与本机见过的不完全相同。请告诉主管。",
    "The server's journal was replaced by one that differs from what was seen here. Tell your supervisor."),
  store_older: () => t("本机的数据是较旧的副本(手机恢复过备份?)。请用新的邀请码重新登记。",
    "This store is an older copy (was the phone restored?). Enrol anew with a new code."),
  photo_gone: () => t("服务器丢了一张照片,本机也已没有它的原图。请告诉主管。",
    "The server lost a photo whose original is no longer here. Tell your supervisor."),
  conflict_settled: ({ choice }) => t(`一处冲突已裁决:${choiceWords(choice)}。`, `A conflict was settled: ${choiceWords(choice)} stands.`),
  roads_failed: () => t("地图的道路没有取到,下次同步再取。", "The roads for the map did not come; the next sync asks again."),
});

/** Which value a conflict came to. @param {string} choice */
export function choiceWords(choice) {
  return choice === "mine" ? t("采用后到的值", "the later value") : choice === "theirs" ? t("采用先到的值", "the earlier value") : t("采用第三个值", "a third value");
}

/** @param {Record<string, any>} event */
export function eventWords(event) {
  return EVENTS[event.kind]?.(event) ?? event.kind;
}
