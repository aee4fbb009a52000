// The score of an inspection, as server/rules/scoring.py reckons it: full points less deductions, exact decimals.
//
// Pure; serves the inspection's screen, so that the running score is the one that the server will derive.

/** @typedef {{id: string, text?: string, text_en?: string, points?: number, answer: string, evidence?: string,
 *   thresholds?: any[], options?: any[], when?: {item: string, value?: any, values?: any[]}, class_scheme?: string,
 *   class_code?: string}} Item */
/** @typedef {{points: number | null, full_points: number, deductions: Record<string, number>, fatal: string[],
 *   unanswered: string[], passed: boolean}} Score */

/**
 * `max(0, full_points - deductions)` of a checklist `{full_points, items}` and answers {item id: {value, note}}.
 * @param {{full_points: number, items: Item[]}} checklist
 * @param {Record<string, any>} answers
 * @returns {Score}
 */
export function score(checklist, answers) {
  const full = exact(checklist.full_points);
  /** @type {Record<string, number>} */
  const deductions = {};
  /** @type {string[]} */
  const fatal = [];
  /** @type {string[]} */
  const unanswered = [];
  let lostInAll = exact(0);
  for (const item of checklist.items) {
    const value = valueOf(answers[item.id]);
    const lost = deduction(item, value);
    if (lost === null) {
      unanswered.push(item.id);
    } else if (lost.units !== 0n || (item.answer === "pass_fail_fatal" && verdict(value) === "fail")) {
      deductions[item.id] = plain(lost);
      lostInAll = added(lostInAll, lost);
      if (item.answer === "pass_fail_fatal") fatal.push(item.id);
    }
  }
  const left = added(full, { units: -lostInAll.units, places: lostInAll.places });
  const scored = full.units > 0n && unanswered.length < checklist.items.length;
  return {
    points: scored ? plain(left.units < 0n ? exact(0) : left) : null, full_points: plain(full), deductions, fatal,
    unanswered, passed: fatal.length === 0,
  };
}

/**
 * "fail" or "pass" of an answer to a pass_fail item, null when it is no answer.
 * @param {any} value
 * @returns {"pass" | "fail" | null}
 */
export function verdict(value) {
  if (value === "fail" || value === false) return "fail";
  return value === "pass" || value === "na" || value === true ? "pass" : null;
}

/**
 * What the answer costs; null when it is no answer of the kind that the item asks for.
 * @param {Item} item
 * @param {any} value
 * @returns {Exact | null}
 */
function deduction(item, value) {
  const points = exact(item.points || 0);
  if (item.answer === "pass_fail" || item.answer === "pass_fail_fatal") {
    const said = verdict(value);
    return said === null ? null : said === "fail" ? points : exact(0);
  }
  if (item.answer === "number" || item.answer === "percent") {
    if (typeof value !== "number" || !Number.isFinite(value)) return null;
    const beyond = heaviest(item.thresholds ?? [], value);
    return compared(beyond, points) > 0 ? points : beyond;
  }
  return value === null || value === undefined || value === "" ? null : exact(0);
}

/**
 * The heaviest `deduct` among thresholds `{"below" or "above": limit, "deduct": points}` that the value crosses.
 * @param {any[]} thresholds
 * @param {number} value
 */
function heaviest(thresholds, value) {
  let most = exact(0), crossed = false;
  for (const each of thresholds) {
    const over = ("below" in each && compared(exact(value), exact(each.below)) < 0)
      || ("above" in each && compared(exact(value), exact(each.above)) > 0);
    const deduct = exact(over ? each.deduct : 0);
    if (over && (!crossed || compared(deduct, most) > 0)) most = deduct;
    crossed ||= over;
  }
  return most;
}

/** @param {any} answer */
function valueOf(answer) {
  return answer !== null && typeof answer === "object" && !Array.isArray(answer) ? answer.value : undefined;
}

/** A decimal: `units` times ten to the minus `places`. @typedef {{units: bigint, places: number}} Exact */

/**
 * The decimal that was written, so that 0.1 is a tenth.
 * @param {number | string} number
 * @returns {Exact}
 */
function exact(number) {
  const [mantissa, exponent] = String(number).toLowerCase().split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const places = fraction.length - Number(exponent ?? 0);
  const units = BigInt(whole + fraction);
  return places < 0 ? { units: units * 10n ** BigInt(-places), places: 0 } : { units, places };
}

/** @param {Exact} one @param {Exact} other @returns {Exact} */
function added(one, other) {
  const places = Math.max(one.places, other.places);
  return { units: scaled(one, places) + scaled(other, places), places };
}

/** @param {Exact} one @param {Exact} other */
function compared(one, other) {
  const places = Math.max(one.places, other.places);
  const difference = scaled(one, places) - scaled(other, places);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** @param {Exact} one @param {number} places */
function scaled(one, places) {
  return one.units * 10n ** BigInt(places - one.places);
}

/** @param {Exact} one */
function plain(one) {
  return Number(`${one.units}e${-one.places}`);
}
