// The commands that were given on this device and that the record here does not show yet: what was sent stands in no row
// until the next pull, so it counts until then. Those that the server refused count for nothing.

import { counts } from "../device/view.js";

/**
 * In the order of giving.
 * @param {import("../device/types.d.ts").Shown} record
 * @param {import("../device/types.d.ts").Made[]} made
 * @returns {{name: string, args: Record<string, any>}[]}
 */
export function commandsOf(record, made) {
  return made.filter((one) => one.record_id === record.id && one.body.op === "command" && counts(one, record))
    .map((one) => one.body.command);
}
