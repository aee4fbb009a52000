// Where a finding lies: position, sticker, and the zone that both speak of, settled at capture by one tap at most.

import { t } from "../../words.js";
import { apart } from "../../device/plane.js";
import { useDevice, useKept } from "../../parts/device.js";
import { html, useEffect, useRef, useState } from "../../parts/html.js";
import { Button, Note } from "../../parts/page.js";
import { ageOf, near } from "../../parts/fix.js";
import { HeldLine, PositionLine, usePosition } from "../../parts/position.js";
import { useReference } from "../../parts/reference.js";
import { mayChoose } from "./keep.js";
import { Scan } from "../../parts/scan.js";
import { isOpen, useAttribution, useZones, ZonePicker } from "../../parts/zone.js";

/** @typedef {import("../find.js").Draft} Draft */
/** @typedef {import("../../device/types.d.ts").Position} Position */

const STALE_S = 30;

/**
 * The place of a draft. Its position follows the phone until something is written: from then on it lies where it was seen,
 * not where it is finished, and only a finer fix of that place and time may still better it. Choosing a zone pins it.
 * Whose photos were taken in an area that is this person's no more stays there, with them (`away`).
 * @param {{value: Draft | null | undefined, found: boolean, kept: boolean, change: (part: Partial<Draft>) => Promise<boolean>}} draft
 * @param {import("../../device/types.d.ts").Shown[]} [photos]
 */
export function usePlace({ value, found, kept, change }, photos) {
  const device = useDevice(), live = usePosition(), at = value?.observed_at ?? "";
  const [last] = useKept("last-scope", /** @type {string | null} */ (null));
  const [follows, setFollows] = useState(false); // asked for on this page, and forgotten with it
  const begun = kept && !follows, held = Boolean(value?.pinned || (found && begun && value?.position));
  const steady = useSteady(live.here, begun ? Date.parse(at) : null);
  const position = held ? value?.position ?? null : steady;
  const sticker = value?.fields.sticker_serial ?? null;
  const attribution = useAttribution({ position, at, sticker }), index = useZones();
  useEffect(() => { // what is known of the place is in the draft, too
    if (value && kept && !held && steady && !same(value.position, steady)) change({ position: steady });
  }, [steady, held, kept]);
  const named = value?.zone ?? attribution?.candidates[0]?.zone_id;
  const zone = named ? index?.zones.find(({ zone_id }) => zone_id === named) : undefined;
  const isOurs = (/** @type {string} */ code) => device.scopes.some((scope) => code.startsWith(scope));
  const covered = zone && isOurs(zone.scope) ? zone.scope : null, away = photos?.find((one) => !isOurs(one.scope))?.scope ?? null;
  const usual = last && isOurs(last) ? last : device.scopes[0];
  return { live, held: held || Boolean(begun && position), follow: () => setFollows(true), position, at, sticker, attribution, zone, away, scope: away ?? value?.scope ?? covered ?? usual };
}

/** @param {Position | null} one @param {Position | null} other */
function same(one, other) {
  return one?.lon === other?.lon && one?.lat === other?.lat && one?.accuracy_m === other?.accuracy_m;
}

/**
 * The best of the newest fixes, so that candidates do not change places under the finger: a worse one counts only when
 * the person walked away or the better one is old, and neither for what was begun at some time.
 * @param {Position | null} newest
 * @param {number | null} since ms
 */
function useSteady(newest, since) {
  const best = useRef(/** @type {Position | null} */ (null)), known = best.current;
  if (newest && newest !== known && (!known || isBetter(newest, known, since))) best.current = newest;
  return best.current;
}

/** @param {Position} newest @param {Position} known @param {number | null} since */
function isBetter(newest, known, since) {
  const finer = (newest.accuracy_m ?? 0) <= (known.accuracy_m ?? 0);
  const left = apart(newest, known) > (newest.accuracy_m ?? 0) + (known.accuracy_m ?? 0);
  if (since !== null) return finer && !left && near(newest, since) !== null;
  return finer || left || (ageOf(known) ?? 0) > STALE_S;
}

/**
 * @param {{place: ReturnType<typeof usePlace>, draft: {value?: Draft, change: (part: Partial<Draft>) => Promise<boolean>}}} props
 */
export function Place({ place, draft }) {
  const { live, held, follow, position, at, sticker, attribution, zone, away, scope } = place, { divisions } = useReference();
  const value = /** @type {Draft} */ (draft.value);
  const [scanning, setScanning] = useState(false), [choosing, setChoosing] = useState(false);
  const index = useZones(), may = mayChoose(useDevice().user);

  /** @param {string | null | undefined} zoneId choosing pins the position that it was chosen on */
  function choose(zoneId) {
    draft.change(zoneId === undefined ? { zone: undefined, pinned: false } : { zone: zoneId, pinned: true, position });
  }
  /** @param {string} text */
  function read(text) {
    setScanning(false);
    const known = serialIn(text, index?.zones.map(({ sticker_serial }) => sticker_serial) ?? []);
    draft.change({ zone: undefined, fields: { ...value.fields, sticker_serial: known } });
  }
  const settled = zone && !choosing && (value.zone === undefined ? attribution?.decision === "certain" : false);
  const astray = sticker && attribution && attribution.candidates[0]?.method !== "sticker";
  return html`${away && html`<${Note} kind="warn">${t(`照片拍于${divisions[away] ?? away},现在已不是您的责任范围:这一条连同照片仍按原范围上报,服务器不直接采纳的,由主管整条放行。`,
      `The photos were taken in ${divisions[away] ?? away}, which is not your area any more. It is reported there with its photos; what the server does not apply, your supervisor releases as one.`)}<//>`}
    ${held ? html`<${HeldLine} position=${position} onFollow=${() => {
        follow();
        draft.change({ pinned: false, zone: undefined });
      }} />`
      : html`<${PositionLine} ...${live} />`}
    <${Button} onClick=${() => setScanning(true)}>${sticker ? t(`贴花 ${sticker},重扫`, `Sticker ${sticker}, scan again`)
      : t("扫贴花", "Scan the sticker")}<//>
    ${astray && html`<${Note} kind="warn">${t("这张贴花在本机查不到,或离这里太远;按定位认定。",
      "This sticker is not known here, or too far from here; the position counts.")}
      <button type="button" class="link" onClick=${() => draft.change({ fields: { ...value.fields, sticker_serial: undefined } })}>
        ${t("去掉贴花", "Remove it")}</button><//>`}
    ${settled ? html`<p class="settled-zone"><span>${t("责任区", "Zone")} <strong>${zone.name}</strong>
        <small>${t("已确定", "certain")}</small></span>
        ${may && html`<button type="button" class="link" onClick=${() => setChoosing(true)}>${t("改", "Change")}</button>`}</p>`
      : html`<${ZonePicker} attribution=${attribution} value=${value.zone} position=${position} at=${at} scope=${scope}
          onChange=${may ? choose : null} />`}
    ${isOpen(attribution) && value.zone === undefined && html`<p class="hint">${may ? t("不点也能保存,由审核人员认定。",
      "It can be saved without; a reviewer decides then.") : t("由审核人员认定;扫贴花可当场确定。",
      "A reviewer decides; a scanned sticker settles it now.")}</p>`}
    ${scanning && html`<${Scan} title=${t("扫责任区贴花", "Scan the zone's sticker")} typed=${t("贴花编号", "Serial of the sticker")}
      onRead=${read} onClose=${() => setScanning(false)} />`}`;
}

/**
 * The serial in what a sticker's code says: itself, or the last part of an address.
 * @param {string} text
 * @param {(string | null)[]} known
 */
export function serialIn(text, known) {
  const read = text.trim();
  if (known.includes(read)) return read;
  const parts = read.split(/[/?#=&]/).filter(Boolean);
  return parts.find((part) => known.includes(part)) ?? (read.includes("://") ? parts.at(-1) ?? read : read).slice(0, 80);
}
