// What runs whatever screen is shown: the lock, the patrol's track, asking for syncs.

import { usePatrol } from "./duty.js";
import { html } from "./html.js";
import { Lock } from "./lock.js";
import { usePulse } from "./pulse.js";
import { Screen } from "./screen.js";

export function Shell() {
  usePatrol();
  usePulse();
  return html`<${Lock}><${Screen} /><//>`;
}
