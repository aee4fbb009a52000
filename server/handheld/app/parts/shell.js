// What runs whatever screen is shown: the lock, the patrol's track, asking for syncs.

import { usePatrol } from "./duty.js";
import { html } from "./html.js";
import { Lock } from "./lock.js";
import { usePulse } from "./pulse.js";
import { Screen } from "./screen.js";

/** @param {{language: string}} props */
export function Shell({ language }) {
  usePatrol();
  usePulse();
  return html`<${Lock}><${Screen} key=${language} /><//>`; // only the screen begins anew in another language: an open lock stays open
}
