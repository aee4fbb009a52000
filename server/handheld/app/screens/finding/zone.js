// The zone of a finding, as the server said it or, until then, as this device reckons it; its finder may choose.

import { t } from "../../words.js";
import { pointOf } from "../../device/plane.js";
import { useDevice } from "../../parts/device.js";
import { failureWords } from "../../parts/failures.js";
import { html, useState } from "../../parts/html.js";
import { Button, Note, Section, Sheet, say } from "../../parts/page.js";
import { mayChooseZone } from "../../parts/states.js";
import { decided, useAttribution, useZones, ZonePicker } from "../../parts/zone.js";

/** @typedef {import("../../device/types.d.ts").Shown} Shown */
/** @typedef {import("../../device/types.d.ts").Made} Made */

/** @param {{finding: Shown, made: Made[], own: boolean}} props */
export function ZoneShown({ finding, made, own }) {
  const { id, fields, scope } = finding, device = useDevice(), index = useZones();
  const [open, setOpen] = useState(false), [problem, setProblem] = useState(""), [busy, setBusy] = useState(false);
  const place = pointOf(fields.position), position = place ? { ...place, crs: /** @type {const} */ ("EPSG:4490"), accuracy_m: fields.position.accuracy_m } : null;
  const reckoned = useAttribution({ position, at: fields.observed_at, sticker: fields.sticker_serial });
  const pending = made.filter(({ state, body }) => ["waiting", "held", "applied"].includes(state) && body.command?.name === "choose_zone").at(-1);
  const told = fields.zone, attribution = told ? { decision: told.decision, candidates: told.candidates ?? [] } : reckoned;
  const chosen = pending ? pending.body.command.args.zone_id : told?.method === "person" ? told.zone_id : undefined;
  const zoneId = chosen !== undefined ? chosen : told ? told.zone_id : reckoned && decided(reckoned)?.zone_id;
  const name = index?.zones.find(({ zone_id }) => zone_id === zoneId)?.name
    ?? attribution?.candidates.find((/** @type {any} */ { zone_id }) => zone_id === zoneId)?.name ?? zoneId;
  const said = chosen !== undefined ? (pending ? pending.state === "waiting" ? t("你认定的,待送", "your choice, unsent") : t("你认定的", "your choice") : t("人工认定", "chosen by a person"))
    : attribution ? (DECISIONS[attribution.decision]?.() ?? "") + (told ? "" : ` · ${t("本机推算", "reckoned here")}`)
      : place || fields.sticker_serial ? "" : t("没有定位,未推算", "no position to reckon by");

  /** @param {string | null | undefined} choice */
  async function choose(choice) {
    if (choice === undefined) return setOpen(false);
    setBusy(true);
    try {
      await device.command("finding", id, "choose_zone", { zone_id: choice }, told?.method === "person" ? { zone: told } : null);
      device.syncSoon();
      say(t("已记下你的认定。", "Your choice is kept."));
      setOpen(false);
    } catch (failure) {
      setProblem(failureWords(failure));
    }
    setBusy(false);
  }
  return html`<${Section} title=${t("责任区", "Zone")}>
    <p><strong>${name || (chosen === null ? t("都不是", "none") : t("未定", "open"))}</strong> <small>${said}</small></p>
    ${problem && html`<${Note} kind="bad">${problem}<//>`}
    ${mayChooseZone(fields, device.user, own) && html`<${Button} onClick=${() => setOpen(true)}>${t("认定责任区", "Choose the zone")}<//>`}
    ${open && html`<${Sheet} title=${t("认定责任区", "Choose the zone")} onClose=${() => setOpen(false)}>
      <${ZonePicker} attribution=${attribution} value=${chosen} position=${position} at=${fields.observed_at} scope=${scope} onChange=${busy ? null : choose} lasting /><//>`}
  <//>`;
}

const DECISIONS = /** @type {Record<string, () => string>} */ ({
  certain: () => t("确定", "certain"), probable: () => t("很可能", "probable"),
  ambiguous: () => t("待认定", "waits for a choice"), none: () => t("不在责任区内", "in no zone"),
});
