// A signature on the screen: strokes of finger or pen, or a typed name with the reason why; kept as exact PNG bytes.

import { t } from "../words.js";
import { useDevice } from "./device.js";
import { failureWords } from "./failures.js";
import { html, useRef, useState } from "./html.js";
import { Button, Field, Note } from "./page.js";
import { day, when } from "./time.js";

const WIDTH = 1000, HEIGHT = 700, CAPTION = 56;
const SHORTEST = 120; // of all strokes together, in the picture's pixels: less is a touch, no signature
const INK = "#10203a";
/** How the note of each begins. */
export const SIGNED = "签名";

/**
 * @param {{about: {type: string, id: string}, scope: string, name: string, position?: any,
 *   onSign: (evidenceId: string) => Promise<boolean>}} props `onSign` has the form name the signature before it is evidence
 */
export function Signature({ about, scope, name, position, onSign }) {
  const device = useDevice();
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const stroke = useRef({ pointer: -1, x: 0, y: 0, length: 0 });
  const [signed, setSigned] = useState(false);
  const [typing, setTyping] = useState(false);
  const [typed, setTyped] = useState(""), [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false), [problem, setProblem] = useState("");

  /** @param {PointerEvent} event */
  function begin(event) {
    const board = /** @type {HTMLCanvasElement} */ (event.currentTarget);
    if (event.button > 0 || busy) return;
    board.setPointerCapture(event.pointerId);
    stroke.current = { ...stroke.current, pointer: event.pointerId, ...at(board, event) };
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const board = /** @type {HTMLCanvasElement} */ (event.currentTarget);
    if (event.pointerId !== stroke.current.pointer) return;
    for (const each of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
      const { x, y } = at(board, each), before = stroke.current;
      line(pen(board), before, { x, y });
      stroke.current = { ...before, x, y, length: before.length + Math.hypot(x - before.x, y - before.y) };
    }
    if (stroke.current.length >= SHORTEST) setSigned(true);
  }

  function lift() {
    stroke.current = { ...stroke.current, pointer: -1 };
  }

  function clear() {
    const board = canvas.current;
    if (board) pen(board).clearRect(0, 0, WIDTH, HEIGHT);
    stroke.current = { pointer: -1, x: 0, y: 0, length: 0 };
    setSigned(false);
    setProblem("");
  }

  async function confirm() {
    setBusy(true);
    setProblem("");
    try {
      const now = new Date().toISOString();
      const who = typing ? typed.trim() : name;
      const blob = await picture(typing ? null : canvas.current, typing ? typed.trim() : "",
        [who, `${day(now)} ${when(now).slice(-5)}`, typing ? `键入 typed: ${reason.trim()}` : ""]);
      const id = device.newId();
      if (!await onSign(id)) return setBusy(false);
      await device.capture(blob, {
        id, about, scope, role: "document", media_type: "image/png", position: position ?? null,
        note: typing ? `${SIGNED}(键入):${who};${reason.trim()}` : `${SIGNED}:${who}`,
      }); // its form finds it, and shows it in place of this
    } catch (error) {
      setProblem(failureWords(error));
      setBusy(false);
    }
  }

  const ready = typing ? typed.trim() !== "" && reason.trim() !== "" : signed;
  return html`<div class="signature">
    ${typing ? html`
      <${Field} label=${t("键入姓名", "Typed name")}><input type="text" maxlength="80" autocomplete="off" value=${typed}
        onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /><//>
      <${Field} label=${t("不能手写的原因", "Why not by hand")}><input type="text" maxlength="200" value=${reason}
        onInput=${(/** @type {any} */ event) => setReason(event.target.value)} /><//>`
    : html`<canvas ref=${canvas} width=${WIDTH} height=${HEIGHT - CAPTION} role="img"
        aria-label=${signed ? t("已有笔迹", "Signed") : t("签名区,请用手指签名", "Sign here with a finger")}
        onPointerDown=${begin} onPointerMove=${move} onPointerUp=${lift} onPointerCancel=${lift}></canvas>
      <p class="hint">${name ? t(`请 ${name} 在框内签名`, `${name}, please sign in the box`) : t("请在框内签名", "Please sign in the box")}</p>`}
    ${problem && html`<${Note} kind="bad">${problem}<//>`}
    <div class="pair">
      ${!typing && html`<${Button} onClick=${clear} disabled=${busy}>${t("重签", "Clear")}<//>`}
      <${Button} kind="primary" busy=${busy} disabled=${!ready} onClick=${confirm}>${t("确认签名", "Confirm")}<//>
    </div>
    <button type="button" class="link" onClick=${() => { clear(); setTyping(!typing); }}>
      ${typing ? t("改为手写签名", "Sign by hand") : t("无法手写?键入姓名", "Cannot write by hand? Type the name")}</button>
  </div>`;
}

/** Where the pointer is, in the picture's pixels. @param {HTMLCanvasElement} board @param {PointerEvent} event */
function at(board, event) {
  const box = board.getBoundingClientRect();
  return { x: (event.clientX - box.left) * board.width / box.width, y: (event.clientY - box.top) * board.height / box.height };
}

/** @param {HTMLCanvasElement | OffscreenCanvas} board */
function pen(board) {
  return /** @type {CanvasRenderingContext2D} */ (board.getContext("2d"));
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {{x: number, y: number}} from
 * @param {{x: number, y: number}} to
 */
function line(ink, from, to) {
  Object.assign(ink, { strokeStyle: INK, lineWidth: 7, lineCap: "round", lineJoin: "round" });
  ink.beginPath();
  ink.moveTo(from.x, from.y);
  ink.lineTo(to.x, to.y);
  ink.stroke();
}

/**
 * The signature as a PNG on white, with who and when below: legible on paper whatever the screen's colours were.
 * @param {HTMLCanvasElement | null} strokes
 * @param {string} typed
 * @param {string[]} caption
 * @returns {Promise<Blob>}
 */
function picture(strokes, typed, caption) {
  const sheet = document.createElement("canvas");
  sheet.width = WIDTH;
  sheet.height = HEIGHT;
  const ink = pen(sheet);
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, WIDTH, HEIGHT);
  if (strokes) ink.drawImage(strokes, 0, 0);
  ink.fillStyle = INK;
  if (typed) {
    ink.font = "italic 96px serif";
    ink.fillText(typed, 40, HEIGHT / 2, WIDTH - 80);
  }
  ink.fillStyle = "#3b4652";
  ink.font = "26px sans-serif";
  ink.fillText(caption.filter(Boolean).join("  ·  "), 24, HEIGHT - 20, WIDTH - 48);
  return new Promise((resolve, reject) => sheet.toBlob(
    (blob) => (blob ? resolve(blob) : reject(new Error("the browser made no picture"))), "image/png"));
}
