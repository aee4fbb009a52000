// What not every finding needs: condition, address, tags, who handled it, and the office that it goes to.

import { t } from "../../words.js";
import { html, useState } from "../../parts/html.js";
import { Choice, Field, Section } from "../../parts/page.js";
import { useReference } from "../../parts/reference.js";

/**
 * @param {{fields: Record<string, any>, set: (part: Record<string, any>) => void, scope: string, scopes: string[],
 *   onScope: (scope: string) => void}} props
 */
export function More({ fields, set, scope, scopes, onScope }) {
  const { conditions, divisions } = useReference();
  const own = conditions.filter((/** @type {any} */ one) => one.scheme === fields.class_scheme && one.code === fields.class_code);
  const offered = [...new Set([scope, ...scopes])];
  return html`<${Section} title=${t("更多", "More")}>
    ${own.length > 0 && html`<${Choice} label=${t("立案情形", "Condition")} value=${fields.condition}
      onChange=${(/** @type {string} */ condition) => set({ condition })}
      options=${own.map((/** @type {any} */ one) => ({ value: one.condition, label: one.filing_condition }))} />`}
    <${Field} label=${t("地址", "Address")}><input name="address" value=${fields.address ?? ""} autocomplete="off"
      onInput=${(/** @type {any} */ event) => set({ address: event.currentTarget.value })} /><//>
    <${Tags} value=${fields.tags} onChange=${(/** @type {string[]} */ tags) => set({ tags })} />
    <label class="tick"><input type="checkbox" checked=${Boolean(fields.self_handled)}
      onChange=${(/** @type {any} */ event) => set({ self_handled: event.currentTarget.checked || undefined })} />
      <span>${t("我已当场处置", "I handled it on the spot")}</span></label>
    ${offered.length > 1 && html`<${Choice} label=${t("属于", "Belongs to")} value=${scope} onChange=${onScope}
      options=${offered.map((value) => ({ value, label: divisions[value] ?? value }))} />`}
  <//>`;
}

/**
 * Tags as they are typed: kept at each key, put in order when the field is left.
 * @param {{value: string[] | undefined, onChange: (tags: string[]) => void}} props
 */
export function Tags({ value, onChange }) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  return html`<${Field} label=${t("标签(用逗号分开)", "Tags (with commas)")}><input name="tags" autocomplete="off"
    value=${typed ?? (value ?? []).join(",")} onBlur=${() => setTyped(null)} onInput=${(/** @type {any} */ { currentTarget: { value: text } }) => {
      setTyped(text);
      onChange(tagsIn(text));
    }} /><//>`;
}

/** @param {string} text */
function tagsIn(text) {
  return [...new Set(text.split(/[,,、]/).map((tag) => tag.trim()).filter(Boolean))];
}
