// A zone's row of the daily register: one tap a duty, a photo, a note.

import { html, useState } from "../parts/html.js";
import { Button, Field, Note } from "../parts/page.js";
import { go } from "../parts/router.js";
import { useTyping } from "../parts/typing.js";
import { t } from "../words.js";
import { partyName } from "./fields.js";
import { ShotButton } from "./shots.js";
import { factWords } from "./values.js";

/** The duties that are asked for in this month. @param {any[]} duties @param {string} day @returns {any[]} */
export function dutiesOn(duties, day) {
  const month = String(Number(day.slice(5, 7)));
  return duties.filter((one) => !one.months || one.months.split(" ").includes(month));
}

/**
 * @param {{zone: import("../device/types.d.ts").Shown, away: number | null, duties: any[], row: {id: string, duties: Record<string, any>,
 *   note: string, by?: string, kept: boolean, version: number, unsent: boolean, problems: any[]} | null, open: boolean, onOpen: () => void,
 *   onTap: (given: Record<string, string>) => void, onNote: (note: string, version: number) => Promise<boolean>, ensure: () => Promise<string | null>,
 *   photos: number, beside: {by: string, duties: Record<string, any>, note: string}[]}} props
 *   `by` names the colleague whose row it is, to be changed only when that was asked for; `beside` are the other rows of that zone and day
 */
export function DutyCard({ zone, away, duties, row, open, onOpen, onTap, onNote, ensure, photos, beside }) {
  const [free, setFree] = useState(false), locked = Boolean(row?.by && !free);
  const given = row?.duties ?? {};
  const rest = duties.filter((one) => !given[one.duty]);
  const bad = duties.filter((one) => given[one.duty] === "fail");
  const note = useTyping(row?.note ?? "", onNote, row?.kept, row?.version);
  const [about, setAbout] = useState(row?.id ?? "");
  const state = row?.kept ? (row.problems.length ? t("未采纳,见“同步”", "not applied: see Sync") : row.unsent ? t("已存,待送达", "kept, waits") : t("已送达", "delivered"))
    : row ? t(`余 ${rest.length} 项`, `${rest.length} left`) : "";
  return html`<article class="duty-card ${row?.kept ? "answered" : ""} ${bad.length ? "fails" : ""}">
    <button type="button" class="duty-head" aria-expanded=${open} onClick=${onOpen}><b>${zone.fields.name}</b>
      <small>${[zone.fields.road, away === null ? "" : `${Math.round(away)} m`].filter(Boolean).join(" · ")}</small>
      <em>${row?.by ? `${row.by} · ` : ""}${beside.length ? t(`共 ${beside.length + 1} 份 · `, `${beside.length + 1} rows · `) : ""}${bad.length ? t(`${bad.length} 项不合格 · `, `${bad.length} failed · `) : ""}${state}</em></button>
    ${open && html`<div class="duty-body">
      <p class="hint">${t("责任人", "Party")} ${partyName(zone.fields)}</p>
      ${row?.by && html`<${Note} kind="warn">${t(`这一份是${row.by}登记的。`, `This row is ${row.by}'s.`)}
        ${locked && html`<${Button} onClick=${() => setFree(true)}>${t(`修改${row.by}的登记`, `Change ${row.by}'s row`)}<//>`}<//>`}
      ${beside.map((one) => html`<${Note} key=${one.by}>${t(`另有一份,${one.by}登记:`, `Another row, by ${one.by}: `)}
        ${factWords({ duties: one.duties, ...(one.note ? { note: one.note } : {}) })}<//>`)}
      <fieldset class="plain-set" disabled=${locked}>
      ${duties.map((one) => html`<div class="duty-line" role="group" aria-label=${t(one.name_cn, one.name_en)} key=${one.duty}>
        <span>${t(one.name_cn, one.name_en)}</span>
        ${[["pass", t("合格", "Pass")], ["fail", t("不合格", "Fail")]].map(([value, label]) => html`<button type="button" key=${value}
          class="tap ${value}" aria-pressed=${given[one.duty] === value} onClick=${() => onTap({ [one.duty]: value })}>${label}</button>`)}</div>`)}
      ${rest.length > 0 && html`<${Button} onClick=${() => onTap(Object.fromEntries(rest.map((one) => [one.duty, "pass"])))}>
        ${rest.length === duties.length ? t("全部合格", "All pass") : t(`其余 ${rest.length} 项合格`, `The other ${rest.length} pass`)}<//>`}
      ${row && !row.kept && rest.length > 0 && html`<${Button} onClick=${ensure}>${t(`先存下,${rest.length} 项未评`, `Keep it with ${rest.length} not judged`)}<//>`}
      <${Field} label=${t("备注", "Note")}><textarea rows="2" maxlength="2000" ...${note}></textarea><//>
      <div class="pair"><${ShotButton} about=${{ type: "register_entry", id: row?.id || about }} role="scene" scope=${zone.scope}
          label=${photos ? t(`拍照(已 ${photos} 张)`, `Photo (${photos} so far)`) : t("拍照", "Photo")}
          before=${async () => { const id = await ensure(); if (id) setAbout(id); return id !== null; }} /></div></fieldset>
      <div class="pair"><${Button} onClick=${() => go(`/inspect?zone=${zone.id}`)}>${t("逐项检查", "Checklist")}<//></div></div>`}
  </article>`;
}
