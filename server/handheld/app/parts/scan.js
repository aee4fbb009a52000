// Reads a QR code with the camera: by the browser's own detector where it has one, else by `qr`. Without a camera a
// picture of the code can be chosen, or what stands below it typed.

import { t } from "../words.js";
import { failureWords } from "./failures.js";
import { Button, Field, Note, Sheet } from "./page.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { useLocked } from "./locked.js";

/** @typedef {(source: HTMLVideoElement | ImageBitmap) => Promise<string | null>} Decode */

const EVERY_MS = 150, WIDEST = 800;

/** @returns {Promise<Decode>} */
export async function decoder() {
  const Detector = /** @type {any} */ (globalThis).BarcodeDetector;
  if (Detector && (await Detector.getSupportedFormats()).includes("qr_code")) {
    const detector = new Detector({ formats: ["qr_code"] });
    return async (source) => (await detector.detect(source))[0]?.rawValue ?? null;
  }
  const { default: decodeQR } = await import("../vendor/qr/decode.js");
  const canvas = document.createElement("canvas");
  return async (source) => {
    try {
      return decodeQR(pixels(source, canvas));
    } catch (failure) {
      if (failure instanceof Error) return null; // its way to say that there is no code, or none that can be read
      throw failure;
    }
  };
}

/** @param {HTMLVideoElement | ImageBitmap} source @param {HTMLCanvasElement} canvas */
function pixels(source, canvas) {
  const [wide, high] = source instanceof HTMLVideoElement ? [source.videoWidth, source.videoHeight]
    : [source.width, source.height];
  const scale = Math.min(1, WIDEST / Math.max(wide, high, 1));
  [canvas.width, canvas.height] = [Math.max(1, Math.round(wide * scale)), Math.max(1, Math.round(high * scale))];
  const paper = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  paper.drawImage(source, 0, 0, canvas.width, canvas.height);
  return paper.getImageData(0, 0, canvas.width, canvas.height);
}

/**
 * A sheet that closes nothing by itself: `onRead` gets the text once.
 * @param {{title: string, typed?: string, onRead: (text: string) => void, onClose: () => void}} props
 *   `typed` labels the field for what cannot be scanned
 */
export function Scan({ title, typed, onRead, onClose }) {
  const video = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const [problem, setProblem] = useState(""), [text, setText] = useState("");
  const [live, setLive] = useState(true);
  const locked = useLocked();
  const told = useRef(onRead);
  told.current = onRead; // what its owner knows by then
  useEffect(() => {
    if (locked) return undefined;
    setLive(true);
    return watch(/** @type {HTMLVideoElement} */ (video.current), (read) => told.current(read), () => setLive(false));
  }, [locked]);
  /** @param {Event & {currentTarget: HTMLInputElement}} event */
  async function choose(event) {
    const input = event.currentTarget, file = input.files?.[0];
    if (!file) return;
    input.value = ""; // so that it can be chosen again
    try {
      const found = await fromPicture(file);
      if (found) onRead(found);
      else setProblem(t("这张照片里没有读到二维码。请靠近、对正再拍一张。", "No code was found in this picture. Take one nearer and straight."));
    } catch (failure) {
      setProblem(failureWords(failure));
    }
  }
  return html`<${Sheet} title=${title} onClose=${onClose}>
    <div class="viewfinder" hidden=${!live}><video ref=${video} playsinline muted
      aria-label=${t("摄像头画面,把二维码放在中间", "Camera picture; hold the code in the middle")}></video></div>
    ${!live && html`<${Note} kind="warn">${t("摄像头用不了(没有,或未允许)。可以拍一张照片来读,或手工输入。",
      "The camera cannot be used (none, or not allowed). Take a picture of the code, or type it.")}<//>`}
    ${problem && html`<${Note} kind="bad">${problem}<//>`}
    <label class="button plain file">${t("用照片识别", "Read from a picture")}
      <input type="file" accept="image/*" capture="environment" onChange=${choose} /></label>
    ${typed && html`<form onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      if (text.trim()) onRead(text.trim());
    }}><${Field} label=${typed}><input name="typed" value=${text} autocomplete="off"
        onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /><//>
      <${Button} type="submit" disabled=${!text.trim()}>${t("用这个编号", "Use this")}<//></form>`}
  <//>`;
}

/** @param {Blob} file */
async function fromPicture(file) {
  const picture = await createImageBitmap(file).catch((failure) => {
    if (failure instanceof DOMException) return null; // no picture that this browser can open: it has no code either
    throw failure;
  });
  const found = picture && await (await decoder())(picture);
  picture?.close(); // a photograph weighs fifty megabytes
  return found;
}

/**
 * Look through the camera until a code is read; gives the way to stop.
 * @param {HTMLVideoElement} video
 * @param {(text: string) => void} onRead
 * @param {() => void} onNone
 */
function watch(video, onRead, onNone) {
  let over = false;
  /** @type {MediaStream | null} */
  let stream = null;
  const stop = () => {
    over = true;
    stream?.getTracks().forEach((track) => track.stop());
  };
  async function look() {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" } } });
    if (over) return stop();
    video.srcObject = stream;
    await video.play();
    const decode = await decoder();
    while (!over) {
      const found = video.readyState >= 2 ? await decode(video) : null;
      if (found && !over) {
        stop();
        return onRead(found);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
  look().catch((failure) => {
    const wanted = !over;
    stop();
    if (!(failure instanceof DOMException || failure instanceof TypeError)) throw failure;
    if (wanted) onNone(); // no camera, not allowed, or a page without a secure address
  });
  return stop;
}
