// The finding that a failed item of an inspection opens: its class by the checklist, its place by fix, sticker, zone or what was typed.

import { decided } from "../device/zones.js";

/**
 * @param {import("./checklist.js").Item} item
 * @param {{inspection: string, position?: any, zone?: Record<string, any>, zone_method?: string, sticker_serial?: string,
 *   note?: string, address?: string}} of
 */
export function findingOf(item, { inspection, position, zone, zone_method: method, sticker_serial: serial, note, address: typed }) {
  // Only a sticker that was scanned here speaks for the zone; one known from the register would claim a visit to it.
  const scanned = method === "sticker" && serial ? { sticker_serial: serial } : {};
  const address = typed?.trim() || [zone?.road, zone?.name].filter(Boolean).join(" ");
  return {
    class_scheme: item.class_scheme, class_code: item.class_code, source: "patrol",
    text: [`不合格:${item.text ?? item.id}`, note].filter(Boolean).join(";"), inspection_id: inspection,
    observed_at: new Date().toISOString(), ...(position ? { position } : {}), ...scanned,
    ...(address ? { address } : {}), ...(zone?.party_id ? { party_id: zone.party_id } : {}),
  };
}

/**
 * The inspection's zone as a choice to tell with its finding: where the server would not come to it by itself, and could
 * take it (a choice is one of the candidates, if there are any).
 * @param {ReturnType<typeof findingOf>} finding
 * @param {import("../device/zones.js").ZoneIndex | undefined} index
 * @param {string | undefined} chosen
 * @returns {{zone_id: string} | null}
 */
export function choiceOf(finding, index, chosen) {
  if (!chosen) return null;
  const { position, sticker_serial: sticker } = /** @type {Record<string, any>} */ (finding);
  const reckoned = index && (position || sticker) ? index.attribute({ place: position ? { lon: position.lon, lat: position.lat } : null,
    accuracy_m: position?.accuracy_m, at: Date.parse(finding.observed_at), sticker }) : null;
  if (!reckoned?.candidates.length) return { zone_id: chosen };
  if (!reckoned.candidates.some((one) => one.zone_id === chosen)) return null;
  return reckoned.decision === "certain" && decided(reckoned)?.zone_id === chosen ? null : { zone_id: chosen };
}
