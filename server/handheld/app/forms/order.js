// The soft steps of enforcement: which a person may take, what their text says, what is still missing. Pure.

/** @typedef {Record<string, any>} Form */

/** The steps that these roles may take: an auxiliary persuades and signs nothing (server/trade/documents.py).
 * @param {any[]} kinds @param {string[]} roles @returns {any[]} */
export function softSteps(kinds, roles) {
  const auxiliary = roles.length > 0 && roles.every((role) => role === "auxiliary");
  return kinds.filter((one) => !auxiliary || one.kind === "persuade");
}

/** The offences of a scope's own rules that fit all words, those of the finding's class first.
 * @param {any[]} offences @param {string} scope @param {string} words @param {string} [code] of the class */
export function offencesFor(offences, scope, words, code) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return offences.filter((one) => (!one.scope || scope.startsWith(one.scope))
    && wanted.every((word) => `${one.code} ${one.name}`.toLowerCase().includes(word)))
    .sort((one, other) => Number(other.class_code === code) - Number(one.class_code === code));
}

/** The rule that was broken, as a document cites it. @param {any} offence */
export function article(offence) {
  if (!offence) return "";
  const [, number, clause] = /^(\d+)(.*)$/.exec(offence.breached_article ?? "") ?? [null, "", ""];
  const rule = (offence.source ?? "").replace(/\s*\(.*$/, "");
  const parts = [/\((\d+)\)/.exec(clause), /para (\d+)/.exec(clause)];
  return rule ? `《${rule}》${number ? `第${number}条` : ""}${parts[1] ? `第${parts[1][1]}款` : ""}${parts[0] ? `第（${parts[0][1]}）项` : ""}` : "";
}

/**
 * The step's text with its gaps filled. The document is Chinese; the English is for who reads it over.
 * @param {any} step
 * @param {Form} form
 * @param {any} offence
 * @param {{id: string, name: string}} me
 * @param {string} at
 * @param {"text_cn" | "text_en"} [which]
 */
export function orderText(step, form, offence, me, at, which = "text_cn") {
  const hour = (/** @type {string} */ local) => (which === "text_cn" ? written(local) : local.replace("T", " "));
  /** @type {Record<string, string>} */
  const gaps = {
    party: form.party_name || "＿＿＿＿", facts: form.facts.trim().replace(/[。.;；]+$/, "") || "＿＿＿＿", at: hour(localBeijing(new Date(at))),
    article: article(offence) || (which === "text_cn" ? "市容和环境卫生管理的规定" : "the rules of city appearance and sanitation"),
    due: form.due ? hour(form.due) : "＿＿＿＿", officers: `执法人员：${officerNames(form.officers, me)}`,
  };
  return step[which].replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => gaps[name] ?? "");
}

/** What `<input type=datetime-local>` gives, meant in Beijing, as the wire has it; null for no time.
 * @param {string} local @returns {string | null} */
export function beijing(local) {
  const at = new Date(`${local}:00+08:00`);
  return local && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

/** A moment as that input takes it. @param {Date} at */
export function localBeijing(at) {
  return new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 16);
}

/** The names of officers for a text. @param {string[]} officers @param {{id: string, name: string}} me */
export function officerNames(officers, me) {
  return officers.map((one) => (one === me.id ? me.name : one)).join("、");
}

/** A day and hour as documents write it. @param {string} local */
function written(local) {
  const [, year, month, day, hour, minute] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(local) ?? [];
  return year ? `${year}年${Number(month)}月${Number(day)}日${Number(hour)}时${minute}分` : local;
}

/**
 * What must be written before the step is served, the first to be told first. A deadline lies behind the serving, whenever
 * the form is kept.
 * @param {any} step
 * @param {Form} form
 * @param {(chinese: string, english: string) => string} t
 * @param {number} now ms
 * @returns {string[]}
 */
export function unwritten(step, form, t, now) {
  const due = beijing(form.due ?? ""), from = Date.parse(form.served_at) || now;
  return [
    !form.party_name.trim() && t("请写明当事人", "Name the party"),
    !form.facts.trim() && t("请写明事实", "Write the facts"),
    step.dated === "1" && !(due && Date.parse(due) > from) && t("请选择将来的改正期限(日期和时刻)", "Give a deadline to come (day and hour)"),
    form.officers.length < Number(step.officers) && t(`须 ${step.officers} 名执法人员`, `${step.officers} officers are needed`),
  ].filter((one) => typeof one === "string");
}

/**
 * What must be there before the step is kept.
 * @param {any} step
 * @param {Form} form
 * @param {(chinese: string, english: string) => string} t
 * @param {number} now ms
 * @returns {string[]}
 */
export function missing(step, form, t, now) {
  const signs = step.document === "1";
  return [
    ...unwritten(step, form, t, now),
    !form.how && t("请选择送达方式", "How was it served?"),
    signs && form.how === "signed" && !form.signature && t("还没有签名", "Not signed yet"),
    form.how === "refused" && !(form.reason.trim() && form.witness.trim()) && t("拒签须写明情况和见证人", "A refusal needs what happened and a witness"),
  ].filter((one) => typeof one === "string");
}
