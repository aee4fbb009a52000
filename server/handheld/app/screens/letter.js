// A responsibility letter (责任书): duties read out, a period, the party's signature on the screen or a refusal before a
// witness. Once signed it is sealed.

import { GiveUp, Refusal, partyName } from "../forms/fields.js";
import { LetterTold } from "../forms/letter_told.js";
import { Shots, ShotButton, isSignature } from "../forms/shots.js";
import { Discard, UNSIGNED, useSignatureFound } from "../forms/signed.js";
import { ZoneField } from "../forms/zone_field.js";
import { useDevice, useDrafts, useEvidence, useRecord, useRecords } from "../parts/device.js";
import { useDraft } from "../parts/draft.js";
import { failureWords } from "../parts/failures.js";
import { html, useState } from "../parts/html.js";
import { Button, Choice, Field, Note, Page, Section, say } from "../parts/page.js";
import { PositionLine, usePosition } from "../parts/position.js";
import { useReference } from "../parts/reference.js";
import { go, leaveFor } from "../parts/router.js";
import { Scan } from "../parts/scan.js";
import { Signature } from "../parts/signature.js";
import { ago, day, when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { t } from "../words.js";

/** @param {{params: Record<string, string>}} props */
export default function Letter({ params }) {
  return params.draft ? html`<${Filling} key=${params.draft} id=${params.draft} />` : html`<${Begin} zone=${params.zone} />`;
}

/** @param {{zone?: string}} props */
function Begin({ zone: given }) {
  const device = useDevice();
  const drafts = (useDrafts() ?? []).filter((one) => one.kind === "letter");
  const letters = useRecords("letter"), zones = useRecords("zone");
  const { visits } = useReference();
  const names = new Map((zones ?? []).map((one) => [one.id, one.fields.name]));

  /** @param {{zone_id: string, sticker_serial?: string}} chosen */
  async function begin(chosen) {
    const id = device.newId(), from = day(), until = new Date(from); // days alone, whatever zone the phone is set to
    until.setUTCMonth(until.getUTCMonth() + visits.letter_months);
    until.setUTCDate(until.getUTCDate() - 1);
    const done = await tried(async () => {
      const zone = await device.get("zone", chosen.zone_id);
      await device.saveDraft(id, "letter", {
        zone_id: chosen.zone_id, name: zone?.fields.name ?? "", scope: zone?.scope ?? device.scopes[0], read: {},
        from, to: until.toISOString().slice(0, 10), sticker_serial: chosen.sticker_serial ?? zone?.fields.sticker_serial ?? "",
        signer: partyName(zone?.fields), how: "", reason: "", witness: "" });
    });
    if (done) go(`/letter/${id}`, { replace: Boolean(given) });
  }

  if (!device.user.roles.some((role) => role === "inspector" || role === "supervisor")) {
    return html`<${Page} title=${t("责任书", "Responsibility letter")} back="/"><${Note} kind="warn">${t("协管人员不签责任书,请由执法人员签订。",
      "Auxiliaries sign no letters; an officer does.")}<//><//>`;
  }
  return html`<${Page} title=${t("责任书", "Responsibility letter")} back="/">
    ${drafts.length > 0 && html`<${Section} title=${t("未完成", "Unfinished")}><ul class="listed">${drafts.map((one) => html`
      <li key=${one.id}><button type="button" onClick=${() => go(`/letter/${one.id}`)}><b>${one.value.name}</b><small>${ago(one.saved_at)}</small></button></li>`)}</ul><//>`}
    <${Section} title=${t("新签责任书", "A new letter")}>
      <${ZoneField} zone_id=${given} onChosen=${begin} />
      ${given && html`<${Button} kind="primary" onClick=${() => begin({ zone_id: given })}>${t("为此责任区签订", "For this zone")}<//>`}<//>
    ${letters && letters.length > 0 && html`<${Section} title=${t("已签订", "Signed so far")}><ul class="listed">${[...letters].reverse().slice(0, 30).map((one) => html`
      <li key=${one.id}><button type="button" onClick=${() => go(`/letter/${one.id}`)}><b>${names.get(one.fields.zone_id) ?? "—"}</b>
        <small>${one.fields.signed_at ? t(`已签 ${when(one.fields.signed_at)}`, `signed ${when(one.fields.signed_at)}`) : t("拒签", "refused")}
        ${one.unsent ? t(" · 待送达", " · waits") : ""}</small></button></li>`)}</ul><//>`}<//>`;
}

/** @param {{id: string}} props */
function Filling({ id }) {
  const device = useDevice();
  const draft = useDraft(id, "letter"), value = draft.value;
  useSignatureFound(id, draft);
  const evidence = useEvidence(id) ?? [];
  const zone = useRecord("zone", value?.zone_id ?? "");
  const duties = useReference().duties;
  const where = usePosition(), today = day();
  const valid = useRecords("letter")?.findLast(({ id: other, fields }) => other !== id && fields.zone_id === value?.zone_id && fields.signed_at && fields.period?.to >= today);
  const [scanning, setScanning] = useState(false), [busy, setBusy] = useState(false);
  if (value === undefined) return html`<${Page} title=${t("责任书", "Letter")} back="/letter" />`;
  if (value === null) return html`<${LetterTold} id=${id} />`;
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => draft.change({ [name]: event.target.value });
  const unread = duties.filter((/** @type {any} */ one) => !value.read[one.duty]);
  const lacks = [
    unread.length && t(`还有 ${unread.length} 项责任没有宣读`, `${unread.length} duties not read out yet`),
    !value.signer.trim() && t("请写明责任人或签名人", "Say who the party is, or who signs"),
    !(value.from && value.to && value.from <= value.to) && t("有效期不对", "The period is not right"),
    !value.how && t("请选择签名或拒签", "Signed or refused?"),
    value.how === "signed" && !value.signature && t("还没有签名", "Not signed yet"),
    value.how === "refused" && !(value.reason.trim() && value.witness.trim()) && t("拒签须写明情况和见证人", "A refusal needs what happened and a witness"),
  ].filter(Boolean);

  /** @param {Record<string, any>} form */
  async function keep(form) {
    setBusy(true);
    const now = new Date().toISOString(), refused = form.how === "refused";
    try {
      await device.group((maker) => void maker.create("letter", {
        zone_id: form.zone_id, ...(zone?.fields.party_id ? { party_id: zone.fields.party_id } : {}),
        period: { from: form.from, to: form.to }, duties: Object.fromEntries(duties.map((/** @type {any} */ one) => [one.duty, true])),
        ...(form.sticker_serial ? { sticker_serial: form.sticker_serial } : {}), party_name: form.signer.trim(),
        ...(refused ? { refused: { at: form.served_at || now, reason: form.reason.trim(), by: form.signer.trim() }, witness: { name: form.witness.trim() } }
          : { signed_at: form.signed_at ?? now, signature: { evidence_id: form.signature, name: form.signer.trim() } }),
      }, form.scope, { id }), { apart: true, once: id });
      await draft.drop();
      device.syncSoon();
      say(t("责任书已存,联网后送达", "The letter is kept and goes out with the next network"));
      leaveFor("/letter");
    } catch (error) {
      say(failureWords(error));
    } finally {
      setBusy(false);
    }
  }

  return html`<${Page} title=${value.name || t("责任书", "Letter")} back="/letter" actions=${html`
      ${lacks.length > 0 && html`<p class="hint">${lacks[0]}</p>`}
      <${Button} kind="primary" busy=${busy} disabled=${lacks.length > 0} onClick=${() => keep(value)}>
        ${value.how === "refused" ? t("存为拒签", "Keep as refused") : t("存为已签", "Keep as signed")}<//>`}>
    ${draft.problem && html`<${Note} kind="bad">${draft.problem}<//>`}
    ${valid && html`<${Note} kind="warn">${t(`此责任区已签过责任书,有效至 ${valid.fields.period.to}。`, `A letter was signed for this zone; it is good until ${valid.fields.period.to}.`)}
      <a href="#/letter/${valid.id}">${t("看那一份", "See it")}</a><//>`}
    <fieldset class="plain-set" disabled=${Boolean(value.signature)}>
    <${Section} title=${t("责任人", "Party")}>
      <p class="zone-chosen"><b>${zone?.fields.name ?? value.name}</b><small>${[zone?.fields.road, zone?.fields.section].filter(Boolean).join(" · ")}</small></p>
      <${Field} label=${t("责任人 / 签名人", "Party / who signs")}><input type="text" maxlength="200" value=${value.signer} onInput=${set("signer")} /><//>
      <${PositionLine} ...${where} /><//>
    <${Section} title=${t("责任(逐项宣读)", "Duties, read out one by one")}>
      ${duties.map((/** @type {any} */ one) => html`<label class="tick" key=${one.duty}>
        <input type="checkbox" checked=${Boolean(value.read[one.duty])} onChange=${(/** @type {any} */ event) => draft.change((before) => ({
          read: { ...before.read, [one.duty]: event.target.checked } }))} /><span><b>${t(one.name_cn, one.name_en)}</b> ${t(one.text_cn, one.text_en)}</span></label>`)}
      ${unread.length > 1 && html`<${Button} onClick=${() => draft.change({ read: Object.fromEntries(duties.map((/** @type {any} */ one) => [one.duty, true])) })}>
        ${t("已全部宣读", "All were read out")}<//>`}<//>
    <${Section} title=${t("有效期", "Period")}><div class="pair">
      <${Field} label=${t("自", "From")}><input type="date" value=${value.from} onChange=${set("from")} /><//>
      <${Field} label=${t("至", "To")}><input type="date" value=${value.to} onChange=${set("to")} /><//></div>
      <div class="pair"><${Field} label=${t("贴花编号", "Sticker serial")}><input type="text" maxlength="80" value=${value.sticker_serial} onInput=${set("sticker_serial")} /><//>
        <${Button} onClick=${() => setScanning(true)}>${t("扫码", "Scan")}<//></div>
      ${scanning && html`<${Scan} title=${t("扫贴花", "Scan the sticker")} typed=${t("贴花编号", "Sticker serial")} onClose=${() => setScanning(false)}
        onRead=${(/** @type {string} */ serial) => { setScanning(false); draft.change({ sticker_serial: serial }); }} />`}<//>
    </fieldset>
    <${Section} title=${t("签名", "Signature")}>
      ${value.signature ? html`<${Note} kind="ok">${t(`${value.signer} 已签名`, `${value.signer} has signed`)}<//><${Shots} ids=${[value.signature]} />
          <${Note}>${t("存为已签后即封存:以后的更改只能作为补充。", "Once kept as signed it is sealed: later edits become amendments.")}<//><${Discard} draft=${draft} />`
        : html`<${Choice} label=${t("是否签名", "Signed?")} hideLabel=${true} value=${value.how} onChange=${(/** @type {string} */ how) => draft.change({ ...UNSIGNED, how, served_at: new Date().toISOString() })}
          options=${[{ value: "signed", label: t("当场签名", "Signs now") }, { value: "refused", label: t("拒签", "Refuses") }]} />`}
      ${value.how === "signed" && !value.signature && value.signer.trim() && html`<${Signature} about=${{ type: "letter", id }} scope=${value.scope} name=${value.signer.trim()} position=${where.here}
        onSign=${(/** @type {string} */ signing) => draft.change({ signing })} />`}
      ${value.how === "refused" && html`<${Refusal} reason=${value.reason} witness=${value.witness} onChange=${draft.change} />`}<//>
    <${Section} title=${t("照片(可选)", "Photos (optional)")}>
      <${Shots} ids=${evidence.filter((one) => !isSignature(one.fields)).map((one) => one.id)} />
      <${ShotButton} about=${{ type: "letter", id }} role="document" scope=${value.scope} /><//>
    <${GiveUp} what=${t("责任书", "the letter")} id=${id} onGiveUp=${(/** @type {string} */ reason) => tried(async () => {
      if (reason) await device.group((maker) => {
        maker.create("letter", { zone_id: value.zone_id }, value.scope, { id });
        maker.remove("letter", id, reason, 0);
      }, { once: id });
      await draft.drop();
      leaveFor("/letter");
    })} /><//>`;
}
