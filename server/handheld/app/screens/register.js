// The daily register (日常考核登记): the zones around, one row a zone and day, one tap a duty.

import { DutyCard, dutiesOn } from "../forms/duty_card.js";
import { pointOf, zonesNear } from "../forms/places.js";
import { factWords } from "../forms/values.js";
import { useDevice, useOutbox, useRecords } from "../parts/device.js";
import { useDraft } from "../parts/draft.js";
import { failureWords } from "../parts/failures.js";
import { html, useEffect, useMemo, useRef, useState } from "../parts/html.js";
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
  const form = `register-${today}`, draft = useDraft(form, "register");
  const { position, here: fresh } = usePosition();
  const [words, setWords] = useState("");
  const [open, setOpen] = useState(params.zone ?? "");
  const [shown, setShown] = useState(SHOWN);
  const writing = useRef(Promise.resolve());
  const here = pointOf(position);
  /** @param {import("../device/types.d.ts").Shown} one somebody else's row by his name @returns {string} */
  const other = ({ fields }) => (fields.officer === device.user.name ? "" : fields.officer ?? "");
  const ofToday = (/** @type {import("../device/types.d.ts").Shown[]} */ all) => all.filter((one) => one.fields.on === today);
  /** The row of each zone: where a colleague has one, too, one's own. @param {import("../device/types.d.ts").Shown[]} all */
  const entered = (all) => new Map(ofToday(all).sort((one, two) => Number(!other(one)) - Number(!other(two))).map((one) => [one.fields.zone_id, one]));
  const rows = useMemo(() => entered(entries ?? []), [entries, today]);
  const photos = useMemo(() => (evidence ?? []).reduce((count, one) => count.set(one.fields.about?.id,
    (count.get(one.fields.about?.id) ?? 0) + 1), new Map()), [evidence]);
  const begun = /** @type {Record<string, Begun>} */ (draft.value ?? {});
  const near = useMemo(() => zonesNear(zones ?? [], here, words), [zones, here?.lon, here?.lat, words]);
  const found = past ? near.filter(({ zone }) => begun[zone.id] || rows.has(zone.id)) : near; // what was begun then, not a round of today

  /** One change after the other, so that of two quick taps the second finds what the first made. Gives whether it was made.
   * @param {() => Promise<unknown>} work @returns {Promise<boolean>} */
  function next(work) {
    const done = writing.current.then(work).then(() => true, (error) => (say(failureWords(error)), false));
    writing.current = done.then(() => undefined);
    return done;
  }

  /** What is begun, and the draft without a zone's row. @param {string} zone */
  async function begunBut(zone) {
    const before = /** @type {Record<string, Begun>} */ ((await device.drafts()).find((one) => one.id === form)?.value ?? {});
    const { [zone]: _, ...others } = before;
    return { before, rest: { id: form, kind: "register", ...(Object.keys(others).length ? { value: others } : {}) } };
  }

  /**
   * @param {{id: string, scope: string}} zone
   * @param {{duties?: Record<string, string>, note?: string}} change
   * @param {{atOnce?: boolean, version?: number}} [how] `atOnce` keeps the row though not every duty is judged; `version` is the one
   *   looked at, none of what was begun before somebody else's row came: where that says otherwise it is a conflict, and no loss
   */
  async function record(zone, change, { atOnce = false, version = 0 } = {}) {
    const kept = entered(await device.records("register_entry")).get(zone.id), { before, rest } = await begunBut(zone.id), known = before[zone.id];
    const row = { id: known?.id ?? device.newId(), note: change.note ?? known?.note ?? "", duties: { ...known?.duties, ...change.duties } };
    if (kept) {
      const { duties: given, note } = row, set = known ? { ...(Object.keys(given).length ? { duties: given } : {}), ...(note ? { note } : {}) } : change;
      await device.group((maker) => {
        if (Object.keys(set).length) maker.edit("register_entry", kept.id, { set }, known ? 0 : version);
      }, { apart: true, ...(known ? { draft: rest } : {}) });
      if (known && known.id !== kept.id) say(t("同事已登记这里;您的评价已并入,不同之处作为冲突保留。",
        "A colleague has entered this zone; what you began is joined to it, and where it differs it is a conflict."));
      return kept.id;
    }
    if (!atOnce && duties.some((one) => !row.duties[one.duty])) {
      await draft.begin({ ...before, [zone.id]: row });
      return row.id;
    }
    await device.group((maker) => void maker.create("register_entry", { zone_id: zone.id, on: today, officer: device.user.name, duties: row.duties,
      ...(row.note ? { note: row.note } : {}), ...(fresh && !past ? { position: fresh } : {}) }, zone.scope, { id: row.id }),
    { apart: true, once: row.id, draft: rest });
    device.syncSoon();
    return row.id;
  }

  const met = [...rows].filter(([zone]) => begun[zone]);
  useEffect(() => {
    for (const [id, { scope }] of met) next(() => record({ id, scope }, {}));
  }, [met.map(([zone]) => zone).join()]);
  const astray = Object.entries(zones ? begun : {}).filter(([zone]) => !rows.has(zone) && !zones?.some((one) => one.id === zone));

  /** @param {import("../device/types.d.ts").Shown} zone @returns {Promise<string | null>} */
  async function ensure(zone) {
    let id = /** @type {string | null} */ (null);
    await next(async () => { id = await record(zone, {}, { atOnce: true }); });
    return id;
  }

  const done = found.filter(({ zone }) => rows.has(zone.id)).length;
  return html`<${Page} title=${t("日常登记", "Daily register")} back="/">
    <p class="hint">${today} · ${t(`已登记 ${done} 处`, `${done} zones entered`)}</p>
    ${draft.problem && html`<${Note} kind="bad">${draft.problem}<//>`}
    ${astray.map(([zone, { duties: given, note }]) => html`<${Note} key=${zone} kind="warn"><b>${t("未完成的登记,其责任区已不在本机", "An unfinished row whose zone is not on this device")}</b>
      <p>${factWords({ duties: given, ...(note ? { note } : {}) })}</p>
      <${Button} kind="danger" onClick=${() => next(async () => device.group(() => {}, { draft: (await begunBut(zone)).rest }))}>${t("放弃", "Give it up")}<//><//>`)}
    <${Field} label=${t("按名称、路段、责任人查找", "Search by name, road or party")}>
      <input type="search" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /><//>
    ${zones && !found.length && html`<${Note} kind="warn">${zones.length ? t("没有符合的责任区", "No zone fits")
      : t("本机还没有责任区,请联网同步一次", "No zones on this device yet: sync once with a network")}<//>`}
    ${found.slice(0, shown).map(({ zone, away }) => {
      const kept = rows.get(zone.id), row = begun[zone.id];
      const beside = ofToday(entries ?? []).filter((one) => one.fields.zone_id === zone.id && one.id !== kept?.id);
      const told = kept ? { by: other(kept), id: kept.id, duties: kept.fields.duties ?? {}, note: kept.fields.note ?? "", kept: true, version: kept.version,
        problems: kept.problems, unsent: !made || made.some((one) => one.record_id === kept.id && ["waiting", "held"].includes(one.state)) }
        : row ? { ...row, kept: false, version: 0, problems: [], unsent: true } : null;
      return html`<${DutyCard} key=${`${zone.id} ${today}`} zone=${zone} away=${away} duties=${duties} row=${told} open=${open === zone.id}
        beside=${beside.map((one) => ({ by: other(one) || device.user.name, duties: one.fields.duties ?? {}, note: one.fields.note ?? "" }))} onOpen=${() => setOpen(open === zone.id ? "" : zone.id)} photos=${photos.get(told?.id) ?? 0}
        onTap=${(/** @type {Record<string, string>} */ given) => next(() => record(zone, { duties: given }, { version: told?.version }))}
        onNote=${(/** @type {string} */ note, /** @type {number} */ version) => next(() => record(zone, { note }, { version }))} ensure=${() => ensure(zone)} />`;
    })}
    ${found.length > shown && html`<${Button} onClick=${() => setShown(shown + SHOWN)}>${t("更多", "More")}<//>`}<//>`;
}
