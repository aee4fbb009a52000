// Locks the screen after a while and when the app is left. What is being filled in stays as it was behind the lock.

import { t } from "../words.js";
import { useDevice, useKept } from "./device.js";
import { html, useCallback, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { Keypad } from "./keypad.js";
import { LockedContext } from "./locked.js";
import { Button, Note } from "./page.js";
import { NO_TRIES, afterWrong, bounded, opens } from "./pin.js";
import { Unkept } from "./unkept.js";
import { EnrolForm } from "../screens/enrol.js";

const LOOK_EVERY_MS = 5000, CAMERA_MS = 10 * 60_000;

/** @typedef {{idle_min: number, hidden_s: number}} LockAfter */

/** @type {LockAfter} */
export const LOCK_AFTER = { idle_min: 5, hidden_s: 0 };

/** @param {{children: any}} props */
export function Lock({ children }) {
  const [pin] = useKept("pin", /** @type {import("./pin.js").Pin | null} */ (null));
  const [after] = useKept("lock-after", LOCK_AFTER);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (pin === null) setOpen(true); // without one nothing locks; whoever sets one stays inside
  }, [pin]);
  useEffect(() => (pin && after ? watch(after, () => setOpen(false)) : undefined), [Boolean(pin), after?.idle_min, after?.hidden_s]); // each look at the disk gives others that say the same
  if (pin === undefined) return null;
  const locked = pin !== null && !open;
  return html`<div class="screen ${locked ? "locked-away" : ""}" inert=${locked} aria-hidden=${locked ? "true" : undefined}>
      <${LockedContext.Provider} value=${locked}>${children}<//></div>
    ${!locked && html`<${Unkept} />`}
    ${locked && html`<${Locked} pin=${pin} onOpen=${() => setOpen(true)} />`}`;
}

/**
 * Calls `lock` when nobody touched the screen for a while, or the app was left; gives the way to stop. A camera that
 * takes the screen for a picture is no leaving.
 * @param {LockAfter} after
 * @param {() => void} lock
 */
function watch({ idle_min, hidden_s }, lock) {
  let touched = Date.now(), hidden = 0, camera = 0;
  const touch = () => { touched = Date.now(); };
  const click = (/** @type {Event} */ event) => {
    touch();
    const target = /** @type {HTMLElement} */ (event.target);
    const input = target.closest("label")?.querySelector("input") ?? target;
    if (input instanceof HTMLInputElement && input.type === "file") camera = Date.now();
  };
  const chosen = (/** @type {Event} */ event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "file") camera = 0;
  };
  const look = () => {
    const now = Date.now();
    const away = hidden > 0 && now - hidden >= (now - camera < CAMERA_MS ? CAMERA_MS : hidden_s * 1000);
    if (away || now - touched >= idle_min * 60_000) lock();
  };
  const turned = () => {
    if (document.visibilityState === "visible") {
      look(); // timers slept while it was hidden
      camera = 0;
    }
    hidden = document.visibilityState === "hidden" ? Date.now() : 0;
    if (hidden) look();
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const heard = /** @type {[string, (event: any) => void][]} */ (Object.entries({ pointerdown: touch, keydown: touch, click, change: chosen, cancel: chosen, visibilitychange: turned }));
  for (const [name, listen] of heard) document.addEventListener(name, listen, true);
  return () => {
    clearInterval(timer);
    for (const [name, listen] of heard) document.removeEventListener(name, listen, true);
  };
}

/**
 * The tries at the PIN, counted on the disk wherever it is asked for: how many seconds to `wait` for the next, and the way to `check` one,
 * which gives null where it may not be tried now. What a right one opens comes first: a full disk keeps nobody out.
 * @param {import("./pin.js").Pin | null} pin
 * @returns {{wait: number, said: string, check: (digits: string, onRight?: () => void) => Promise<boolean | null>}}
 */
export function useTries(pin) {
  const device = useDevice();
  const [onDisk] = useKept("pin-tries", NO_TRIES);
  const [here, setHere] = useState(NO_TRIES); // a full disk remembers none
  const tries = onDisk && here.wrong > onDisk.wrong ? here : onDisk;
  const [said, setSaid] = useState(""), [wait, setWait] = useState(0);
  const checking = useRef(false);
  useEffect(() => {
    if (!tries) return undefined;
    let known = tries;
    const look = () => {
      const now = Date.now(), then = bounded(known, now);
      if (then !== known) device.keep("pin-tries", then).catch((failure) => console.warn(failure)); // it counts down, closed or not
      known = then;
      setWait(Math.max(0, Math.ceil((then.until - now) / 1000)));
    };
    look();
    const timer = setInterval(look, 500);
    return () => clearInterval(timer);
  }, [device, tries]);
  const check = useCallback(async (/** @type {string} */ digits, onRight = () => {}) => {
    if (checking.current || !pin) return null;
    checking.current = true;
    try {
      const now = Date.now(), known = bounded(tries ?? await device.kept("pin-tries", NO_TRIES), now);
      if (known.until > now) return null;
      const right = await opens(digits, pin), next = right ? NO_TRIES : afterWrong(known, now);
      if (right) onRight();
      await device.keep("pin-tries", next).catch((failure) => console.warn(failure));
      if (right) return true;
      setHere(next); // and said when it is kept: closing the app forgets nothing
      setSaid(t("PIN 不对", "Wrong PIN"));
      return false;
    } finally {
      checking.current = false;
    }
  }, [device, pin, tries]);
  return { wait, said: wait > 0 ? t(`输错多次,请等 ${wait} 秒`, `Too many wrong tries; wait ${wait} s`) : said, check };
}

/** @param {{pin: import("./pin.js").Pin, onOpen: () => void}} props */
function Locked({ pin, onOpen }) {
  const device = useDevice(), { wait, said, check } = useTries(pin), [forgotten, setForgotten] = useState(false);
  if (forgotten) return html`<${Above} title=${t("重新登记", "Enrol anew")} className="forgotten">
    <${Forgotten} onOpen=${onOpen} onBack=${() => setForgotten(false)} /><//>`;
  return html`<${Above} title=${t("已锁定", "Locked")}>
    <div class="locked-top"><${Icon} of="lock" /><h1 tabindex="-1" autofocus>${t("已锁定", "Locked")}</h1>
      <p>${device.user.name}</p>
      <p class="problem" role="alert">${said}</p></div>
    <${Keypad} label="PIN" disabled=${wait > 0} onEnter=${(/** @type {string} */ digits) => check(digits, onOpen)} action=${t("打开", "Open")} />
    <${Button} onClick=${() => setForgotten(true)}>${t("忘了 PIN", "Forgot the PIN")}<//><//>`;
}

/** Above everything, a sheet that was open included; no key closes it. @param {{title: string, className?: string, children?: any}} props */
function Above({ title, className = "", children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const show = () => {
    dialog.current?.showModal();
    /** @type {HTMLElement | null | undefined} */ (dialog.current?.querySelector("[autofocus]"))?.focus(); // no digit takes the Enter
  };
  useLayoutEffect(show, []);
  return html`<dialog class="locked ${className}" ref=${dialog} aria-label=${title}
    onCancel=${(/** @type {Event} */ event) => event.preventDefault()}
    onClose=${show}>${children}</dialog>`;
}

/** @param {{onOpen: () => void, onBack: () => void}} props */
function Forgotten({ onOpen, onBack }) {
  const device = useDevice();
  return html`<${EnrolForm} known=${device} kept=${{ pin: null, "pin-tries": null }} onEnrolled=${onOpen} onBack=${onBack}>
    <${Note} kind="wait">${t("PIN 只在本机,谁也查不到。用新的邀请码重新登记后可以另设一个;没送达的都还在。",
      "The PIN is on this device alone and nobody can look it up. Enrol anew and set another; what is not delivered stays.")}<//><//>`;
}
