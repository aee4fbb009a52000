// What a device says of its outbox and its clock, as the header of a call (schemas/health.py). Pure; serves `exchange`.

export const HEADER = "Menqian-Health";
/** @type {Record<string, string>} */
const MEMBERS = { unsent: "unsent", oldest: "oldest_unsent_at", bytes: "unsent_bytes", photos: "unsent_photos",
  time: "device_time", "round-trip": "round_trip_ms" };

/** The header that says this health; what is not known is left out. @param {Record<string, any>} health */
export function writeHeader(health) {
  return Object.entries(MEMBERS).filter(([, member]) => health[member] !== null && health[member] !== undefined)
    .map(([name, member]) => `${name}=${health[member]}`).join("; ");
}
