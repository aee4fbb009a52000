// The lists of the sync screen: what was made here and its fate, the photos and their way, what befell this device.

import { t } from "../words.js";
import { className, useClasses } from "./classes.js";
import { useAsked, useDevice, useDrafts, useOutbox, usePhotos, useRecord, useRecords } from "./device.js";
import { useEmbargo } from "./embargo.js";
import { html, useState } from "./html.js";
import { deedWords, eventWords, fateWords, isStopped, pathOf, photoWords, subjectWords, typeWords } from "./outbox_words.js";
import { Button, Section, Thumb } from "./page.js";
import { size, when } from "./time.js";
import { tried } from "./tried.js";

const AT_FIRST = 20, MORE = 100;

/** @param {{count: number, shown: number, onMore: () => void}} props */
function More({ count, shown, onMore }) {
  return count > shown ? html`<${Button} onClick=${onMore}>${t(`再看 ${Math.min(MORE, count - shown)} 条(共 ${count})`,
    `${Math.min(MORE, count - shown)} more (of ${count})`)}<//>` : null;
}

/** A record by its name, as a way to it, or to the form that it is still in. @param {{type: string, id: string}} props */
function Subject({ type, id }) {
  const record = useRecord(type, id), made = useOutbox({ all: true, record_id: id }), zone = useRecord("zone", record?.fields.zone_id ?? ""), drafts = useDrafts(), classes = useClasses(), embargo = useEmbargo();
  const draft = record ? undefined : drafts?.find((one) => one.id === id), fields = record?.fields ?? draft?.value?.fields ?? draft?.value ?? made?.[0]?.body.set ?? {};
  const path = draft && type === "finding" ? `/find/${id}` : pathOf(type, id, fields);
  const name = embargo && !embargo.has(id) && (fields.text || fields.facts || fields.party_name || fields.title || zone?.fields.name || fields.name || (fields.class_code && className(fields, classes)));
  const words = [typeWords(type), String(name || "").slice(0, 40)].filter(Boolean).join(" · ");
  return path ? html`<a href="#${path}">${words}</a>` : html`<span>${words}</span>`;
}

export function Photos() {
  const device = useDevice(), photos = usePhotos(), evidence = useRecords("evidence"), made = useOutbox({ all: true });
  const subjects = new Map((made ?? []).map((one) => [one.body.set?.sha256, subjectOf(one)])); // a record may have left this phone
  const records = new Map((evidence ?? []).map((one) => [one.fields.sha256, one]));
  const [shown, setShown] = useState(AT_FIRST);
  if (!photos?.length) return null;
  const open = photos.filter(({ state }) => state !== "verified" && state !== "dismissed");
  const verified = photos.filter(({ state }) => state === "verified").length;
  const title = open.length ? t(`照片:${open.length} 张未完`, `Photos: ${open.length} under way`) : t("照片", "Photos");
  return html`<${Section} title=${title}>
    <p class="dim">${t(`${verified} 张已在服务器核验`, `${verified} verified on the server`)}</p>
    <ul class="rows">${open.slice(0, shown).map((photo) => {
      const record = records.get(photo.sha256), fate = record && isStopped(record) ? { kind: "bad", word: t("未采纳", "not applied"), why: "" } : photoWords(photo);
      const about = subjects.get(photo.sha256);
      return html`<li class="row" key=${photo.sha256}><${Thumb} sha256=${photo.sha256} />
        <span class="text">${about && html`<${Subject} ...${about} />`}<span>${size(photo.bytes)} · ${when(photo.added_at)}</span>
          ${photo.state === "waiting" && photo.offset > 0 && html`<progress max=${photo.bytes} value=${photo.offset}
            aria-label=${t("已传", "sent")}></progress>`}
          ${fate.why && html`<small>${fate.why}</small>`}
          ${maySendAgain(photo) && html`<${Button} onClick=${() => tried(() => device.sendAgain(photo.sha256))}>${t("再送一次", "Send it again")}<//>`}</span>
        <span class="badge ${fate.kind}">${fate.word}</span></li>`;
    })}</ul>
    <${More} count=${open.length} shown=${shown} onMore=${() => setShown(shown + MORE)} /><//>`;
}

/** A refusal may be mended elsewhere, and damage on the way; what the server found damaged it has.
 * @param {import("../device/types.d.ts").Photo} photo */
function maySendAgain({ state, mismatches }) {
  return state === "refused" || (state === "damaged" && mismatches > 0);
}

export function Deliveries() {
  const [all, setAll] = useState(false), [shown, setShown] = useState(AT_FIRST);
  const made = useOutbox({ all });
  if (!made) return null;
  const order = { bad: 0, warn: 1, wait: 2, ok: 3 };
  const known = made.map((each) => ({ each, fate: fateWords(each) })).sort((one, other) => order[one.fate.kind] - order[other.fate.kind]
    || other.each.made - one.each.made);
  return html`<${Section} title=${t("做过的", "What was made here")}>
    ${known.length === 0 && html`<p class="dim">${t("没有在等的。", "Nothing waits.")}</p>`}
    <ul class="rows">${known.slice(0, shown).map(({ each, fate }) => html`<li class="row" key=${each.made}>
      <span class="text"><b>${deedWords(each)}</b>${subjectWords(each) && html`<span>${subjectWords(each)}</span>`}
        ${fate.kind === "bad" && html`<${Subject} ...${subjectOf(each)} />`}
        <small>${when(each.made_at)} · n ${each.n}${fate.why && html`<br />${fate.why}`}</small></span>
      <span class="badge ${fate.kind}">${fate.word}</span></li>`)}</ul>
    <${More} count=${known.length} shown=${shown} onMore=${() => setShown(shown + MORE)} />
    <label class="tick"><input type="checkbox" checked=${all} onChange=${(/** @type {any} */ event) => setAll(event.target.checked)} />
      <span>${t("也显示已送达的", "Show what was delivered, too")}</span></label><//>`;
}

/** What a person knows it by: a photo's record by what the photo is about. @param {import("../device/types.d.ts").Made} made */
function subjectOf({ type, record_id: id, body }) {
  return body.set?.about ?? { type, id };
}

export function Happened() {
  const events = useAsked((device) => device.events(), ["events"]);
  if (!events?.length) return null;
  return html`<${Section} title=${t("本机遇到的事", "What befell this device")}><ul class="rows">
    ${events.slice(-AT_FIRST).reverse().map((event, place) => html`<li class="row" key=${`${event.at} ${place}`}><span class="text">
      <span>${eventWords(event)}</span><small>${when(event.at)}</small></span></li>`)}</ul><//>`;
}
