// A newer edition is offered, never forced: shown on the first screen, taken by a tap.

import { t } from "../words.js";
import { html, useEffect, useState } from "./html.js";
import { Button } from "./page.js";
import { useRoute } from "./router.js";
import { applyUpdate, onWorker, workerStanding } from "./worker.js";

/** How the app itself stands: kept for use without a network, a newer edition ready, or the last one not kept. */
export function useWorker() {
  const [standing, setStanding] = useState(workerStanding());
  useEffect(() => {
    setStanding(workerStanding());
    return onWorker(setStanding);
  }, []);
  return standing;
}

/** Nothing while this is the newest edition, and nothing but on the first screen: elsewhere something may be half done.
 * @param {{always?: boolean}} props */
export function UpdateOffer({ always = false }) {
  const { update } = useWorker(), { path } = useRoute();
  const [busy, setBusy] = useState(false), [later, setLater] = useState(false);
  if (!update || later || !(always || path === "/")) return null;
  const take = () => {
    setBusy(true);
    applyUpdate();
  };
  return html`<section class="update" role="status"><p>${t("新版本已就绪。已存下的内容不受影响,不急可稍后。",
    "A newer version is ready. Nothing that is kept is touched by it; it may wait.")}</p>
    <div class="buttons"><${Button} kind="primary" busy=${busy} onClick=${take}>${t("更新", "Update")}<//>
    <${Button} onClick=${() => setLater(true)}>${t("稍后", "Later")}<//></div></section>`;
}
