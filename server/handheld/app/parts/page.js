// What every screen is built of: page, section, field, choice, button, sheet, note, thumb, toast.

import { t } from "../words.js";
import { useDevice } from "./device.js";
import { Navigation, SyncBar, SyncSign } from "./frame.js";
import { cloneElement, html, isValidElement, useEffect, useId, useLayoutEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { goBack } from "./router.js";
import { say, saidBy } from "./saying.js";
import { tried } from "./tried.js";

/** @typedef {import("preact").ComponentChildren} Children */

/**
 * A screen. With `back` it is one to work on: no navigation, its actions at the thumb; without, one of the shell's. What is in it
 * is still being read where it has nothing in it.
 * @param {{title: string, back?: string, actions?: Children, tools?: Children, children?: Children}} props
 */
export function Page({ title, back, actions, tools, children }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => {
    document.title = `${title} · ${t("门前", "Menqian")}`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []); // a reader hears where it is
  return html`
    <header class="head">
      ${back !== undefined && html`<button type="button" class="square" aria-label=${t("返回", "Back")}
        onClick=${() => goBack(back)}><${Icon} of="back" /></button>`}
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      ${tools}${back !== undefined && html`<${SyncSign} />`}
    </header>
    <main class=${back === undefined ? "in-shell" : actions ? "with-actions" : ""}>${children ?? html`<p class="loading">${t("正在打开…", "Opening …")}</p>`}</main>
    ${back !== undefined ? actions && html`<div class="actions">${actions}</div>`
      : html`<div class="foot">${actions && html`<div class="actions-in-shell">${actions}</div>`}<${SyncBar} /><${Navigation} /></div>`}`;
}

/** @param {{title?: string, children?: Children}} props */
export function Section({ title, children }) {
  const id = useId();
  return html`<section class="section" aria-labelledby=${title ? id : undefined}>
    ${title && html`<h2 id=${id}>${title}</h2>`}${children}</section>`;
}

/**
 * A labelled input. A child that is an element of the page is tied to its label, hint and problem.
 * @param {{label: string, hint?: Children, problem?: Children, children?: any}} props
 */
export function Field({ label, hint, problem, children }) {
  const id = useId();
  const child = Array.isArray(children) && children.length === 1 ? children[0] : children;
  const told = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  /** @type {Record<string, any> | null} */
  const given = isValidElement(child) && typeof child.type === "string" ? child.props : null;
  const one = given !== null, its = given?.id ?? id;
  const tied = one ? cloneElement(child, {
    id: its, "aria-describedby": told, "aria-invalid": problem ? "true" : undefined,
  }) : child;
  return html`<div class="field" role=${one ? undefined : "group"} aria-labelledby=${one ? undefined : `${id}-label`}>
    ${one ? html`<label for=${its}>${label}</label>` : html`<span class="label" id="${id}-label">${label}</span>`}
    ${tied}
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${problem && html`<p class="problem" id="${id}-problem" role="alert">${problem}</p>`}</div>`;
}

/**
 * One of a few, each a large target of its own.
 * @param {{label: string, options: {value: any, label: string, hint?: string}[], value: any,
 *   onChange: (value: any) => void, hideLabel?: boolean}} props
 */
export function Choice({ label, options, value, onChange, hideLabel }) {
  const name = useId();
  return html`<fieldset class="choice"><legend class=${hideLabel ? "unseen" : ""}>${label}</legend>
    <div class="options">${options.map((one) => html`<label key=${String(one.value)} class=${one.value === value ? "chosen" : ""}>
      <input type="radio" name=${name} checked=${one.value === value} onChange=${() => onChange(one.value)} />
      <span>${one.label}${one.hint && html`<small>${one.hint}</small>`}</span></label>`)}</div></fieldset>`;
}

/**
 * @param {{kind?: "primary" | "plain" | "danger", busy?: boolean, disabled?: boolean, onClick?: (event: Event) => any,
 *   type?: "button" | "submit", children?: Children, [more: string]: any}} props
 */
export function Button({ kind = "plain", busy, disabled, onClick, type = "button", children, ...more }) {
  return html`<button ...${more} type=${type} class="button ${kind}" disabled=${disabled || busy}
    aria-busy=${busy ? "true" : undefined} onClick=${onClick}>${children}</button>`;
}

/**
 * A modal sheet from below; the browser's own dialog keeps the focus inside, Escape and the cross close it,
 * if its owner lets them: a browser that closes it all the same shows it again.
 * @param {{title: string, onClose: () => void, children?: Children}} props
 */
export function Sheet({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return html`<dialog class="sheet" ref=${dialog} aria-labelledby=${id}
      onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); onClose(); }}
      onClose=${() => dialog.current?.isConnected && (dialog.current.showModal(), onClose())}>
    <header><h2 id=${id} tabindex="-1" autofocus>${title}</h2><button type="button" class="square" aria-label=${t("关闭", "Close")}
      onClick=${onClose}><${Icon} of="close" /></button></header>
    <div class="sheet-body">${children}</div></dialog>`;
}

/** @param {{kind?: "ok" | "wait" | "warn" | "bad", children?: Children}} props */
export function Note({ kind = "wait", children }) {
  return html`<div class="note ${kind}" role=${kind === "bad" ? "alert" : "status"}>${children}</div>`;
}

/** A photo as small as this device has it; asked for again only until it is there. @param {{sha256: string, alt?: string}} props */
export function Thumb({ sha256, alt = "" }) {
  const device = useDevice();
  const [url, setUrl] = useState("");
  useEffect(() => {
    let over = false, made = "";
    const look = () => tried(async () => {
      const blob = await device.thumb(sha256);
      if (over || made) return;
      if (blob) setUrl(made = URL.createObjectURL(blob));
      else await device.bringPicture(sha256, "thumb"); // that it came is told as a change
    });
    const stop = device.onChange((data) => void (data && !made && look()));
    look();
    return () => {
      over = true;
      stop();
      URL.revokeObjectURL(made);
    };
  }, [device, sha256]);
  if (url) return html`<img class="thumb" src=${url} alt=${alt} />`;
  return html`<span class="thumb none" role="img" aria-label=${alt || t("照片不在本机", "The photo is not on this device")}>
    <${Icon} of="camera" /></span>`;
}

export { say };

/** Where `say` is seen and heard; one stands in the shell. */
export function Toast() {
  const [said, setSaid] = useState("");
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    saidBy((text) => {
      clearTimeout(timer);
      setSaid(text);
      timer = setTimeout(() => setSaid(""), 5000);
    });
    return () => {
      clearTimeout(timer);
      saidBy(null);
    };
  }, []);
  return html`<div class="toast" role="status" aria-live="polite">${said && html`<p>${said}</p>`}</div>`;
}
