// The finding that a failed item of an inspection opens: its class by the checklist, its place by fix, sticker or zone.

import { lastPosition } from "../parts/position.js";

/**
 * @param {import("./checklist.js").Item} item
 * @param {{inspection: string, position?: any, zone?: Record<string, any>, zone_method?: string, sticker_serial?: string,
 *   note?: string}} of
 */
export function findingOf(item, { inspection, position, zone, zone_method: method, sticker_serial: serial, note }) {
  const place = lastPosition() ?? position;
  // Only a sticker that was scanned here speaks for the zone; one known from the register would claim a visit to it.
  const scanned = method === "sticker" && serial ? { sticker_serial: serial } : {};
  const address = [zone?.road, zone?.name].filter(Boolean).join(" ");
  return {
    class_scheme: item.class_scheme, class_code: item.class_code, source: "patrol",
    text: [item.text, note].filter(Boolean).join("："), inspection_id: inspection,
    observed_at: new Date().toISOString(), ...(place ? { position: place } : {}), ...scanned,
    ...(address ? { address } : {}), ...(zone?.party_id ? { party_id: zone.party_id } : {}),
  };
}
