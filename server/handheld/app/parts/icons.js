// The few signs of the shell, drawn as paths; what they mean is always said in words beside them.

import { html } from "./html.js";

const PATHS = {
  today: "M4 11 12 4l8 7v9h-5v-6H9v6H4z",
  findings: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  find: "M12 5v14M5 12h14",
  tasks: "M9 4h6v3H9zM7 5H5v16h14V5h-2M9 14l2 2 4-5",
  sync: "M20 12a8 8 0 0 1-14 5M4 12a8 8 0 0 1 14-5M18 3v4h-4M6 21v-4h4",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6 6 18",
  settings: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5M8.5 14.5v5",
  map: "M9 5 4 7v13l5-2 6 2 5-2V5l-5 2zM9 5v13M15 7v13",
  camera: "M4 8h4l2-3h4l2 3h4v11H4zM12 17a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7",
  inspect: "M6 4h12v16H6zM9 9l1.5 1.5L13 8M9 15l1.5 1.5L13 14M15 10h1M15 16h1",
  register: "M5 5h14v15H5zM5 10h14M9 3v4M15 3v4M9 15l2 2 4-4",
  letter: "M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h4",
  enforcement: "M14 4l6 6-3 1-5 5-4-4 5-5zM4 20l6-6M13 20h7",
  conflicts: "M7 4v10M4 11l3 3 3-3M17 20V10M14 13l3-3 3 3",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  duty: "M12 21s7-6.2 7-11a7 7 0 1 0-14 0c0 4.8 7 11 7 11zM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M8 8h3v3H8zM14 14h2v2h-2zM14 8h2v2h-2zM8 14h2v2H8z",
};

/** @typedef {keyof typeof PATHS} Sign */

/** @param {{of: Sign}} props */
export function Icon({ of }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[of]} /></svg>`;
}
