// Where the person is: the part of the address behind `#`, which the browser's own back button knows.

import { useEffect, useState } from "./html.js";

/** @typedef {{pattern: string, screen: string}} Place */
/** @typedef {{path: string, query: Record<string, string>}} Route */

/** @returns {Route} */
export function route() {
  const [path, query] = location.hash.replace(/^#/, "").split("?", 2);
  return { path: path || "/", query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/** @param {string} path @param {{replace?: boolean}} [how] */
export function go(path, { replace = false } = {}) {
  if (replace) {
    history.replaceState(history.state, "", `#${path}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = path;
  }
}

/** One step back, or to `otherwise` where this page was the first. @param {string} otherwise */
export function goBack(otherwise) {
  if (history.length > 1 && visited > 0) history.back();
  else go(otherwise, { replace: true });
}

/** From a page that is over to another: back to it where one came from there, so that it lies behind no second time. @param {string} path */
export function leaveFor(path) {
  if (history.state?.from === path) history.back();
  else go(path, { replace: true });
}

let visited = 0;
addEventListener("hashchange", ({ oldURL }) => {
  visited += 1;
  if (oldURL && !history.state) history.replaceState({ from: oldURL.split("#")[1] }, ""); // a new page; one that was gone back to has its own
});

/** @returns {Route} */
export function useRoute() {
  const [now, setNow] = useState(route);
  useEffect(() => {
    const look = () => setNow(route());
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return now;
}

/**
 * The members that a path gives to a pattern such as `/findings/:id`, null where it does not fit.
 * @param {string} pattern
 * @param {string} path
 * @returns {Record<string, string> | null}
 */
export function fits(pattern, path) {
  const names = pattern.split("/"), parts = path.split("/");
  if (names.length !== parts.length) return null;
  /** @type {Record<string, string>} */
  const found = {};
  for (const [place, name] of names.entries()) {
    if (name.startsWith(":")) found[name.slice(1)] = decoded(parts[place]);
    else if (name !== parts[place]) return null;
  }
  return found;
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part; // typed by hand: taken as it stands
    throw error;
  }
}
