// The open conflicts of a record, where that is shown, each as a way to both values.

import { useAsked } from "../parts/device.js";
import { html } from "../parts/html.js";
import { Note } from "../parts/page.js";
import { t } from "../words.js";

/** @param {{id: string}} props */
export function ConflictNotes({ id }) {
  const open = useAsked(async (device) => (await device.records("conflict")).filter(({ fields }) => fields.record_id === id && fields.state === "open"), ["conflicts of", id]);
  return (open ?? []).map((one) => html`<${Note} key=${one.id} kind="warn">${t("有人同时改了这一条。", "Somebody changed this at the same time.")}
    <a href="#/conflicts/${one.id}">${t("去看看", "See both")}</a><//>`);
}
