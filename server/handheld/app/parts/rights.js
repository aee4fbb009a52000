// What this person's roles may make: server/reference/record_rights.csv, which the server holds against each record.

import { useDevice } from "./device.js";
import { useReference } from "./reference.js";

/** May this person make a record of that type? What he may not is not offered. @returns {(type: string) => boolean} */
export function useMay() {
  const { user } = useDevice(), { create_rights: rights } = useReference();
  return (type) => rights[type].some((/** @type {string} */ role) => user.roles.includes(role));
}
