// The offence (案由) by search, among those of the rules that hold where the record lies.

import { html, useState } from "../parts/html.js";
import { Button, Field, Note, Sheet } from "../parts/page.js";
import { useReference } from "../parts/reference.js";
import { t } from "../words.js";
import { article, offencesFor } from "./order.js";

const SHOWN = 40;

/** @param {{value: string, scope: string, class_code?: string, onChange: (code: string) => void}} props */
export function OffenceField({ value, scope, class_code: code, onChange }) {
  const { offences } = useReference();
  const [open, setOpen] = useState(false), [words, setWords] = useState("");
  const chosen = offences.find((/** @type {any} */ one) => one.code === value);
  const found = offencesFor(offences, scope, words, code);
  return html`<${Field} label=${t("案由", "Offence")}>
    ${chosen && html`<p class="zone-chosen"><b>${chosen.code} ${chosen.name}</b><small>${article(chosen)}</small>
      ${chosen.precondition && html`<small>${chosen.precondition === "order_unmet" ? t("须先责令改正,逾期不改才可处罚", "a fine only after an order that is not obeyed")
        : t("可当场处罚(另案)", "may be fined at once (a step of its own)")}</small>`}</p>`}
    <div class="pair"><${Button} onClick=${() => setOpen(true)}>${chosen ? t("更换案由", "Another offence") : t("选择案由", "Choose the offence")}<//>
      ${chosen && html`<${Button} onClick=${() => onChange("")}>${t("不写案由", "None")}<//>`}</div>
    ${open && html`<${Sheet} title=${t("选择案由", "Choose the offence")} onClose=${() => setOpen(false)}>
      <${Field} label=${t("查找", "Search")}><input type="search" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /><//>
      ${!found.length && html`<${Note} kind="warn">${words ? t("没有符合的案由", "No offence fits")
        : t("本地区的案由表尚未下发,可只写事实;由办公室补充。", "The office has sent no offences of this place yet: write the facts alone.")}<//>`}
      <ul class="listed">${found.slice(0, SHOWN).map((/** @type {any} */ one) => html`<li key=${one.code}>
        <button type="button" onClick=${() => { onChange(one.code); setOpen(false); }}><b>${one.name}</b>
          <small>${one.code} · ${article(one)}</small></button></li>`)}</ul>
      ${found.length > SHOWN && html`<p class="hint">${t(`还有 ${found.length - SHOWN} 条,请缩小查找`, `${found.length - SHOWN} more: narrow the search`)}</p>`}<//>`}<//>`;
}
