// A finding that this device does not show: dismissed, with what was written, deleted here, or never seen.

import { factsOf } from "../../forms/values.js";
import { t } from "../../words.js";
import { useClasses } from "../../parts/classes.js";
import { useDevice } from "../../parts/device.js";
import { html } from "../../parts/html.js";
import { dismissalWords } from "../../parts/outbox_words.js";
import { Note, Section } from "../../parts/page.js";
import { when } from "../../parts/time.js";

/** @param {{made: import("../../device/types.d.ts").Made[]}} props */
export function Gone({ made }) {
  const device = useDevice(), classes = useClasses();
  const dismissed = made.find(({ body, settled }) => body.op === "put" && body.scope && settled?.outcome === "dismissed");
  if (!dismissed?.settled) {
    return html`<${Note}>${made.some(({ body }) => body.op === "delete") ? t("这一条已在本机删除。", "This one was deleted on this device.")
      : made.some(({ state }) => state === "done") ? t("已送达;已不在您的责任范围,或已删除。", "Delivered; outside your area by now, or deleted.")
      : t("本机没有这一条。", "This device does not have it.")}<//>`;
  }
  return html`<${Note} kind="warn"><b>${dismissalWords(dismissed.settled)}</b>
      ${dismissed.settled.at && html`<span>${when(dismissed.settled.at)}</span>`}<//>
    <${Section} title=${t("上报时写的", "What was reported")}><dl class="facts">
      ${factsOf(dismissed.body.set ?? {}, device.user, classes).map(([name, words]) => html`<dt>${name}</dt><dd>${words}</dd>`)}</dl><//>`;
}
