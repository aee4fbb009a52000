// Digits for one thumb; a keyboard works, too.

import { t } from "../words.js";
import { html, useEffect, useState } from "./html.js";
import { Button } from "./page.js";

export const FEWEST = 4, MOST = 8;

/**
 * @param {{label: string, action: string, disabled?: boolean, onEnter: (digits: string) => any}} props
 */
export function Keypad({ label, action, disabled, onEnter }) {
  const [digits, setDigits] = useState("");
  const add = (/** @type {string} */ digit) => setDigits((known) => (known + digit).slice(0, MOST));
  const enter = () => {
    if (digits.length < FEWEST || disabled) return;
    setDigits("");
    onEnter(digits);
  };
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (/^\d$/.test(event.key)) add(event.key);
      else if (event.key === "Backspace") setDigits((known) => known.slice(0, -1));
      else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) enter();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  return html`<div class="keypad" role="group" aria-label=${label}>
    <p class="dots" aria-live="polite"><span aria-hidden="true">${"●".repeat(digits.length) || "–"}</span>
      <span class="unseen">${t(`已输入 ${digits.length} 位`, `${digits.length} digits entered`)}</span></p>
    <div class="digits">${[..."123456789"].map((digit) => html`<${Button} key=${digit} disabled=${disabled}
      onClick=${() => add(digit)}>${digit}<//>`)}
      <${Button} disabled=${disabled || !digits} onClick=${() => setDigits((known) => known.slice(0, -1))}
        aria-label=${t("删一位", "Delete one digit")}>⌫<//>
      <${Button} disabled=${disabled} onClick=${() => add("0")}>0<//>
      <${Button} kind="primary" disabled=${disabled || digits.length < FEWEST} onClick=${enter}>${action}<//></div></div>`;
}
