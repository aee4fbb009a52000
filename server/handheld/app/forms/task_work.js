// What there is to do in a task, by its kind: photos to take again, or a look on the spot with its outcome.

import { useClasses } from "../parts/classes.js";
import { changeKept, useAsked, useDevice, useRecord } from "../parts/device.js";
import { BEGUN, Embargoed, useEmbargo } from "../parts/embargo.js";
import { failureWords } from "../parts/failures.js";
import { html, useCallback, useEffect, useState } from "../parts/html.js";
import { pathOf } from "../parts/outbox_words.js";
import { Button, Choice, Field, Note, Section, Thumb, say } from "../parts/page.js";
import { roleWords } from "../parts/roles.js";
import { go } from "../parts/router.js";
import { when } from "../parts/time.js";
import { tried } from "../parts/tried.js";
import { useTyping } from "../parts/typing.js";
import { t } from "../words.js";
import { madeOf, withPhoto } from "./named.js";
import { Shots, ShotButton } from "./shots.js";
import { factWords, valueWords, whatAndWhere } from "./values.js";

/** @typedef {import("../device/types.d.ts").Shown} Shown */
/** What was done of a task so far, kept on this device; a photo may be `of` an earlier one that it is taken again for.
 * @typedef {{outcome?: string, note?: string, photos?: (import("./named.js").Photo & {of?: string})[],
 *   values?: Record<string, any>, arrived?: {at: string, by: string, distance_m?: number, accuracy_m?: number}}} Work */

/** An addition, by itself or by what was there. @typedef {Work | ((before: Work) => Work)} Added */

/** It was sent, or is not needed: after whatever is still being added. @param {import("../device/types.d.ts").Device} device @param {string} id */
export function endWork(device, id) {
  return changeKept(device, BEGUN, /** @type {string[]} */ ([]), (all) => all.filter((one) => one !== id));
}

/**
 * The work, with those photos that are evidence, and the way to add to it: one addition after the other, each on what the last
 * one left.
 * @param {string} id
 * @returns {[Work | undefined, (part: Added) => Promise<unknown>]}
 */
export function useWork(id) {
  const device = useDevice(), name = `task-${id}`;
  const work = useAsked(async (asked) => {
    const kept = await asked.kept(name, /** @type {Work} */ ({})), photos = kept.photos ?? [];
    const made = await madeOf(asked, photos.map((one) => one.id));
    return { ...kept, photos: photos.filter((one) => made.has(one.id)) };
  }, ["work", id]);
  const [tapped, setTapped] = useState(/** @type {Work} */ ({})); // shown at once, before it is kept
  useEffect(() => setTapped((before) => Object.fromEntries(Object.entries(before) // until the work says the same
    .filter(([part, value]) => JSON.stringify(/** @type {any} */ (work)?.[part]) !== JSON.stringify(value)))), [work]);
  const add = useCallback((/** @type {Added} */ part) => {
    if (typeof part !== "function") setTapped((before) => ({ ...before, ...part }));
    const work = changeKept(device, name, {}, (before) => ({ ...before, ...(typeof part === "function" ? part(before) : part) }));
    const begun = changeKept(device, BEGUN, /** @type {string[]} */ ([]), (all) => (all.includes(id) ? all : [...all, id]));
    return Promise.all([work, begun]).catch((error) => {
      setTapped({});
      say(failureWords(error));
    });
  }, [device, id]);
  return [work && { ...work, ...tapped }, add];
}

/** The newest photo taken again for each earlier one. @param {Work} work @returns {Record<string, string>} */
export function retakenOf({ photos = [] }) {
  return Object.fromEntries(photos.flatMap((one) => (one.of ? [[one.of, one.id]] : [])));
}

/**
 * The photos of a returned record that were taken on this device since its return, wherever that was done: from its own page, too.
 * @param {Shown | null | undefined} task
 */
export function useTakenSince(task) {
  const about = task?.fields.kind === "retake" ? task.fields.about?.id : "";
  return useAsked(async (device) => {
    if (!about) return [];
    const returns = (await device.records("decision")).filter(({ fields }) => fields.about?.id === about && fields.decision === "return");
    const from = Date.parse(returns.map((one) => one.updated_at ?? "").sort().at(-1) ?? task?.updated_at ?? "");
    const photos = (await device.records("evidence")).filter(({ fields }) => fields.about?.id === about
      && Date.parse(fields.captured_at) - (device.clock_offset_ms ?? 0) > from);
    const made = await madeOf(device, photos.map((one) => one.id));
    return photos.filter((one) => made.has(one.id)).map(({ id, fields }) => ({ id, role: String(fields.role) }));
  }, ["taken since", about, task?.version]);
}

/** The work with those: each stands for the first photo named in its role that was not taken again. @param {Work} work
 * @param {Shown | null | undefined} task @param {import("./named.js").Photo[]} [since] @returns {Work} */
export function withTaken(work, task, since = []) {
  return since.reduce((now, photo) => {
    const { photos = [] } = now, retaken = retakenOf(now);
    if (photos.some((one) => one.id === photo.id)) return now;
    const of = task?.fields.photos?.find((/** @type {any} */ one) => !retaken[one.evidence_id] && (one.role ?? photo.role) === photo.role)?.evidence_id;
    return { ...now, photos: [...photos, of ? { ...photo, of } : photo] };
  }, work);
}

/** How a photo comes into the work. @param {(part: Added) => unknown} onWork @param {string} [of] */
function noting(onWork, of) {
  return (/** @type {import("./named.js").Photo} */ photo) => onWork(({ photos }) => ({ photos: withPhoto(photos, of ? { ...photo, of } : photo) }));
}

/** The outcomes that a kind of task has: `code=name` or the name alone, split by bars. @param {any} kind */
export function outcomesOf(kind) {
  const english = kind.outcomes_en.split("|");
  return kind.outcomes_cn.split("|").filter(Boolean).map((/** @type {string} */ one, /** @type {number} */ place) => {
    const [code, name = code] = one.split("="), [, other = english[place]] = (english[place] ?? "").split("=");
    return { value: code, label: t(name, other ?? name) };
  });
}

/** What was done for a task that went elsewhere or was ended by others, until its person has seen to it. @param {{id: string, work: Work}} props */
export function LeftWork({ id, work: { outcome, note = "", photos = [], values } }) {
  const device = useDevice(), classes = useClasses();
  const said = [outcome && valueWords("verdict", outcome), factWords({ ...values, ...(note.trim() ? { note } : {}) }, undefined, classes)].filter(Boolean).join(" · ");
  if (!said && !photos.length) return null;
  return html`<${Note} kind="warn"><b>${t("您为它写的没有送出,还在本机", "What you wrote for it was not sent and is still here")}</b>
    <p>${said}</p><${Shots} ids=${photos.map((one) => one.id)} />
    <${Button} onClick=${() => tried(async () => {
      await device.keep(`task-${id}`, {});
      await endWork(device, id);
    })}>${t("不再需要(照片仍是证据)", "Not needed any more (photos stay evidence)")}<//><//>`;
}

/** The record that the task is about, as a way there. @param {{about: {type: string, id: string}}} props */
export function AboutCard({ about }) {
  const record = useRecord(about.type, about.id), embargo = useEmbargo(), classes = useClasses();
  if (record === undefined || !embargo) return null;
  if (record === null) return html`<${Note} kind="warn">${t("所涉记录不在本机。", "The record is not on this device.")}<//>`;
  const { fields } = record;
  if (embargo.has(about.id) || embargo.has(fields.finding_id)) return html`<${Embargoed} />`;
  return html`<button type="button" class="about" onClick=${() => go(pathOf(about.type, about.id, fields) ?? "/tasks")}>
    <b>${fields.text ?? fields.facts ?? fields.party_name ?? t("查看记录", "See the record")}</b>
    <small>${[whatAndWhere(fields, classes), when(fields.observed_at ?? fields.started_at)].filter((one) => one && one !== "—").join(" · ")}</small></button>`;
}

/** The same in a list: what a task is about, unless its person may not look at that yet. @param {{about?: {type: string, id: string}}} props */
export function AboutLine({ about: { type, id } = { type: "finding", id: "" } }) {
  const fields = useRecord(type, id)?.fields, embargo = useEmbargo(), classes = useClasses();
  return fields && embargo && !embargo.has(id) && !embargo.has(fields.finding_id) && html`<small>${whatAndWhere(fields, classes)}</small>`;
}

/**
 * Exactly the photos that the reviewer named, each with his reason and the earlier picture for the angle.
 * @param {{task: Shown, work: Work, onWork: (part: Added) => unknown, open: boolean}} props
 */
export function Retake({ task, work, onWork, open }) {
  const named = /** @type {{evidence_id: string, reason: string, role?: string}[]} */ (task.fields.photos ?? []);
  const old = useAsked((device) => Promise.all(named.map((one) => device.get("evidence", one.evidence_id))), ["old photos", task.id, named.length]);
  const retaken = retakenOf(work), extra = work.photos ?? [];
  const left = named.filter((one) => !retaken[one.evidence_id]).length;
  return (open || named.length > 0 || extra.length > 0) && html`<${Section} title=${named.length ? t(`补拍 ${named.length} 张(还差 ${left})`, `${named.length} to take again (${left} left)`) : t("补充证据", "Add evidence")}>
    ${named.map((one, place) => {
      const before = old?.[place], role = one.role ?? before?.fields.role ?? "scene";
      return html`<article class="retake ${retaken[one.evidence_id] ? "answered" : ""}" key=${one.evidence_id}>
        <${Thumb} sha256=${before?.fields.sha256 ?? ""} alt=${t("原照片", "The earlier photo")} />
        <div><b>${roleWords(role)}</b><p>${one.reason}</p>
          ${retaken[one.evidence_id] ? html`<${Shots} ids=${[retaken[one.evidence_id]]} />` : null}
          ${open && html`<${ShotButton} about=${task.fields.about} role=${role} scope=${task.scope} ghost=${before?.fields.sha256}
            kind=${retaken[one.evidence_id] ? "plain" : "primary"} label=${retaken[one.evidence_id] ? t("再拍一张", "Once more") : t("补拍", "Take again")}
            note=${`补拍:${one.reason}`}
            onShot=${noting(onWork, one.evidence_id)} />`}</div></article>`;
    })}
    ${!named.length && html`<${Shots} ids=${extra.map((one) => one.id)} />${open && html`<${ShotButton} about=${task.fields.about} role="scene" scope=${task.scope}
      onShot=${noting(onWork)} />`}`}<//>`;
}

/**
 * A look on the spot: the outcome in one tap, a photo from the same angle, a note.
 * @param {{task: Shown, kind: any, work: Work, onWork: (part: Added) => unknown, blind?: boolean, judges?: boolean}} props
 */
export function Look({ task, kind, work, onWork, blind = false, judges = true }) {
  const about = task.fields.about, photos = work.photos ?? [], embargo = useEmbargo();
  const note = useTyping(work.note ?? "", (words) => onWork({ note: words }));
  const earlier = useAsked(async (device) => {
    if (blind || !about || !embargo || embargo.has(about.id)) return null;
    const all = (await device.records("evidence")).filter((one) => one.fields.about?.id === about.id && !photos.some((each) => each.id === one.id));
    return all.find((one) => ["before", "scene"].includes(one.fields.role)) ?? all[0] ?? null;
  }, ["earlier photo", task.id, blind, embargo?.has(about?.id), photos.length]);
  return html`<${Section} title=${t("现场情况", "On the spot")}>
    ${judges ? html`<${Choice} label=${t("结果", "Outcome")} value=${work.outcome} options=${outcomesOf(kind)} onChange=${(/** @type {string} */ outcome) => onWork({ outcome })} />`
      : html`<${Note}>${t("协管人员和原处置人只拍照、写说明,合格与否由其他执法人员判定。", "An auxiliary, or who handled it, brings photo and note; another officer says whether it passes.")}<//>`}
    ${earlier && html`<div class="pair"><${Thumb} sha256=${earlier.fields.sha256} alt=${t("原照片", "The earlier photo")} /><p class="hint">${t("请对准同一角度", "Match the same angle")}</p></div>`}
    <${Shots} ids=${photos.map((one) => one.id)} />
    ${kind.photo_role && html`<${ShotButton} about=${blind || !about ? { type: "task", id: task.id } : about} role=${kind.photo_role} scope=${task.scope}
      ghost=${earlier?.fields.sha256} onShot=${noting(onWork)} />`}
    <${Field} label=${t("说明", "Note")}><textarea rows="2" maxlength="2000" ...${note}></textarea><//><//>`;
}
