// What the trade knows: `reference.json` of this edition, with what the office has sent since in front.

import { useDevice, useRecords } from "./device.js";
import { useMemo } from "./html.js";

/** @typedef {Record<string, any> & {record_types: Record<string, Record<string, string>>}} Reference */

/** @type {Reference | null} */
let known = null;

/** Read the file once, before the first screen. @returns {Promise<Reference>} */
export async function loadReference() {
  if (known) return known;
  const answer = await fetch(new URL("../reference.json", import.meta.url));
  if (!answer.ok) throw new Error(`reference.json: ${answer.status}`);
  const read = /** @type {Reference} */ (await answer.json());
  known = read;
  return read;
}

/** @returns {Reference} */
export function useReference() {
  const classes = useRecords("class"), offences = useRecords("offence"), templates = useRecords("template");
  return useMemo(() => {
    if (!known) throw new Error("reference.json was not read");
    return {
      ...known,
      classes: inFront(classes, known.classes, (one) => `${one.scheme}/${one.code}`),
      offences: inFront(offences, known.offences, (one) => one.code),
      checklists: inFront(templates?.map(asChecklist), known.checklists, (one) => `${one.id}/${one.version}`),
    };
  }, [classes, offences, templates]);
}

/** May this person's roles make a record of that type (server/reference/record_rights.csv)? What they may not is not offered.
 *  @returns {(type: string) => boolean} */
export function useMay() {
  const { user } = useDevice(), { create_rights: rights } = useReference();
  return (type) => rights[type].some((/** @type {string} */ role) => user.roles.includes(role));
}

/** A template's record with its names as checklists have them. @param {import("../device/types.d.ts").Shown} record */
function asChecklist(record) {
  const { template_id: id, template_version: version } = record.fields;
  return { ...record, fields: { ...record.fields, id, version } };
}

/**
 * The office's records, then those of the edition that none of them replaces.
 * @param {import("../device/types.d.ts").Shown[] | undefined} records
 * @param {Record<string, any>[]} built
 * @param {(one: Record<string, any>) => string} key
 */
function inFront(records, built, key) {
  if (!records?.length) return built;
  const sent = records.map((record) => ({ ...record.fields, record_id: record.id }));
  const replaced = new Set(sent.map(key));
  return [...sent, ...built.filter((one) => !replaced.has(key(one)))];
}
