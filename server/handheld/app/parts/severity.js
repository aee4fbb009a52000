// How grave a finding is: the standard's three words, and how they are called.

import { t } from "../words.js";

/** @type {Record<string, string>} */
const ENGLISH = { 轻: "minor", 中: "medium", 重: "grave" };

/** @param {string} severity */
export function severityWords(severity) {
  return t(severity, ENGLISH[severity] ?? severity);
}

/** What can be chosen. */
export function severities() {
  return Object.keys(ENGLISH).map((value) => ({ value, label: severityWords(value) }));
}
