// A new finding: photos, class, place and zone, words. Each change is kept; nothing needs a network.

import { twinsOf } from "../device/duplicates.js";
import { ClassPicker, useClasses } from "../parts/classes.js";
import { ClockNote } from "../parts/clock.js";
import { useDevice, useEvidence } from "../parts/device.js";
import { useDraft } from "../parts/draft.js";
import { failureWords } from "../parts/failures.js";
import { useEmbargo } from "../parts/embargo.js";
import { html, useEffect, useState } from "../parts/html.js";
import { Button, Choice, Field, Note, Page, Section, say } from "../parts/page.js";
import { useReference } from "../parts/reference.js";
import { go } from "../parts/router.js";
import { severities } from "../parts/severity.js";
import { tried } from "../parts/tried.js";
import { t } from "../words.js";
import { Discard } from "./find/discard.js";
import { keepFinding, missing, saysNothing } from "./find/keep.js";
import { More } from "./find/more.js";
import { Photos } from "./find/photos.js";
import { Place, usePlace } from "./find/place.js";
import { Twins } from "./find/twins.js";

/**
 * What is written so far. `zone` undefined: nobody has chosen one; null: none of them. `scope` null: by the zone.
 * @typedef {{fields: Record<string, any>, zone?: string | null, position: import("../device/types.d.ts").Position | null,
 *   pinned: boolean, scope: string | null, observed_at: string}} Draft
 */

const GIVEN = ["class_scheme", "class_code", "inspection_id", "party_id", "source"]; // what another screen may begin with

/** @param {{params: Record<string, string>}} props */
export default function Find({ params }) {
  const device = useDevice();
  useEffect(() => {
    if (params.draft) return;
    const query = new URLSearchParams(params).toString();
    go(`/find/${device.newId()}${query ? `?${query}` : ""}`, { replace: true }); // so that a reload finds it again
  }, [params.draft]);
  return params.draft ? html`<${Form} key=${params.draft} id=${params.draft} params=${params} />` : null;
}

/** @param {{id: string, params: Record<string, string>}} props */
function Form({ id, params }) {
  const device = useDevice(), reference = useReference(), classes = useClasses();
  const form = useDraft(id, "finding", () => /** @type {Draft} */ ({ zone: undefined, position: null, pinned: false,
    scope: null, observed_at: new Date().toISOString(), fields: { source: "patrol",
      ...Object.fromEntries(GIVEN.filter((name) => params[name]).map((name) => [name, params[name]])) } }));
  const draft = form.kept ? { ...form, save: async () => true } : begun(form);
  const photos = useEvidence(id), place = usePlace(draft, photos);
  const [busy, setBusy] = useState(false), [problem, setProblem] = useState(""), [asked, setAsked] = useState(false);
  const [warned, setWarned] = useState(false);
  const findings = useOthers(), embargo = useEmbargo();
  useEffect(() => {
    tried(async () => { // made just before the browser was killed, or in another tab: the draft is over
      const kept = await device.get("finding", id);
      if (!kept && !draft.gone) return;
      await draft.drop();
      go(kept ? `/findings/${id}` : "/", { replace: true });
    });
  }, [id, draft.gone]);
  const { value } = draft;
  if (!value || !photos) return html`<${Page} title=${t("上报问题", "New finding")} back="/" />`;

  const { fields } = value, lacks = missing(value, place.position), bare = !photos.length && saysNothing(value);
  const twins = twinsOf({ ...fields, observed_at: value.observed_at, position: place.position },
    findings.filter((one) => embargo && !embargo.has(one.id)), reference.duplicates);
  const condition = reference.conditions.find((/** @type {any} */ one) => one.scheme === fields.class_scheme
    && one.code === fields.class_code && (!fields.condition || one.condition === fields.condition));
  const set = (/** @type {Record<string, any>} */ part) => draft.change({ fields: { ...fields, ...part } });

  /** @param {string} next where to go then */
  async function keep(next) {
    setAsked(true);
    if (lacks.length) return;
    if (bare && !warned) {
      setWarned(true);
      return;
    }
    setBusy(true);
    try {
      await keepFinding(device, id, /** @type {Draft} */ (value), place, photos ?? []);
      await draft.drop();
      say(t("已存在本机,有网自动送出。", "Kept on this device; sent when there is a network."));
      device.syncSoon();
      go(next, { replace: true });
    } catch (failure) {
      setProblem(failureWords(failure));
      setBusy(false);
    }
  }
  return html`<${Page} title=${t("上报问题", "New finding")} back="/" actions=${html`
      ${warned && bare && html`<${Note} kind="warn">${t("没有照片、类别和说明,仍要保存?", "No photo, no class, no words: save it all the same?")}<//>`}
      <${Button} busy=${busy} onClick=${() => keep("/find")}>${t("保存再报", "Save, next")}<//>
      <${Button} kind="primary" busy=${busy} onClick=${() => keep(`/findings/${id}`)}>${t("保存", "Save")}<//>`}>
    ${draft.found && html`<${Note} kind="wait">${t("这是没写完的一条,已替你找回。", "This one was unfinished and is found again.")}<//>`}
    ${(problem || draft.problem) && html`<${Note} kind="bad">${problem || draft.problem}<//>`}
    ${asked && lacks.length > 0 && html`<${Note} kind="bad">${lacks.map((words) => html`<p key=${words}>${words}</p>`)}<//>`}
    <${ClockNote} />
    <${Section} title=${t("照片", "Photos")}>
      <${Photos} id=${id} scope=${place.scope} photos=${photos} before=${draft.save}
        hint=${condition ? t(condition.collection_requirement, condition.collection_requirement_en) : ""} /><//>
    <${Section} title=${t("类别", "Class")}>
      <${ClassPicker} value=${fields.class_code ? { scheme: fields.class_scheme, code: fields.class_code } : null}
        onChange=${(/** @type {any} */ one) => set({ class_scheme: one.scheme, class_code: one.code, condition: undefined })} />
      <${Twins} twins=${twins} classes=${classes} /><//>
    <${Section} title=${t("地点和责任区", "Place and zone")}>
      <${Place} place=${place} draft=${draft} /><//>
    <${Section} title=${t("说明", "Words")}>
      <${Field} label=${t("看到了什么", "What was seen")}><textarea name="text" rows="3" value=${fields.text ?? ""}
        onInput=${(/** @type {any} */ event) => set({ text: event.currentTarget.value })}></textarea><//>
      <${Choice} label=${t("程度", "Severity")} value=${fields.severity} onChange=${(/** @type {string} */ severity) => set({ severity })}
        options=${severities()} /><//>
    <${More} fields=${fields} set=${set} scope=${place.scope} scopes=${place.away ? [] : device.scopes}
      onScope=${(/** @type {string} */ scope) => draft.change({ scope })} />
    <${Discard} id=${id} draft=${draft} place=${place} photos=${photos} />
  <//>`;
}

/**
 * A form that nobody has written in: what is seen is seen when the first of it is written, not when the form was opened.
 * @param {import("../parts/draft.js").Draft<Draft>} form
 */
function begun(form) {
  const change = (/** @type {Partial<Draft>} */ part) => form.change({ observed_at: new Date().toISOString(), ...part });
  return { ...form, change, save: () => change({}) };
}

/** The findings of this device as they were when the form was opened: enough to see that somebody was here before. */
function useOthers() {
  const device = useDevice(), [findings, setFindings] = useState(/** @type {import("../device/types.d.ts").Shown[]} */ ([]));
  useEffect(() => {
    tried(async () => setFindings(await device.records("finding")));
  }, [device]);
  return findings;
}
