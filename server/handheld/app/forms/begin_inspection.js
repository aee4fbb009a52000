// Before an inspection: which checklist, which zone, who; and the inspections that were begun and not finished.

import { useDevice, useDrafts, useKept, useRecord } from "../parts/device.js";
import { html, useState } from "../parts/html.js";
import { Button, Choice, Note, Page, Section } from "../parts/page.js";
import { PositionLine, usePosition } from "../parts/position.js";
import { useReference } from "../parts/reference.js";
import { go } from "../parts/router.js";
import { ago } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { t } from "../words.js";
import { checklistsOf } from "./checklist.js";
import { Officers } from "./fields.js";
import { ZoneField } from "./zone_field.js";

const RECENT = 3;

/** @param {{zone?: string}} props */
export function BeginInspection({ zone: given }) {
  const device = useDevice();
  const reference = useReference();
  const drafts = (useDrafts() ?? []).filter((one) => one.kind === "inspection");
  const where = usePosition();
  const [recent, keepRecent] = useKept("inspection-checklists", /** @type {string[]} */ (["zone-daily/1"]));
  const [chosen, choose] = useState(/** @type {string | null} */ (null));
  const [place, setPlace] = useState(/** @type {any} */ (given ? { zone_id: given, zone_method: "person" } : {}));
  const [officers, setOfficers] = useState([device.user.id]);
  const [all, setAll] = useState(false);
  const lists = checklistsOf(reference);
  const known = chosen ?? recent?.[0] ?? null;
  const list = lists.find((one) => one.key === known) ?? null;
  const near = lists.filter((one) => all || one.key === known || recent?.includes(one.key));
  const zone = useRecord("zone", place.zone_id ?? "");
  const [busy, setBusy] = useState(false);

  async function begin() {
    if (!list) return;
    setBusy(true);
    const id = device.newId(), scope = zone?.scope ?? device.scopes[0], started = new Date().toISOString();
    const fields = {
      template_id: list.id, template_version: list.version, started_at: started, officers,
      ...(place.zone_id ? { zone_id: place.zone_id } : {}), ...(zone?.fields.party_id ? { party_id: zone.fields.party_id } : {}),
      ...(where.here ? { position: where.here } : {}),
    };
    const value = { ...place, checklist: list.key, name: zone?.fields.name ?? list.name, scope,
      started_at: started, officers, position: where.here, answers: {} };
    const done = await tried(() => device.group((maker) => void maker.create("inspection", fields, scope, { id }),
      { apart: true, draft: { id, kind: "inspection", value } })); // neither without the other
    setBusy(false);
    if (!done) return;
    await tried(() => keepRecent([list.key, ...(recent ?? []).filter((one) => one !== list.key)].slice(0, RECENT)));
    go(`/inspect/${id}`);
  }

  return html`<${Page} title=${t("检查", "Inspection")} back="/" actions=${html`<${Button} kind="primary" busy=${busy} disabled=${!list}
      onClick=${begin}>${t("开始检查", "Begin")}<//>`}>
    ${drafts.length > 0 && html`<${Section} title=${t("未完成的检查", "Unfinished")}><ul class="listed">${drafts.map((one) => html`
      <li key=${one.id}><button type="button" onClick=${() => go(`/inspect/${one.id}`)}><b>${one.value.name}</b>
        <small>${t(`已答 ${Object.keys(one.value.answers).length} 项 · ${ago(one.saved_at)}`,
          `${Object.keys(one.value.answers).length} answered · ${ago(one.saved_at)}`)}</small></button></li>`)}</ul><//>`}
    <${Section} title=${t("检查表", "Checklist")}>
      <${Choice} label=${t("检查表", "Checklist")} hideLabel=${true} value=${known} onChange=${choose} options=${near.map((one) => ({
        value: one.key, label: t(one.name, one.name_en ?? one.name),
        hint: t(`${one.items.length} 项 · ${one.full_points} 分`, `${one.items.length} items · ${one.full_points} points`) }))} />
      ${!all && html`<${Button} onClick=${() => setAll(true)}>${t("全部检查表", "All checklists")}<//>`}<//>
    <${Section} title=${t("地点", "Place")}>
      <${ZoneField} zone_id=${place.zone_id} onChosen=${setPlace} />
      <${PositionLine} ...${where} />
      ${!place.zone_id && list?.applies_to === "zone" && html`<${Note} kind="warn">${t("此检查表用于责任区,请选择责任区。",
        "This checklist is for a zone: choose one.")}<//>`}<//>
    <${Section} title=${t("人员", "People")}><${Officers} value=${officers} onChange=${setOfficers} /><//><//>`;
}
