// Digits for one thumb; a keyboard works, too.

import { t } from "../words.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Button } from "./page.js";

export const FEWEST = 4, MOST = 8;

/**
 * @param {{label: string, action: string, disabled?: boolean, onEnter: (digits: string) => any}} props
 */
export function Keypad({ label, action, disabled, onEnter }) {
  const [digits, setDigits] = useState("");
  const typed = useRef(""); // keys may come faster than the screen is drawn
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const put = (/** @type {string} */ next) => {
    typed.current = next.slice(0, MOST);
    setDigits(typed.current);
  };
  const add = (/** @type {string} */ digit) => put(typed.current + digit);
  const enter = () => {
    const whole = typed.current;
    if (whole.length < FEWEST || disabled) return;
    put("");
    onEnter(whole);
  };
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (disabled || root.current?.closest("[inert]")) return; // behind the lock
      if (/^\d$/.test(event.key)) add(event.key);
      else if (event.key === "Backspace") put(typed.current.slice(0, -1));
      else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) enter();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  return html`<div class="keypad" ref=${root} role="group" aria-label=${label}>
    <p class="dots" aria-live="polite"><span aria-hidden="true">${"●".repeat(digits.length) || "–"}</span>
      <span class="unseen">${t(`已输入 ${digits.length} 位`, `${digits.length} digits entered`)}</span></p>
    <div class="digits">${[..."123456789"].map((digit) => html`<${Button} key=${digit} disabled=${disabled}
      onClick=${() => add(digit)}>${digit}<//>`)}
      <${Button} disabled=${disabled || !digits} onClick=${() => put(typed.current.slice(0, -1))}
        aria-label=${t("删一位", "Delete one digit")}>⌫<//>
      <${Button} disabled=${disabled} onClick=${() => add("0")}>0<//>
      <${Button} kind="primary" disabled=${disabled || digits.length < FEWEST} onClick=${enter}>${action}<//></div></div>`;
}
