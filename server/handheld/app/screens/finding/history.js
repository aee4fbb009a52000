// What was done to a record on this device, and how far each of it has come.

import { t } from "../../words.js";
import { outcomeWords } from "../../parts/failures.js";
import { html } from "../../parts/html.js";
import { Section } from "../../parts/page.js";
import { commandWords } from "../../parts/states.js";
import { when } from "../../parts/time.js";

/** @typedef {import("../../device/types.d.ts").Made} Made */

const STATES = {
  waiting: () => t("待送", "waiting"), applied: () => t("已送达", "delivered"), done: () => t("已送达", "delivered"),
  held: () => t("已送达,等相关记录", "delivered, waits for a record"), quarantined: () => t("未采纳", "not applied"),
};
const KINDS = /** @type {Record<string, string>} */ ({ waiting: "wait", held: "wait", quarantined: "bad", applied: "ok", done: "ok" });
const FIELDS = /** @type {Record<string, () => string>} */ ({
  text: () => t("说明", "words"), tags: () => t("标签", "tags"), address: () => t("地址", "address"), position: () => t("定位", "position"),
  class_code: () => t("类别", "class"), severity: () => t("程度", "severity"), condition: () => t("情形", "condition"),
  sticker_serial: () => t("贴花", "sticker"),
});

/** @param {{made: Made[]}} props */
export function History({ made }) {
  if (!made.length) return null;
  return html`<${Section} title=${t("本机做过的", "Done on this device")}><ol class="rows">${made.map((one) => html`
    <li key=${one.id} class="row"><span class="text"><span>${whatWords(one)}</span><small>${when(one.made_at)}</small>
      ${one.state === "quarantined" && problemOf(one) && html`<small class="problem">${outcomeWords(/** @type {any} */ (problemOf(one)))}</small>`}</span>
      <span class="badge ${KINDS[one.state]}">${stateWords(one)}</span></li>`)}</ol><//>`;
}

/** The latest word of the server on it. @param {Made} one */
function problemOf({ settled, outcome }) {
  return settled?.problem ?? outcome?.problem ?? null;
}

/** @param {Made} one */
function stateWords(one) {
  const outcome = one.settled?.outcome ?? one.outcome?.outcome;
  if (outcome === "conflicted") return t("已送达,有冲突", "delivered, in conflict");
  if (outcome === "dismissed") return t("已驳回", "dismissed");
  return STATES[one.state]();
}

/** @param {Made} one */
function whatWords({ body }) {
  if (body.op === "delete") return t(`删除:${body.set?.reason ?? ""}`, `Deleted: ${body.set?.reason ?? ""}`);
  if (body.op === "command") return commandWords(body.command.name, body.command.expect?.status);
  if (body.scope && !body.base) return t("上报", "Reported");
  const names = [...new Set([...Object.keys(body.set ?? {}), ...Object.keys(body.add ?? {}), ...Object.keys(body.remove ?? {})])]
    .filter((name) => name !== "class_scheme");
  return t(`修改:${names.map(nameOf).join("、")}`, `Changed: ${names.map(nameOf).join(", ")}`);
}

/** @param {string} name */
function nameOf(name) {
  return FIELDS[name]?.() ?? name;
}
