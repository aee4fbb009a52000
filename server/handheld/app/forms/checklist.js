// A checklist as it is answered: which items are asked, what each still lacks. Pure; serves the inspection's screens.

import { verdict } from "../scoring.js";

/** @typedef {import("../scoring.js").Item} Item */
/** @typedef {{id: string, version: any, name: string, name_en?: string, full_points: number, items: Item[],
 *   applies_to?: string}} Checklist */
/** An answer while it is being given: `photos` are `{id, role}` of evidence, `finding` the finding that it opened.
 * @typedef {{value?: any, note?: string, serial?: string, photos?: {id: string, role: string}[], finding?: string}} Answer */

/**
 * A checklist of the edition or a template of the office, whole: items that name no kind are pass or fail, and without
 * full points it is worth what its items are, as the server reckons.
 * @param {any} given
 * @returns {Checklist}
 */
export function whole(given) {
  const items = (given.items ?? []).map((/** @type {any} */ item) => ({ answer: "pass_fail", evidence: "none", ...item }));
  const worth = items.reduce((/** @type {number} */ sum, /** @type {any} */ item) => sum + (item.points || 0), 0);
  return { name: given.id, ...given, full_points: given.full_points ?? worth, items };
}

/**
 * All checklists of a reference, whole; `key` tells one version from another.
 * @param {Record<string, any>} reference
 * @returns {(Checklist & {key: string})[]}
 */
export function checklistsOf(reference) {
  return reference.checklists.map(whole).map((/** @type {Checklist} */ one) => ({ ...one, key: `${one.id}/${one.version}` }));
}

/**
 * The items that are asked: one with `when: {item, value or values}` only after that answer to that item.
 * @param {Checklist} checklist
 * @param {Record<string, Answer>} answers
 * @returns {Item[]}
 */
export function asked(checklist, answers) {
  /** @type {Set<string>} */
  const shown = new Set();
  return checklist.items.filter((item) => {
    const when = item.when;
    const wanted = when ? [...(when.values ?? []), ...("value" in when ? [when.value] : [])] : [];
    const fits = !when || (shown.has(when.item) && wanted.includes(answers[when.item]?.value));
    if (fits) shown.add(item.id);
    return fits;
  });
}

/** The ids that answers name: of photos and findings, made or only about to be. @param {Record<string, Answer>} answers */
export function namedIn(answers) {
  return Object.values(answers).flatMap(({ photos, finding }) => [...(photos ?? []).map((one) => one.id), ...(finding ? [finding] : [])]);
}

/**
 * The answers with only those photos and findings that were made.
 * @param {Record<string, Answer>} answers
 * @param {Set<string>} made
 * @returns {Record<string, Answer>}
 */
export function standing(answers, made) {
  return Object.fromEntries(Object.entries(answers).map(([item, { photos, finding, ...said }]) => [item, { ...said,
    ...(photos ? { photos: photos.filter((one) => made.has(one.id)) } : {}), ...(finding && made.has(finding) ? { finding } : {}) }]));
}

/** @param {Item} item @param {Answer | undefined} answer */
export function answered(item, answer) {
  const value = answer?.value;
  if (item.answer === "pass_fail" || item.answer === "pass_fail_fatal") return verdict(value) !== null;
  if (item.answer === "number" || item.answer === "percent") return typeof value === "number" && Number.isFinite(value);
  if (item.answer === "photo") return (answer?.photos ?? []).length > 0;
  return value !== undefined && value !== null && value !== "";
}

/** @param {Item} item @param {Answer | undefined} answer */
export function failed(item, answer) {
  return (item.answer === "pass_fail" || item.answer === "pass_fail_fatal") && verdict(answer?.value) === "fail";
}

/**
 * What the item's kind of evidence still asks for; nothing of what does not apply ("na").
 * @param {Item} item
 * @param {Answer | undefined} answer
 * @returns {("photo" | "before" | "after" | "document" | "serial")[]}
 */
export function lacks(item, answer) {
  if (!answered(item, answer) || answer?.value === "na") return item.answer === "photo" && !answered(item, answer) ? ["photo"] : [];
  const roles = (answer?.photos ?? []).map((one) => one.role);
  const fails = failed(item, answer);
  switch (item.answer === "photo" ? "photo" : item.evidence) {
    case "photo":
      return roles.length ? [] : ["photo"];
    case "photo_on_fail":
      return fails && !roles.length ? ["photo"] : [];
    case "photo_pair_on_fail":
      if (!fails) return [];
      // An open finding gets its picture after the handling; without one both are taken now.
      return [...(roles.includes("before") ? [] : [/** @type {"before"} */ ("before")]),
        ...(roles.includes("after") || answer?.finding ? [] : [/** @type {"after"} */ ("after")])];
    case "document":
      return !fails && !roles.includes("document") ? ["document"] : [];
    case "serial_scan":
      return !fails && !answer?.serial?.trim() ? ["serial"] : [];
    default:
      return [];
  }
}

/** The role that the next photo of an item has. @param {Item} item @param {Answer | undefined} answer */
export function nextRole(item, answer) {
  const missing = lacks(item, answer).find((one) => one !== "photo" && one !== "serial");
  return missing ?? (item.evidence === "document" ? "document" : failed(item, answer) ? "scene" : "close");
}

/**
 * The answers as the record has them: only of what was asked, and only what was said.
 * @param {Checklist} checklist
 * @param {Record<string, Answer>} answers
 */
export function recorded(checklist, answers) {
  const given = asked(checklist, answers).filter((item) => answered(item, answers[item.id]));
  return Object.fromEntries(given.map((item) => {
    const { value, note, photos, finding } = answers[item.id], serial = answers[item.id].serial?.trim();
    return [item.id, {
      value: item.answer === "photo" ? photos?.[0].id : value, note: note ?? "",
      ...(serial ? { serial } : {}), ...(photos?.length ? { photos: photos.map((one) => one.id) } : {}),
      ...(finding ? { finding_id: finding } : {}),
    }];
  }));
}
