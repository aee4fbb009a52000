// A form names its signature (`signing`) before that is evidence, and takes it when it is: a page that was killed in between
// finds it again. One that is discarded opens the form again; it stays evidence.

import { useEvidence } from "../parts/device.js";
import { html, useEffect, useState } from "../parts/html.js";
import { Button, Sheet } from "../parts/page.js";
import { t } from "../words.js";

/** @typedef {import("../parts/draft.js").Draft<Record<string, any>>} Draft */

/** A form that is neither signed nor served yet. */
export const UNSIGNED = { how: "", signing: "", signature: "", signed_at: "", served_at: "", served_text: "" };

/**
 * Take the signature that the draft named, and no other picture, when it stands in evidence. Text and time of what was signed
 * are those of before the signature.
 * @param {string} id of the record that is being written
 * @param {Draft} draft
 */
export function useSignatureFound(id, draft) {
  const { value } = draft, found = useEvidence(id)?.find((one) => one.id === value?.signing);
  const wanted = Boolean(found && value?.how === "signed" && !value.signature);
  useEffect(() => {
    if (wanted && found) draft.change({ signature: found.id, signed_at: found.fields.captured_at });
  }, [wanted]);
}

/** The way back to a form that stands locked under its signature. @param {{draft: Draft}} props */
export function Discard({ draft }) {
  const [open, setOpen] = useState(false);
  return html`<${Button} onClick=${() => setOpen(true)}>${t("作废此签名,改内容", "Discard this signature")}<//>
    ${open && html`<${Sheet} title=${t("作废此签名?", "Discard this signature?")} onClose=${() => setOpen(false)}>
      <p>${t("内容可再改,当事人须重新签名;此签名图仍作为证据保留。", "The text can be changed, and the party has to sign again; this picture of it stays evidence.")}</p>
      <${Button} kind="danger" onClick=${() => draft.change(UNSIGNED)}>${t("确认作废", "Discard")}<//><//>`}`;
}
