// A signature is evidence before its form's draft says so: a page that was killed in between finds it again.

import { useAsked } from "../parts/device.js";
import { useEffect } from "../parts/html.js";

/**
 * Take a signature that stands in evidence into the draft that it belongs to.
 * @param {string} id of the record that is being written
 * @param {import("./draft.js").Draft} draft
 */
export function useSignatureFound(id, draft) {
  const found = useAsked(async (device) => (await device.records("evidence")).filter(({ fields }) => fields.about?.id === id
    && fields.role === "sign" && fields.media_type === "image/png").at(-1) ?? null, ["signature of", id]);
  const wanted = Boolean(draft.value && !draft.value.signature && found);
  useEffect(() => {
    if (wanted && found) draft.change({ how: "signed", signature: found.id, signed_at: found.fields.captured_at, served_at: found.fields.captured_at });
  }, [wanted]);
}
