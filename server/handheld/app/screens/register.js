// The daily register (日常考核登记): the zones around, one row a zone and day, one tap a duty.

import { DutyCard, dutiesOn } from "../forms/duty_card.js";
import { pointOf, zonesNear } from "../forms/places.js";
import { useDevice, useOutbox, useRecords } from "../parts/device.js";
import { useDraft } from "../parts/draft.js";
import { failureWords } from "../parts/failures.js";
import { html, useMemo, useRef, useState } from "../parts/html.js";
import { Button, Field, Note, Page, say } from "../parts/page.js";
import { usePosition } from "../parts/position.js";
import { useReference } from "../parts/reference.js";
import { day } from "../parts/time.js";
import { t } from "../words.js";

const SHOWN = 25;

/** @typedef {{id: string, duties: Record<string, string>, note: string}} Begun a row that is not kept yet */

/** @param {{params: Record<string, string>}} props */
export default function Register({ params }) {
  const device = useDevice();
  const today = params.day ?? day(), past = today !== day();
  const duties = dutiesOn(useReference().duties, today);
  const zones = useRecords("zone"), entries = useRecords("register_entry"), evidence = useRecords("evidence"), made = useOutbox();
  const draft = useDraft(`register-${today}`, "register");
  const { position, here: fresh } = usePosition();
  const [words, setWords] = useState("");
  const [open, setOpen] = useState(params.zone ?? "");
  const [shown, setShown] = useState(SHOWN);
  const writing = useRef(Promise.resolve());
  const here = pointOf(position);
  const rows = useMemo(() => new Map((entries ?? []).filter((one) => one.fields.on === today)
    .map((one) => [one.fields.zone_id, one])), [entries, today]);
  const photos = useMemo(() => (evidence ?? []).reduce((count, one) => count.set(one.fields.about?.id,
    (count.get(one.fields.about?.id) ?? 0) + 1), new Map()), [evidence]);
  const begun = /** @type {Record<string, Begun>} */ (draft.value ?? {});
  const near = useMemo(() => zonesNear(zones ?? [], here, words), [zones, here?.lon, here?.lat, words]);
  const found = past ? near.filter(({ zone }) => begun[zone.id] || rows.has(zone.id)) : near; // what was begun then, not a round of today

  /** One change after the other, so that of two quick taps the second finds what the first made.
   * @param {() => Promise<void>} work */
  function next(work) {
    writing.current = writing.current.then(work).catch((error) => say(failureWords(error)));
    return writing.current;
  }

  /**
   * @param {import("../device/types.d.ts").Shown} zone
   * @param {{duties?: Record<string, string>, note?: string}} change
   * @param {boolean} [atOnce] keep the row though not every duty is judged
   */
  async function record(zone, change, atOnce = false) {
    const kept = (await device.records("register_entry")).find((one) => one.fields.zone_id === zone.id && one.fields.on === today);
    if (kept) {
      if (change.duties || change.note !== undefined) await device.edit("register_entry", kept.id, { set: change });
      return kept.id;
    }
    const drafts = await device.drafts();
    const before = drafts.find((one) => one.id === `register-${today}`)?.value ?? {};
    const row = { id: device.newId(), note: "", ...before[zone.id], ...(change.note === undefined ? {} : { note: change.note }),
      duties: { ...before[zone.id]?.duties, ...change.duties } };
    if (!atOnce && duties.some((one) => !row.duties[one.duty])) {
      await draft.begin({ ...before, [zone.id]: row });
      return row.id;
    }
    await device.create("register_entry", { zone_id: zone.id, on: today, officer: device.user.name, duties: row.duties,
      ...(row.note ? { note: row.note } : {}), ...(fresh && !past ? { position: fresh } : {}) }, zone.scope, { id: row.id });
    const { [zone.id]: _, ...others } = before;
    await draft.begin(others);
    if (!Object.keys(others).length) await draft.drop();
    device.syncSoon();
    return row.id;
  }

  /** @param {import("../device/types.d.ts").Shown} zone @returns {Promise<string | null>} */
  async function ensure(zone) {
    let id = /** @type {string | null} */ (null);
    await next(async () => { id = await record(zone, {}, true); });
    return id;
  }

  const done = found.filter(({ zone }) => rows.has(zone.id)).length;
  return html`<${Page} title=${t("日常登记", "Daily register")} back="/">
    <p class="hint">${today} · ${t(`已登记 ${done} 处`, `${done} zones entered`)}</p>
    ${draft.problem && html`<${Note} kind="bad">${draft.problem}<//>`}
    <${Field} label=${t("按名称、路段、责任人查找", "Search by name, road or party")}>
      <input type="search" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /><//>
    ${zones && !found.length && html`<${Note} kind="warn">${zones.length ? t("没有符合的责任区", "No zone fits")
      : t("本机还没有责任区,请联网同步一次", "No zones on this device yet: sync once with a network")}<//>`}
    ${found.slice(0, shown).map(({ zone, away }) => {
      const kept = rows.get(zone.id), row = begun[zone.id];
      const told = kept ? { id: kept.id, duties: kept.fields.duties ?? {}, note: kept.fields.note ?? "", kept: true,
        problems: kept.problems, unsent: !made || made.some((one) => one.record_id === kept.id && ["waiting", "held"].includes(one.state)) }
        : row ? { ...row, kept: false, problems: [], unsent: true } : null;
      return html`<${DutyCard} key=${`${zone.id} ${today}`} zone=${zone} away=${away} duties=${duties} row=${told} open=${open === zone.id}
        onOpen=${() => setOpen(open === zone.id ? "" : zone.id)} photos=${photos.get(told?.id) ?? 0}
        onTap=${(/** @type {Record<string, string>} */ given) => next(async () => { await record(zone, { duties: given }); })}
        onNote=${(/** @type {string} */ note) => next(async () => { await record(zone, { note }); })} ensure=${() => ensure(zone)} />`;
    })}
    ${found.length > shown && html`<${Button} onClick=${() => setShown(shown + SHOWN)}>${t("更多", "More")}<//>`}<//>`;
}
