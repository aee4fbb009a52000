// Takes photographs into evidence: the exact bytes that the camera gave, signed into the chain before anything else. A
// live view where the browser has one, with the earlier picture laid over it for the same angle; else the phone's own
// camera. A shot that the disk has no room for stays in memory until it is kept (`unkept`).

import { t } from "../words.js";
import { ClockNote } from "./clock.js";
import { useDevice } from "./device.js";
import { failureWords } from "./failures.js";
import { near } from "./fix.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { useLocked } from "./locked.js";
import { Button, Choice, Note, Sheet } from "./page.js";
import { awaited, doubtOf, usePicture } from "./picture.js";
import { PositionLine, usePosition } from "./position.js";
import { ROLES, roleWords } from "./roles.js";
import { keepShots, useShots } from "./unkept.js";

/** @typedef {import("../device/types.d.ts").About} About */
/** @typedef {{take: () => Promise<Blob>, stop: () => void}} Lens */

/**
 * @param {{about: About, role?: string, scope: string, ghost?: string | null, note?: string, once?: boolean,
 *   onShot?: (photo: {id: string, role: string}) => unknown, onTaken?: () => void, onClose: () => void}} props
 *   without `role` the person chooses; `ghost` is the digest of the earlier picture; `once` closes after the first. `onShot`
 *   has the form write down each photo before it is evidence, and again when it is: a form that is left or killed in between
 *   finds it by its id. `onTaken` is told of each that is kept.
 */
export function Camera({ about, role, scope, ghost, note, once, onShot = () => {}, onTaken, onClose }) {
  const device = useDevice(), where = usePosition();
  const [chosen, setChosen] = useState(role ?? ROLES[0]), [taken, setTaken] = useState(0);
  const [problem, setProblem] = useState(""), [doubt, setDoubt] = useState(""), shots = useShots(), busy = shots.length > 0;
  const told = useRef(onShot);
  told.current = onShot;
  useEffect(() => () => { told.current = () => {}; }, []); // a form that was left hears of nothing any more
  useEffect(() => {
    if (once && taken && !busy && !doubt) onClose();
  }, [taken, busy]);

  /** @param {{photo: Blob, captured_at?: string}[]} photos */
  async function shoot(photos) {
    const named = photos.map((each) => ({ ...each, id: device.newId() }));
    for (const { id } of named) await told.current({ id, role: chosen });
    await keepShots(device, named.map(({ id, photo, captured_at }) => ({
      photo, captured: { id, about, role: chosen, scope,
        position: near(where.position, captured_at ? Date.parse(captured_at) : Date.now()),
        ...(captured_at ? { captured_at } : {}), ...(note ? { note } : {}) },
      onKept: () => {
        setProblem("");
        told.current({ id, role: chosen });
        onTaken?.();
        doubtOf(device, id).catch(failureWords).then((words) => {
          setDoubt((before) => words || before);
          setTaken((count) => count + 1);
        });
      } })));
  }

  if (shots.some((shot) => shot.problem)) return null; // told above everything; then it goes on here
  return html`<${Sheet} title=${role ? t(`拍照:${roleWords(role)}`, `Photo: ${roleWords(role)}`) : t("拍照", "Take photos")}
      onClose=${() => busy || onClose()}>
    <${View} ghost=${ghost ?? null} busy=${busy} onShot=${shoot} onProblem=${setProblem}
      done=${taken > 0 && html`<${Button} disabled=${busy} onClick=${onClose}>${t("完成", "Done")}<//>`}>
    ${problem && html`<${Note} kind="bad">${problem}<//>`}
    ${doubt && html`<${Note} kind="warn">${doubt}<//>`}
    ${taken > 0 && html`<${Note} kind="ok">${t(`已拍 ${taken} 张,已存在本机。`, `${taken} taken and kept on this device.`)}<//>`}
    ${!role && html`<${Choice} label=${t("这张拍的是", "This one shows")} value=${chosen} onChange=${setChosen}
      options=${ROLES.map((value) => ({ value, label: roleWords(value) }))} />`}
    <${ClockNote} /><${PositionLine} ...${where} /><//><//>`;
}

/** The picture, what is said above it, and the buttons below, which are always in view.
 * @param {{ghost: string | null, busy: boolean, done: any, children?: any, onShot: (photos: {photo: Blob, captured_at?: string}[]) => Promise<void>,
 *   onProblem: (words: string) => void}} props */
function View({ ghost, busy, done, children, onShot, onProblem }) {
  const video = useRef(/** @type {HTMLVideoElement | null} */ (null)), lens = useRef(/** @type {Lens | null} */ (null));
  const [live, setLive] = useState(/** @type {boolean | null} */ (null)), [strength, setStrength] = useState(45), [taking, setTaking] = useState(false);
  const earlier = usePicture(ghost), locked = useLocked();
  useEffect(() => {
    if (locked) return undefined;
    let over = false;
    openLens(/** @type {HTMLVideoElement} */ (video.current)).then((opened) => {
      if (over) return opened?.stop();
      lens.current = opened;
      setLive(opened !== null);
    }, (failure) => onProblem(failureWords(failure)));
    return () => {
      over = true;
      lens.current?.stop();
      lens.current = null;
      setLive(null);
    };
  }, [locked]);
  async function take() {
    setTaking(true); // a camera takes its time
    try {
      await onShot([{ photo: await /** @type {Lens} */ (lens.current).take() }]);
    } catch (failure) {
      onProblem(`${t("相机没有拍成,请再按一次,或用手机相机。", "The camera gave no picture: try again, or use the phone's camera.")} ${failureWords(failure)}`);
    }
    setTaking(false);
  }
  /** @param {Event & {currentTarget: HTMLInputElement}} event */
  async function chosen(event) {
    const input = event.currentTarget;
    await onShot(Array.from(input.files ?? [], (photo) => ({ photo, captured_at: madeAt(photo) })));
    input.value = "";
  }
  return html`<div class="camera"><div class="told">${children}
    ${earlier && live && html`<label class="strength">${t("旧照深浅", "Earlier picture")}
      <input type="range" min="0" max="90" value=${strength} onInput=${(/** @type {any} */ event) => setStrength(Number(event.currentTarget.value))} /></label>`}
    ${ghost && earlier === null && html`<${Note} kind="wait">${awaited(t("先前的照片", "The earlier picture"))}<//>`}</div>
    <div class="viewfinder" hidden=${live !== true && !earlier}>
      <video ref=${video} playsinline muted hidden=${live !== true} aria-label=${t("取景画面", "Live view")}></video>
      ${earlier && html`<img class=${live ? "ghost" : "beside"} src=${earlier} alt=${t("先前的照片,请对准同一角度", "The earlier picture: match its angle")}
        style=${live ? { opacity: strength / 100 } : {}} />`}</div>
    <div class="actions">${live && html`<${Button} kind="primary" busy=${busy || taking} onClick=${take}>${t("按快门", "Shutter")}<//>`}
    <label class="button ${live ? "plain" : "primary"} file">${t("用手机相机拍", "Phone's camera")}
      <input type="file" accept="image/*" capture="environment" multiple disabled=${busy} onChange=${chosen} /></label>${done}</div></div>`;
}

/** When the file was made, where its clock can be believed: a camera's file is as old as its picture. @param {File} file */
function madeAt(file) {
  return file.lastModified > 0 && file.lastModified <= Date.now() ? new Date(file.lastModified).toISOString() : undefined;
}

/**
 * A live view whose pictures are the camera's own files; null where the browser has none, or it is not allowed.
 * @param {HTMLVideoElement} video
 * @returns {Promise<Lens | null>}
 */
async function openLens(video) {
  const Capture = /** @type {any} */ (globalThis).ImageCapture;
  if (!Capture || !navigator.mediaDevices?.getUserMedia) return null;
  /** @type {MediaStream | undefined} */
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: {
      facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1440 } } });
    video.srcObject = stream;
    await video.play();
    const [track] = stream.getVideoTracks(), capture = new Capture(track);
    return { take: () => capture.takePhoto(), stop: () => track.stop() };
  } catch (failure) {
    stream?.getTracks().forEach((track) => track.stop()); // a view that was left while it opened
    if (failure instanceof DOMException) return null; // no camera or not allowed: the phone's own camera is left
    throw failure;
  }
}
