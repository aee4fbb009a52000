// One item of a checklist: its question, the answer in one tap, and what its kind of evidence asks for.

import { html, useState } from "../parts/html.js";
import { Button, Choice, Field } from "../parts/page.js";
import { Scan } from "../parts/scan.js";
import { useTyping } from "../parts/typing.js";
import { t } from "../words.js";
import { answered, failed, lacks, nextRole } from "./checklist.js";
import { ShotButton, Shots } from "./shots.js";

/** @typedef {import("../scoring.js").Item} Item */
/** @typedef {import("./checklist.js").Answer} Answer */

/**
 * @param {{number: number, item: Item, answer: Answer | undefined, inspection: string, scope: string, lost?: number,
 *   onAnswer: (part: Partial<Answer>) => void, onShot: (photo: import("./named.js").Photo) => unknown, onFinding: () => Promise<unknown>}} props
 */
export function ItemCard({ number, item, answer, inspection, scope, lost, onAnswer, onShot, onFinding }) {
  const fails = failed(item, answer), missing = lacks(item, answer), pictures = missing.filter((one) => one !== "serial"), photos = answer?.photos ?? [];
  const [more, setMore] = useState(false);
  const [scanning, setScanning] = useState(false), [busy, setBusy] = useState(false);
  const text = t(item.text ?? item.id, item.text_en ?? item.text ?? item.id);
  const asksPhoto = item.answer === "photo" || photos.length > 0 || pictures.length > 0 || fails || more;
  const finding = answer?.finding, reports = fails && item.class_code; // first: a photo taken then is the finding's
  const about = finding ? { type: "finding", id: finding } : { type: "inspection", id: inspection };

  return html`<article class="item ${fails ? "fails" : answered(item, answer) ? "answered" : ""}" id=${`item-${item.id}`}>
    <h3><span class="number">${number}</span> ${text}
      <small>${item.points ? t(`${item.points} 分`, `${item.points} points`) : ""}
        ${item.answer === "pass_fail_fatal" ? t(" · 否决项", " · fatal") : ""}${lost ? ` −${lost}` : ""}</small></h3>
    <${AnswerInput} item=${item} answer=${answer} text=${text} onAnswer=${onAnswer} />
    ${item.evidence === "serial_scan" && answer?.value !== "na" && html`<div class="pair">
      <${Field} label=${t("贴花编号", "Sticker serial")} problem=${missing.includes("serial") ? t("请扫描或输入", "Scan or type it") : null}>
        <input type="text" maxlength="80" value=${answer?.serial ?? ""}
          onInput=${(/** @type {any} */ event) => onAnswer({ serial: event.target.value })} /><//>
      <${Button} onClick=${() => setScanning(true)}>${t("扫码", "Scan")}<//></div>
      ${scanning && html`<${Scan} title=${t("扫贴花", "Scan the sticker")} typed=${t("贴花编号", "Sticker serial")} onClose=${() => setScanning(false)}
        onRead=${(/** @type {string} */ serial) => { setScanning(false); onAnswer({ serial }); }} />`}`}
    ${reports && (finding ? html`<p class="opened">${t("已上报为问题", "Reported as a finding")}</p>`
      : html`<${Button} kind="primary" busy=${busy} onClick=${async () => {
        setBusy(true);
        await onFinding();
        setBusy(false);
      }}>${t("上报问题", "Report as a finding")}<//>`)}
    <${Shots} ids=${photos.map((one) => one.id)} />
    ${asksPhoto && html`<div class="pair"><${ShotButton} about=${about} scope=${scope} role=${nextRole(item, answer)}
      kind=${pictures.length && (finding || !reports) ? "primary" : "plain"} onShot=${onShot} /></div>`}
    ${pictures.map((one) => html`<p class="problem" key=${one}>${needed(one)}</p>`)}
    ${more || answer?.note !== undefined ? html`<${Field} label=${t("备注", "Note")}><textarea rows="2" maxlength="2000" value=${answer?.note ?? ""}
        onInput=${(/** @type {any} */ event) => onAnswer({ note: event.target.value })}></textarea><//>`
      : html`<button type="button" class="link" onClick=${() => setMore(true)}>${t("备注 / 拍照", "Note / photo")}</button>`}
  </article>`;
}

/** What is missing, in words. @param {string} what */
export function needed(what) {
  /** @type {Record<string, [string, string]>} */
  const words = {
    photo: ["必须拍照", "A photo is required"], before: ["须拍处置前照片", "A photo of before is required"],
    after: ["须拍整改后照片;未当场整改的请上报问题", "A photo of after is required; report a finding if it was not put right at once"],
    document: ["须拍证件材料", "A photo of the document is required"], serial: ["须扫贴花编号", "The sticker's serial is required"],
  };
  return t(...words[what]);
}

/** @param {{item: Item, answer: Answer | undefined, text: string, onAnswer: (part: Partial<Answer>) => void}} props */
function AnswerInput({ item, answer, text, onAnswer }) {
  const value = answer?.value;
  const figure = useTyping(String(value ?? ""), (typed) => onAnswer({ value: typed === "" ? null : Number(typed) })); // "2.0" stays as typed
  const take = (/** @type {any} */ event) => onAnswer({ value: event.target.value });
  switch (item.answer) {
    case "pass_fail":
    case "pass_fail_fatal":
      return html`<${Choice} label=${text} hideLabel=${true} value=${value} onChange=${(/** @type {any} */ next) => onAnswer({ value: next })}
        options=${[{ value: "pass", label: t("合格", "Pass") }, { value: "fail", label: t("不合格", "Fail") },
          { value: "na", label: t("不适用", "N/A") }]} />`;
    case "number":
    case "percent":
      return html`<${Field} label=${item.answer === "percent" ? t("百分比 %", "Percent %") : t("数值", "Number")}>
        <input type="number" inputmode="decimal" step="any" min=${item.answer === "percent" ? 0 : undefined}
          max=${item.answer === "percent" ? 100 : undefined} ...${figure} /><//>`;
    case "date":
      return html`<${Field} label=${t("日期", "Date")}><input type="date" value=${value ?? ""} onInput=${take} /><//>`;
    case "choice": {
      const options = choices(item);
      if (options.length) {
        return html`<${Choice} label=${text} hideLabel=${true} value=${value} options=${options}
          onChange=${(/** @type {any} */ next) => onAnswer({ value: next })} />`;
      }
      return html`<${Field} label=${t("选择(填写)", "Choice (write it)")}><input type="text" maxlength="200" value=${value ?? ""} onInput=${take} /><//>`;
    }
    case "photo":
      return null;
    default:
      return html`<${Field} label=${t("填写", "Write")}><textarea rows="2" maxlength="2000" value=${value ?? ""} onInput=${take}></textarea><//>`;
  }
}

/**
 * The options of a choice: as the template lists them, else as the item's text has them in brackets, split by slashes.
 * @param {Item} item
 * @returns {{value: any, label: string}[]}
 */
export function choices(item) {
  if (item.options?.length) {
    return item.options.map((one) => (one !== null && typeof one === "object"
      ? { value: one.value, label: t(one.name ?? one.text ?? String(one.value), one.name_en ?? one.name ?? String(one.value)) }
      : { value: one, label: String(one) }));
  }
  const named = /[((]([^))]*\/[^))]*)[))]/.exec(item.text ?? "");
  return named ? named[1].split("/").map((one) => ({ value: one.trim(), label: one.trim() })) : [];
}
