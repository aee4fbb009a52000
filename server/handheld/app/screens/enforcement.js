// Enforcement, the soft steps: persuade, courtesy notice, order at once, order with a date. Served before it is kept.

import { EnforcementTold } from "../forms/enforcement_told.js";
import { GiveUp, Officers, Refusal, partyName } from "../forms/fields.js";
import { OffenceField } from "../forms/offence_field.js";
import { beijing, localBeijing, missing, orderText, softSteps, unwritten } from "../forms/order.js";
import { Shots, ShotButton, isSignature } from "../forms/shots.js";
import { Discard, UNSIGNED, useSignatureFound } from "../forms/signed.js";
import { ZoneField } from "../forms/zone_field.js";
import { className, useClasses } from "../parts/classes.js";
import { useDevice, useDrafts, useEvidence, useRecord, useRecords } from "../parts/device.js";
import { useDraft } from "../parts/draft.js";
import { Embargoed, useEmbargo } from "../parts/embargo.js";
import { failureWords } from "../parts/failures.js";
import { html, useMemo, useState } from "../parts/html.js";
import { Button, Choice, Field, Note, Page, Section, say } from "../parts/page.js";
import { PositionLine, usePosition } from "../parts/position.js";
import { useReference } from "../parts/reference.js";
import { go, leaveFor } from "../parts/router.js";
import { Signature } from "../parts/signature.js";
import { ago, when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { language, t } from "../words.js";

/** @param {{params: Record<string, string>}} props */
export default function Enforcement({ params }) {
  return params.draft ? html`<${Writing} key=${params.draft} id=${params.draft} />`
    : html`<${Begin} finding=${params.finding} zone=${params.zone} />`;
}

/** @param {{finding?: string, zone?: string}} props */
function Begin({ finding: about, zone: given }) {
  const device = useDevice();
  const finding = useRecord("finding", about ?? "");
  const embargo = useEmbargo(), drafts = (useDrafts() ?? []).filter((one) => one.kind === "enforcement" && embargo && !embargo.has(one.value.finding_id));
  const kept = useRecords("enforcement")?.filter((one) => embargo && !embargo.has(one.fields.finding_id));
  const { visits, enforcement_kinds: kinds } = useReference();
  const steps = softSteps(kinds, device.user.roles), classes = useClasses();

  /** @param {string} kind */
  async function begin(kind) {
    const id = device.newId(), zoneId = given ?? finding?.fields.zone?.zone_id ?? "";
    const done = await tried(async () => {
      const zone = zoneId ? await device.get("zone", zoneId) : null;
      await device.saveDraft(id, "enforcement", {
        kind, finding_id: finding?.id ?? "", class_code: finding?.fields.class_code ?? "", zone_id: zone?.id ?? "",
        scope: finding?.scope ?? zone?.scope ?? device.scopes[0], party_name: partyName(zone?.fields), offence_code: "",
        facts: finding?.fields.text ?? "", officers: [device.user.id], how: "", reason: "", witness: "",
        due: localBeijing(new Date(Date.now() + visits.order_hours * 3_600_000)) });
    });
    if (done) go(`/enforcement/${id}`, { replace: Boolean(about) });
  }

  if (about && embargo?.has(about)) return html`<${Page} title=${t("执法", "Enforcement")} back="/"><${Embargoed} /><//>`;
  return html`<${Page} title=${t("执法", "Enforcement")} back="/">
    ${drafts.length > 0 && html`<${Section} title=${t("未完成", "Unfinished")}><ul class="listed">${drafts.map((one) => html`
      <li key=${one.id}><button type="button" onClick=${() => go(`/enforcement/${one.id}`)}>
        <b>${name(kinds, one.value.kind)} · ${one.value.party_name || "—"}</b><small>${ago(one.saved_at)}</small></button></li>`)}</ul><//>`}
    ${about && finding && embargo && html`<${Note}>${t("关于问题:", "About the finding: ")}${finding.fields.text ?? className(finding.fields, classes)}<//>`}
    <${Section} title=${t("新的步骤", "A new step")}><ul class="listed">${steps.map((one) => html`<li key=${one.kind}>
      <button type="button" onClick=${() => begin(one.kind)}><b>${t(one.name_cn, one.name_en)}</b></button></li>`)}</ul>
      ${steps.length < kinds.length && html`<p class="hint">${t("协管人员可劝导,不签发文书。", "Auxiliaries persuade; they sign nothing.")}</p>`}<//>
    ${kept && kept.length > 0 && html`<${Section} title=${t("近期记录", "Recent")}><ul class="listed">${[...kept].reverse().slice(0, 30).map((one) => html`
      <li key=${one.id}><button type="button" onClick=${() => go(`/enforcement/${one.id}`)}><b>${[name(kinds, one.fields.kind), one.fields.party_name].filter(Boolean).join(" · ")}</b>
        <small>${when(one.fields.served?.at ?? one.updated_at)}${one.unsent ? t(" · 待送达", " · waits") : ""}${one.fields.checks?.length ? t(" · 核对有提示", " · checks say something") : ""}</small></button></li>`)}</ul><//>`}<//>`;
}

/** @param {any[]} kinds @param {string} kind */
function name(kinds, kind) {
  const known = kinds.find((one) => one.kind === kind);
  return known ? t(known.name_cn, known.name_en) : kind;
}

/** @param {{id: string}} props */
function Writing({ id }) {
  const device = useDevice();
  const reference = useReference();
  const draft = useDraft(id, "enforcement"), form = draft.value;
  useSignatureFound(id, draft);
  const evidence = useEvidence(id) ?? [];
  const zone = useRecord("zone", form?.zone_id ?? "");
  const where = usePosition();
  const [busy, setBusy] = useState(false);
  const begun = useMemo(() => new Date().toISOString(), []);
  const title = t("执法", "Enforcement");
  if (form === undefined) return html`<${Page} title=${title} back="/enforcement" />`;
  if (form === null) return html`<${EnforcementTold} id=${id} />`;
  const steps = softSteps(reference.enforcement_kinds, device.user.roles);
  const step = steps.find((one) => one.kind === form.kind) ?? steps[0];
  const offence = reference.offences.find((/** @type {any} */ one) => one.code === form.offence_code);
  const order = Number(step.officers) >= 2;
  const lacks = missing(step, form, t, Date.now()), unready = unwritten(step, form, t, Date.now());
  const set = (/** @type {string} */ field) => (/** @type {any} */ event) => draft.change({ [field]: event.target.value });
  const at = form.served_at || begun, text = form.served_text || orderText(step, form, offence, device.user, at);
  const serve = (/** @type {string} */ how) => draft.change((now) => { // from then on its words stand as they were read out or handed over
    const served_at = new Date().toISOString();
    return { ...UNSIGNED, how, served_at, served_here: where.here, served_text: orderText(step, /** @type {any} */ (now), offence, device.user, served_at) };
  });

  /** @param {Record<string, any>} kept */
  async function keep(kept) {
    setBusy(true);
    try {
      const due = step.dated === "1" ? beijing(kept.due) : null;
      await device.group((maker) => void maker.create("enforcement", {
        kind: step.kind, facts: kept.facts.trim(), officers: kept.officers, party_name: kept.party_name.trim(),
        ...(kept.finding_id ? { finding_id: kept.finding_id } : {}), ...(kept.offence_code ? { offence_code: kept.offence_code } : {}),
        ...(zone ? { zone_id: zone.id } : {}), ...(zone?.fields.party_id ? { party_id: zone.fields.party_id } : {}), ...(due ? { due_at: due } : {}),
        served: { how: kept.how, at, text,
          ...(kept.how === "signed" ? { evidence_id: kept.signature, name: kept.party_name.trim() } : {}),
          ...(kept.how === "refused" ? { reason: kept.reason.trim(), witness: kept.witness.trim() } : {}),
          ...(kept.served_here ? { position: kept.served_here } : {}) },
      }, kept.scope, { id }), { apart: true, once: id });
      await draft.drop();
      device.syncSoon();
      say(t("已存,联网后送达", "Kept; it goes out with the next network"));
      leaveFor(kept.finding_id ? `/findings/${kept.finding_id}` : "/enforcement");
    } catch (error) {
      say(failureWords(error));
    } finally {
      setBusy(false);
    }
  }

  const locked = Boolean(form.how && form.served_at); // what the party was told is what is sealed
  return html`<${Page} title=${t(step.name_cn, step.name_en)} back="/enforcement" actions=${html`
      ${lacks.length > 0 && html`<p class="hint">${lacks[0]}</p>`}
      <${Button} kind="primary" busy=${busy} disabled=${lacks.length > 0} onClick=${() => keep(form)}>${t("存并封存", "Keep and seal")}<//>`}>
    ${draft.problem && html`<${Note} kind="bad">${draft.problem}<//>`}
    ${locked && html`<${Note} kind="ok">${t("此文本已向当事人出示,已锁定;要改内容见下方“送达”。", "This text was put to the party and is locked; the way to change it stands under Served.")}<//>`}
    <fieldset class="plain-set" disabled=${locked}>
      ${steps.length > 1 && html`<${Choice} label=${t("步骤", "Step")} value=${step.kind} onChange=${(/** @type {string} */ kind) => draft.change({ ...UNSIGNED, kind })}
        options=${steps.map((one) => ({ value: one.kind, label: t(one.name_cn, one.name_en) }))} />`}
      <${Section} title=${t("当事人", "Party")}>
        <${ZoneField} zone_id=${form.zone_id} label=${t("从责任区带出(可选)", "From a zone (optional)")} onChosen=${(/** @type {any} */ chosen) => tried(async () => {
          const record = await device.get("zone", chosen.zone_id);
          await draft.change({ zone_id: chosen.zone_id, party_name: partyName(record?.fields), scope: form.finding_id ? form.scope : record?.scope ?? form.scope });
        })} />
        <${Field} label=${t("当事人名称或姓名", "Name of the party")}><input type="text" maxlength="200" value=${form.party_name} onInput=${set("party_name")} /><//><//>
      ${order && html`<${OffenceField} value=${form.offence_code} scope=${form.scope} class_code=${form.class_code} onChange=${(/** @type {string} */ code) => draft.change({ offence_code: code })} />`}
      <${Field} label=${t("事实", "Facts")} hint=${t("时间、地点、做了什么;只写看到的", "when, where, what: only what was seen")}>
        <textarea rows="3" maxlength="5000" value=${form.facts} onInput=${set("facts")}></textarea><//>
      ${step.dated === "1" && html`<${Field} label=${t("改正期限(北京时间)", "Deadline (Beijing time)")}><input type="datetime-local" value=${form.due} onInput=${set("due")} /><//>`}
      <${Section} title=${t("人员", "People")}><${Officers} value=${form.officers} least=${Math.max(1, Number(step.officers))} onChange=${(/** @type {string[]} */ officers) => draft.change({ officers })} /><//>
    </fieldset>
    <${Section} title=${t("照片", "Photos")}><${Shots} ids=${evidence.filter((one) => !isSignature(one.fields)).map((one) => one.id)} />
      <${ShotButton} about=${{ type: "enforcement", id }} role="scene" scope=${form.scope} />
      <${PositionLine} ...${where} /><//>
    <${Section} title=${t("文本预览", "The text")}><pre class="order-text" lang="zh-CN">${text}</pre>
      ${language() === "en" && html`<p class="hint">${orderText(step, form, offence, device.user, at, "text_en")}</p>`}<//>
    <${Section} title=${t("送达", "Served")}>
      ${form.signature ? html`<${Shots} ids=${[form.signature]} /><${Discard} draft=${draft} />`
        : unready.length ? html`<${Note} kind="warn">${t("先写好上面的内容,再送达。", "Write what stands above first; then it is served.")}<//>`
        : html`<${Choice} label=${t("送达", "Served")} hideLabel=${true} value=${form.how} onChange=${serve}
        options=${[...(order ? [] : [{ value: "told", label: step.kind === "persuade" ? t("已口头告知", "Told") : t("已当面交付", "Handed over") }]),
          { value: "signed", label: t("当事人签名", "The party signs") }, { value: "refused", label: t("拒签", "Refuses to sign") }]} />
        ${locked && form.how === "signed" && html`<${Signature} about=${{ type: "enforcement", id }} scope=${form.scope} name=${form.party_name} position=${where.here}
            onSign=${(/** @type {string} */ signing) => draft.change({ signing })} />`}
        ${locked && html`<${Button} onClick=${() => draft.change(UNSIGNED)}>${t("先不送达,改内容", "Not yet: change the text")}<//>`}`}
      ${form.how === "refused" && html`<${Refusal} reason=${form.reason} witness=${form.witness} onChange=${draft.change} />`}<//>
    <${GiveUp} what=${t("此记录", "the record")} id=${id} onGiveUp=${(/** @type {string} */ reason) => tried(async () => {
      if (reason) await device.group((maker) => {
        maker.create("enforcement", { kind: step.kind, facts: form.facts.trim() || reason }, form.scope, { id });
        maker.remove("enforcement", id, reason, 0);
      }, { once: id });
      await draft.drop();
      leaveFor("/enforcement");
    })} /><//>`;
}
