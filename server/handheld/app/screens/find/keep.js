// From a draft to a finding: what it lacks, how it and a person's choice of zone are made, or how it is given up.

import { t } from "../../words.js";
import { decided } from "../../device/zones.js";

/** @typedef {import("../find.js").Draft} Draft */
/** @typedef {import("../../device/types.d.ts").Device} Device */
/** @typedef {import("../../device/types.d.ts").Position} Position */
/** @typedef {import("../../device/types.d.ts").Shown} Shown */
/** @typedef {{position: Position | null, scope: string, attribution: import("../../device/zones.js").Attribution | null, away?: string | null}} Placed */

/**
 * What must be there before a finding can be kept, in words.
 * @param {Draft} draft
 * @param {Position | null} position
 */
export function missing({ fields }, position) {
  const placed = position || fields.address?.trim() || fields.sticker_serial;
  return placed ? [] : [t("还没有地点:等定位,或填写地址,或扫贴花。", "No place yet: wait for the position, give an address or scan the sticker.")];
}

/** Does it say neither what nor how? Such a one is warned of, not refused. @param {Draft} draft */
export function saysNothing({ fields }) {
  return !fields.class_code && !fields.text?.trim();
}

/**
 * @param {Draft} draft
 * @param {Position | null} position
 */
export function fieldsOf({ fields, observed_at }, position) {
  const given = { ...fields, text: fields.text?.trim(), address: fields.address?.trim(), observed_at,
    ...(position ? { position } : {}) };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== "" && value !== null
    && !(Array.isArray(value) && !value.length)));
}

/**
 * The choice that has to be told: one that the server would not come to by itself.
 * @param {Draft} draft
 * @param {Placed} placed
 * @returns {{zone_id: string | null} | null}
 */
export function choiceOf({ zone }, { attribution }) {
  if (zone === undefined) return null;
  const reckoned = attribution ? decided(attribution)?.zone_id ?? null : null;
  const sure = attribution?.decision === "certain" || (attribution?.decision === "none" && zone === null);
  return sure && zone === reckoned ? null : { zone_id: zone };
}

/** An auxiliary reports, but says no zone: the server would refuse his choice.
 *  @param {import("../../device/types.d.ts").User} user */
export function mayChoose({ roles }) {
  return roles.some((role) => role !== "auxiliary");
}

/**
 * Make the finding, and the choice of its zone behind it: one writing here, but two for the server, whose register may
 * have other zones by now. Then only the choice is stopped.
 * @param {Device} device
 * @param {string} id
 * @param {Draft} draft
 * @param {Placed} placed
 * @param {Shown[]} photos
 */
export async function keepFinding(device, id, draft, placed, photos) {
  const choice = mayChoose(device.user) ? choiceOf(draft, placed) : null, { scope } = placed;
  await device.group((maker) => {
    maker.create("finding", fieldsOf(draft, placed.position), scope, { id });
    for (const photo of placed.away ? [] : photos) if (photo.scope !== scope) maker.edit("evidence", photo.id, { scope }, photo.version); // taken before the place was known
    if (choice) maker.command("finding", id, "choose_zone", choice, null, 0);
  }, { apart: true, once: id });
}

/**
 * Give a draft up whose photos are in evidence already: the finding is made and deleted for a reason that everybody can
 * read, so that no photo hangs in the air.
 * @param {Device} device
 * @param {string} id
 * @param {Draft} draft
 * @param {Placed} placed
 * @param {Shown[]} photos
 * @param {string} reason
 */
export async function giveUp(device, id, draft, placed, photos, reason) {
  const fields = fieldsOf(draft, placed.position);
  if (missing(draft, placed.position).length) fields.address = "未记录(草稿作废)";
  await device.group((maker) => {
    maker.create("finding", fields, photos[0]?.scope ?? placed.scope, { id });
    maker.remove("finding", id, reason, 0);
  }, { once: id });
}
