// Values of records in words, for people who have to choose between two of them.

import { className } from "../parts/classes.js";
import { stepWords } from "../parts/outbox_words.js";
import { severityWords } from "../parts/severity.js";
import { stateWords } from "../parts/states.js";
import { when } from "../parts/time.js";
import { t } from "../words.js";

/** @typedef {import("../parts/classes.js").Class} Class */

/** In the order in which they are told. @type {Record<string, [string, string]>} */
const FIELDS = {
  classification: ["类别", "class"], severity: ["程度", "severity"], text: ["描述", "text"], address: ["地址", "address"], condition: ["情形", "condition"],
  position: ["位置", "position"], status: ["状态", "status"], deleted: ["删除", "deletion"], scope: ["范围", "scope"],
  tags: ["标签", "tags"], note: ["备注", "note"], facts: ["事实", "facts"], officers: ["人员", "officers"],
  observed_at: ["发现时间", "observed at"], sticker_serial: ["贴花编号", "sticker serial"], party_id: ["责任人", "party"],
  zone_id: ["责任区", "zone"], due_at: ["期限", "due"], ended_at: ["结束时间", "ended at"], started_at: ["开始时间", "started at"],
  period: ["有效期", "period"], answers: ["答案", "answers"], duties: ["责任", "duties"], self_handled: ["自行处置", "handled on the spot"],
  offence_code: ["案由", "offence"], kind: ["种类", "kind"], witness: ["见证人", "witness"], officer: ["登记人", "officer"],
  command: ["操作", "step"],
};
/** @type {Record<string, [string, string]>} */
const SAID = { pass: ["合格", "pass"], fail: ["不合格", "fail"], na: ["不适用", "n/a"], true: ["是", "yes"], false: ["否", "no"] };

/** Codes of a task's state and of a verdict. @type {Record<string, [string, string]>} */
const STATES = {
  open: ["待接收", "open"], accepted: ["已接收", "accepted"], finished: ["已完成", "finished"], handed_back: ["已退回", "handed back"],
  confirmed: ["属实", "as reported"], disputed: ["不一致", "differs"], not_found: ["未找到", "not found"],
};

/** A unit of merging: a field, a map's key (`answers.item`), a bound value. @param {string} field */
export function fieldWords(field) {
  const [name, ...key] = field.split(".");
  return [FIELDS[name] ? t(...FIELDS[name]) : name, ...key].join(" · ");
}

/**
 * Fields with their names, in one order whatever theirs is. Scheme and code of a class are one, told by its name.
 * @param {Record<string, any>} fields
 * @param {{id: string, name: string}} [me]
 * @param {Class[]} [classes]
 * @returns {[string, string][]}
 */
export function factsOf({ classification, ...given }, me, classes = []) {
  const { class_scheme, class_code, ...fields } = { ...given, ...classification };
  const names = Object.keys(FIELDS), place = (/** @type {string} */ name) => names.indexOf(name.split(".")[0]) + 1 || Infinity;
  const known = class_code ? { ...fields, classification: [...new Set([className({ class_scheme, class_code }, classes), class_code])].join(" ") } : fields;
  return Object.entries(known).filter(([, one]) => one !== null && one !== undefined)
    .sort(([one], [other]) => (place(one) - place(other)) || (one < other ? -1 : 1))
    .map(([name, one]) => [fieldWords(name), valueWords(name, one, me, classes)]);
}

/** The same in one line. @param {Record<string, any>} fields @param {{id: string, name: string}} [me] @param {Class[]} [classes] */
export function factWords(fields, me, classes) {
  return factsOf(fields, me, classes).map((fact) => fact.join(" ")).join(" · ");
}

/**
 * A value as a person reads it; text that is data stays text. Of ids of people the device knows one by name.
 * @param {string} field
 * @param {any} value
 * @param {{id: string, name: string}} [me]
 * @param {Class[]} [classes]
 * @returns {string}
 */
export function valueWords(field, value, me, classes) {
  if (value === null || value === undefined || value === "") return t("(空)", "(empty)");
  if (field === "deleted" && typeof value !== "object") return value ? t("删除", "deleted") : t("保留", "kept");
  if (typeof value === "string" && ["status", "verdict"].includes(field)) return STATES[value] ? t(...STATES[value]) : stateWords(value);
  if (field === "severity" && typeof value === "string") return severityWords(value);
  if (me && value === me.id) return me.name;
  if (typeof value === "string" && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}/.test(value)) return t(`编号…${value.slice(-4)}`, `no. …${value.slice(-4)}`);
  if (typeof value === "string") return /^\d{4}-\d\d-\d\dT/.test(value) ? when(value) : SAID[value] ? t(...SAID[value]) : value;
  if (typeof value !== "object") return SAID[String(value)] ? t(...SAID[String(value)]) : String(value);
  if (Array.isArray(value)) return value.map((one) => valueWords("", one, me)).join("、");
  if ("lon" in value) return `${Number(value.lat).toFixed(5)}, ${Number(value.lon).toFixed(5)}${value.accuracy_m ? ` ±${Math.round(value.accuracy_m)} m` : ""}`;
  if ("command" in value) {
    return [stepWords(value.command), ...["verdict", "outcome", "reason", "note"].filter((one) => value.args?.[one])
      .map((one) => valueWords(one, value.args[one], me))].join(" · ");
  }
  if ("value" in value) return [valueWords("", value.value, me), value.note].filter(Boolean).join(" · ");
  return factWords(value, me, classes);
}

/** Can a person type another value? Only where both are plain words or numbers. @param {Record<string, any>} conflict */
export function takesThird({ kind, field, theirs, mine }) {
  const plain = (/** @type {any} */ value) => value === null || value === undefined || typeof value === "string" || typeof value === "number";
  return kind === "value" && field !== "classification" && plain(theirs) && plain(mine)
    && !/_(id|at)$/.test(field) && (typeof theirs === "string" || typeof mine === "string" || typeof mine === "number");
}

/** The zone that a finding was given. @param {Record<string, any>} fields @returns {string} */
export function zoneName({ zone }) {
  return zone?.candidates?.find((/** @type {any} */ one) => one.zone_id === zone.zone_id)?.name ?? "";
}

/** Of what and where a record is, in one line. @param {Record<string, any>} fields @param {Class[]} classes */
export function whatAndWhere(fields, classes) {
  return [fields.class_code && className(fields, classes), fields.party_name, fields.address, zoneName(fields) || fields.zone?.candidates?.[0]?.name].filter(Boolean).join(" · ");
}
