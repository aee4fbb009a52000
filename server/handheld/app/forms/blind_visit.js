// A spot-check re-visit: before arrival only the place, then one's own answer, and only then the first report beside it.

import { ClassPicker, className, useClasses } from "../parts/classes.js";
import { useRecord } from "../parts/device.js";
import { html, useEffect, useState } from "../parts/html.js";
import { Button, Field, Note, Section } from "../parts/page.js";
import { PositionLine, usePosition } from "../parts/position.js";
import { useReference } from "../parts/reference.js";
import { t } from "../words.js";
import { arrival, pointOf } from "./places.js";
import { Look } from "./task_work.js";

/**
 * @param {{task: import("../device/types.d.ts").Shown, kind: any, work: import("./task_work.js").Work,
 *   onWork: (part: import("./task_work.js").Added) => unknown}} props
 */
export function BlindVisit({ task, kind, work, onWork }) {
  const finding = useRecord("finding", task.fields.about?.id ?? "");
  const { visits } = useReference();
  const where = usePosition();
  const [declaring, setDeclaring] = useState(""), place = finding?.fields.position;
  const near = arrival(where.here, place, visits), there = Boolean(near?.there);
  const arrived = work.arrived;
  useEffect(() => {
    if (there && !arrived) onWork({ arrived: { at: new Date().toISOString(), by: "position", distance_m: near?.distance_m, accuracy_m: where.here?.accuracy_m } });
  }, [there, Boolean(arrived)]);
  if (finding === undefined) return null;
  if (finding === null) return html`<${Note} kind="warn">${t("所涉记录不在本机,请联网同步。", "The record is not on this device: sync first.")}<//>`;
  const point = pointOf(place);
  return html`<${Section} title=${t("地点", "Place")}>
      <p><b>${finding.fields.address ?? ""}</b> ${point ? html`<span>${point.lat.toFixed(5)}, ${point.lon.toFixed(5)}</span>` : ""}</p>
      <${PositionLine} ...${where} />
      ${near && html`<p class="hint">${t(`距离约 ${near.distance_m} 米`, `about ${near.distance_m} m away`)}</p>`}<//>
    ${arrived ? html`<${Note} kind="ok">${arrived.by === "position" ? t("已到达现场。请按所见作答;原报告在您的答复送达后显示。", "You are there. Answer by what you see; the first report is shown once your answer is delivered.")
      : t("已声明到达现场。请按所见作答。", "You have declared to be there. Answer by what you see.")}<//>
      <${Look} task=${task} kind=${kind} work=${work} onWork=${onWork} blind=${true} />
      ${work.outcome && work.outcome !== "not_found" && html`<${OwnClass} work=${work} onWork=${onWork} />`}`
    : html`<${Note}>${t(`抽查复核:到达 ${visits.embargo_m} 米内才能作答,原报告内容暂不显示。请勿提前告知对方。`,
      `Spot check: it opens within ${visits.embargo_m} m of the place, and what was reported stays hidden. Tell nobody beforehand.`)}<//>
      ${(!point || where.problem) && html`<${Field} label=${t("定位不可用?写明怎样确认已到现场", "No position? Say how you know that you are there")}>
        <textarea rows="2" maxlength="500" value=${declaring} onInput=${(/** @type {any} */ event) => setDeclaring(event.target.value)}></textarea><//>
        <${Button} disabled=${!declaring.trim()} onClick=${() => onWork({ arrived: { at: new Date().toISOString(), by: declaring.trim() } })}>${t("声明已到现场", "Declare arrival")}<//>`}`}`;
}

/** One's own class of what is seen, by search. @param {{work: import("./task_work.js").Work, onWork: (part: any) => void}} props */
function OwnClass({ work, onWork }) {
  const values = work.values ?? {}, { class_scheme: scheme, class_code: code } = values;
  return html`<${Section} title=${t("您认定的类别", "The class that you see")}>
    <${ClassPicker} value=${code ? { scheme, code } : null}
      onChange=${(/** @type {any} */ one) => onWork({ values: { ...values, class_scheme: one.scheme, class_code: one.code } })} /><//>`;
}

/** After the answer: what the first report said. @param {{about: {id: string}, outcome: any}} props */
export function Compared({ about, outcome }) {
  const finding = useRecord("finding", about.id);
  const classes = useClasses();
  if (!finding) return null;
  const named = (/** @type {any} */ one) => (one?.class_code ? className(one, classes) : "—");
  return html`<${Section} title=${t("对照", "Side by side")}><dl class="sides">
    <dt>${t("原报告", "First report")}</dt><dd>${named(finding.fields)} · ${finding.fields.text ?? ""}</dd>
    <dt>${t("您的答复", "Yours")}</dt><dd>${named(outcome?.values)} · ${outcome?.note ?? ""}</dd></dl><//>`;
}
