// An inspection by checklist: one tap an item, the score as it stands, what is missing before it can be finished.

import { BeginInspection } from "../forms/begin_inspection.js";
import { asked, answered, checklistsOf, failed, lacks, namedIn, recorded, standing } from "../forms/checklist.js";
import { GiveUp, Officers } from "../forms/fields.js";
import { choiceOf, findingOf } from "../forms/finding_of.js";
import { ItemCard, needed } from "../forms/item.js";
import { Delivery } from "../forms/letter_told.js";
import { madeOf, withPhoto } from "../forms/named.js";
import { factsOf } from "../forms/values.js";
import { useAsked, useDevice, useRecord } from "../parts/device.js";
import { useDraft } from "../parts/draft.js";
import { failureWords } from "../parts/failures.js";
import { near } from "../parts/fix.js";
import { html, useState } from "../parts/html.js";
import { Button, Field, Note, Page, Section, Sheet, say } from "../parts/page.js";
import { PositionLine, lastPosition, usePosition } from "../parts/position.js";
import { useReference } from "../parts/reference.js";
import { leaveFor } from "../parts/router.js";
import { when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { useShots } from "../parts/unkept.js";
import { useZones } from "../parts/zone.js";
import { score } from "../scoring.js";
import { t } from "../words.js";

/** What is finished or given up here was begun here: nobody's later version was looked at. */
const OWN = 0;

/** @param {{params: Record<string, string>}} props */
export default function Inspect({ params }) {
  return params.draft ? html`<${Answering} key=${params.draft} id=${params.draft} />` : html`<${BeginInspection} zone=${params.zone} />`;
}

/** @param {{id: string}} props */
function Answering({ id }) {
  const device = useDevice();
  const reference = useReference();
  const draft = useDraft(id, "inspection");
  const value = draft.value, coming = useShots().length > 0;
  const made = useAsked(async (asking) => {
    const kept = (await asking.drafts()).find((one) => one.id === id);
    return madeOf(asking, namedIn(kept?.value.answers ?? {}));
  }, ["made of", id]);
  const zone = useRecord("zone", value?.zone_id ?? ""), zones = useZones();
  const where = usePosition();
  const [placing, setPlacing] = useState(/** @type {import("../scoring.js").Item | null} */ (null)), [address, setAddress] = useState("");
  const [ending, setEnding] = useState(false);
  const [busy, setBusy] = useState(false);
  if (value === undefined || !made) return html`<${Page} title=${t("检查", "Inspection")} back="/inspect" />`;
  if (value === null) return html`<${Done} id=${id} />`;
  const found = checklistsOf(reference).find((one) => one.key === value.checklist);
  const giveUp = html`<${GiveUp} what=${t("这次检查", "this inspection")} id=${id} begun onGiveUp=${(/** @type {string} */ reason) => tried(async () => {
    await draft.drop(() => device.group((maker) => maker.remove("inspection", id, reason, OWN), { apart: true, draft: { id } }));
    leaveFor("/inspect");
  })} />`;
  if (!found) {
    return html`<${Page} title=${value.name} back="/inspect"><${Note} kind="bad">${t("检查表已不在本机,请联网同步后再打开;已答内容仍保存。",
      "Its checklist is not on this device: sync and open it again. What was answered is kept.")}<//>
      <ul class="told">${factsOf(value.answers).map(([name, words]) => html`<li key=${name}><span>${name}</span> <b>${words}</b></li>`)}</ul>${giveUp}<//>`;
  }
  const checklist = found, answers = standing(value.answers, made), items = asked(checklist, answers);
  const counted = Object.fromEntries(items.map((item) => [item.id, { ...answers[item.id],
    value: item.answer === "photo" ? answers[item.id]?.photos?.[0]?.id : answers[item.id]?.value }]));
  const now = score(found, counted);
  const open = items.filter((item) => !answered(item, answers[item.id]));
  const lacking = items.filter((item) => lacks(item, answers[item.id]).length);

  /** @param {string} item @param {(before: import("../forms/checklist.js").Answer | undefined) => Partial<import("../forms/checklist.js").Answer>} part */
  const answer = (item, part) => draft.change((before) => ({
    answers: { ...before.answers, [item]: { ...before.answers[item], ...part(before.answers[item]) } },
  }));

  /** @param {import("../scoring.js").Item} item */
  async function openFinding(item) {
    const finding = value?.answers[item.id]?.finding ?? device.newId(); // named, but not made yet
    const fields = findingOf(item, { inspection: id, position: near(lastPosition()) ?? near(value?.position, Date.parse(value?.started_at)),
      zone: zone?.fields, zone_method: value?.zone_method, sticker_serial: value?.sticker_serial, note: answers[item.id]?.note, address });
    if (!("position" in fields || "address" in fields || "sticker_serial" in fields)) {
      setPlacing(item); // the server takes no finding without a place
      return;
    }
    const finder = device.user.roles.some((role) => role !== "auxiliary"); // whose choice of a zone the server takes (states.csv)
    const choice = finder ? choiceOf(fields, zones, value?.zone_id) : null;
    if (!await answer(item.id, () => ({ finding }))) return;
    const done = await tried(() => device.group((maker) => {
      maker.create("finding", fields, value?.scope, { id: finding });
      if (choice) maker.command("finding", finding, "choose_zone", choice, null, 0);
    }, { apart: true, once: finding }));
    if (!done) return;
    setPlacing(null);
    say(t("已存为问题,随检查一起送达", "Kept as a finding; it goes with the inspection"));
  }

  async function finish() {
    setBusy(true);
    try {
      const set = { answers: recorded(checklist, answers), ended_at: new Date().toISOString() };
      await draft.drop(() => device.group((maker) => maker.edit("inspection", id, { set,
        ...members(value?.officers ?? [], value?.officers_first ?? value?.officers ?? []) }, OWN), { apart: true, draft: { id } }));
      say(t("检查已存,联网后送达", "The inspection is kept and goes out with the next network"));
      device.syncSoon();
      setEnding(false); // without its draft this screen shows what was kept
    } catch (error) {
      say(failureWords(error));
    } finally {
      setBusy(false);
    }
  }

  return html`<${Page} title=${zone?.fields.name ?? value.name} back="/inspect"
      actions=${html`<${Button} kind="primary" onClick=${() => setEnding(true)}>${t("结束检查", "Finish")}<//>`}>
    <div class="score" role="status" aria-live="polite"><b>${now.points ?? "—"}</b><span>/ ${now.full_points}</span>
      <small>${t(`${items.length - open.length}/${items.length} 项`, `${items.length - open.length}/${items.length} items`)}</small>
      ${!now.passed && html`<em>${t("否决", "Failed")}</em>`}</div>
    ${draft.problem && html`<${Note} kind="bad">${draft.problem}<//>`}
    <p class="hint">${t(found.name, found.name_en ?? found.name)} · ${t("开始于", "begun")} ${when(value.started_at)}</p>
    <${PositionLine} ...${where} />
    ${items.map((item, place) => html`<${ItemCard} key=${item.id} number=${place + 1} item=${item} answer=${answers[item.id]}
      inspection=${id} scope=${value.scope} lost=${now.deductions[item.id]}
      onAnswer=${(/** @type {any} */ part) => answer(item.id, () => part)}
      onShot=${(/** @type {import("../forms/named.js").Photo} */ photo) => answer(item.id, (before) => ({ photos: withPhoto(before?.photos, photo) }))} onFinding=${() => openFinding(item)} />`)}
    <${Section} title=${t("人员", "People")}><${Officers} value=${value.officers}
      onChange=${(/** @type {string[]} */ officers) => draft.change((before) => ({ officers, officers_first: before.officers_first ?? before.officers }))} /><//>
    ${giveUp}
    ${placing && html`<${Sheet} title=${t("在哪里", "Where it is")} onClose=${() => setPlacing(null)}>
      <${Note} kind="warn">${t("没有定位,也没有责任区:请写明地址。", "There is neither position nor zone: give the address.")}<//>
      <${Field} label=${t("地址", "Address")}><input value=${address} autocomplete="off" onInput=${(/** @type {any} */ event) => setAddress(event.target.value)} /><//>
      <${Button} kind="primary" busy=${busy} disabled=${!address.trim()} onClick=${async () => {
        setBusy(true);
        await openFinding(placing);
        setBusy(false);
      }}>${t("上报问题", "Report as a finding")}<//><//>`}
    ${ending && html`<${Sheet} title=${t("结束检查", "Finish the inspection")} onClose=${() => setEnding(false)}>
      <p class="score"><b>${now.points ?? "—"}</b><span>/ ${now.full_points}</span>
        ${items.some((item) => failed(item, answers[item.id])) && html`<small>${t(`${items.filter((item) => failed(item, answers[item.id])).length} 项不合格`,
          `${items.filter((item) => failed(item, answers[item.id])).length} failed`)}</small>`}</p>
      ${lacking.length > 0 && html`<${Note} kind="bad"><p>${t("还缺必需的证据,补齐后才能结束:", "Required evidence is missing:")}</p>
        <ul>${lacking.map((item) => html`<li key=${item.id}><button type="button" class="link" onClick=${() => { setEnding(false); show(item.id); }}>
          ${t(item.text ?? item.id, item.text_en ?? item.text ?? item.id)}</button> — ${lacks(item, answers[item.id]).map(needed).join("、")}</li>`)}</ul><//>`}
      ${open.length > 0 && html`<${Note} kind="warn">${t(`还有 ${open.length} 项没有作答,将按未答记录。`,
        `${open.length} items have no answer and are recorded so.`)}
        <button type="button" class="link" onClick=${() => { setEnding(false); show(open[0].id); }}>${t("去作答", "Answer them")}</button><//>`}
      <${Button} kind="primary" busy=${busy} disabled=${coming || lacking.length > 0} onClick=${finish}>
        ${open.length ? t("仍要结束", "Finish all the same") : t("确认结束", "Finish")}<//><//>`}<//>`;
}

/** An inspection that is no draft any more: what it says. @param {{id: string}} props */
function Done({ id }) {
  const device = useDevice(), record = useRecord("inspection", id), zone = useRecord("zone", record?.fields.zone_id ?? "");
  const reference = useReference();
  if (record === undefined) return html`<${Page} title=${t("检查", "Inspection")} back="/inspect" />`;
  if (record === null) {
    return html`<${Page} title=${t("检查", "Inspection")} back="/inspect"><${Note}>${t("此检查已放弃,或不在本机。", "It was given up, or is not on this device.")}<//><//>`;
  }
  const { template_id: name, template_version: version, answers = {}, ended_at: ended, officers, sticker_serial } = record.fields;
  const list = checklistsOf(reference).find((one) => one.id === name && one.version === version);
  const result = record.fields.score ?? (list ? score(list, answers) : null);
  return html`<${Page} title=${list ? t(list.name, list.name_en ?? list.name) : name} back="/inspect">
    <p class="score"><b>${result?.points ?? "—"}</b><span>/ ${result?.full_points ?? "—"}</span>
      ${result?.passed === false && html`<em>${t("否决", "Failed")}</em>`}</p>
    ${!record.fields.score && html`<p class="hint">${t("得分由服务器核定。", "The server settles the score.")}</p>`}
    <${Delivery} record=${record} />
    <p class="hint">${when(record.fields.started_at)} – ${when(ended)}</p>
    <dl class="facts">${factsOf({ zone_id: zone?.fields.name ?? record.fields.zone_id, sticker_serial: sticker_serial ?? zone?.fields.sticker_serial, officers }, device.user)
      .map(([what, words]) => html`<dt>${what}</dt><dd>${words}</dd>`)}</dl>
    <ul class="told">${(list?.items ?? []).map((item) => [item, answers[item.id]]).filter(([, answer]) => answer).map(([item, answer]) => html`<li key=${item.id}>
      <span>${t(item.text ?? item.id, item.text_en ?? item.text ?? item.id)}</span> <b>${said(item, answer)}</b>
      ${answer.note && html`<small>${answer.note}</small>`}
      ${answer.finding_id && html`<a class="link" href="#/findings/${answer.finding_id}">${t("已上报为问题", "Reported as a finding")}</a>`}</li>`)}</ul><//>`;
}

/** @param {import("../scoring.js").Item} item @param {{value?: any, photos?: any[]}} answer */
function said(item, answer) {
  if (item.answer === "photo") return t(`照片 ${answer.photos?.length ?? 1} 张`, `${answer.photos?.length ?? 1} photos`);
  /** @type {Record<string, [string, string]>} */
  const words = { pass: ["合格", "pass"], fail: ["不合格", "fail"], na: ["不适用", "n/a"] };
  return words[answer.value] ? t(...words[answer.value]) : `${answer.value}${item.answer === "percent" ? " %" : ""}`;
}

/** What an edit of the set of officers adds and removes. @param {string[]} now @param {string[]} first */
function members(now, first) {
  const added = now.filter((one) => !first.includes(one)), gone = first.filter((one) => !now.includes(one));
  return { ...(added.length ? { add: { officers: added } } : {}), ...(gone.length ? { remove: { officers: gone } } : {}) };
}

/** @param {string} item */
function show(item) {
  requestAnimationFrame(() => document.getElementById(`item-${item}`)?.scrollIntoView({ block: "center" }));
}
