// How the app looks to this person: language, light or dark, size of text. Kept where the first paint can read it.

import { useEffect, useState } from "./html.js";
import { choose, language } from "../words.js";

const THEME = "menqian-theme", TEXT = "menqian-text", CHANGED = "menqian-appearance";

/** @typedef {{language: "zh" | "en", theme: string, text: string}} Appearance */

/** @returns {Appearance} */
export function appearance() {
  return { language: language(), theme: localStorage.getItem(THEME) ?? "auto", text: localStorage.getItem(TEXT) ?? "normal" };
}

/** @param {Partial<Appearance>} change */
export function setAppearance(change) {
  if (change.language) choose(change.language);
  if (change.theme) localStorage.setItem(THEME, change.theme);
  if (change.text) localStorage.setItem(TEXT, change.text);
  applyAppearance();
  dispatchEvent(new Event(CHANGED));
}

/** Put it on the page; before anything is drawn, so that nothing flashes. */
export function applyAppearance() {
  const { theme, text } = appearance(), root = document.documentElement;
  choose(language());
  root.dataset.theme = theme;
  root.dataset.text = text;
}

/** Drawn again when it changes, here or in another tab. */
export function useAppearance() {
  const [now, setNow] = useState(appearance);
  useEffect(() => {
    const look = () => {
      applyAppearance();
      setNow(appearance());
    };
    addEventListener(CHANGED, look);
    addEventListener("storage", look);
    return () => {
      removeEventListener(CHANGED, look);
      removeEventListener("storage", look);
    };
  }, []);
  return now;
}
