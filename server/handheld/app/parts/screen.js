// Shows the screen of the address. One that fails says so in words and leaves the others alone.

import { t } from "../words.js";
import { ROUTES } from "../routes.js";
import { failureWords } from "./failures.js";
import { html, useEffect, useErrorBoundary, useState } from "./html.js";
import { Button, Note, Page } from "./page.js";
import { fits, useRoute } from "./router.js";
import Sync from "../screens/sync.js";
import Today from "../screens/today.js";

/** What tells how things stand is there from the start. @type {Map<string, any>} */
const loaded = new Map(/** @type {[string, any][]} */ ([["today", Today], ["sync", Sync]]));

/** @param {string} screen */
async function load(screen) {
  const module = await import(`../screens/${screen}.js`);
  loaded.set(screen, module.default);
}

/** All screens, one by one, while nothing else is to be done: the network may be gone before they are asked for. */
export async function loadAll() {
  for (const screen of new Set(ROUTES.map((place) => place.screen))) {
    if (!loaded.has(screen)) await load(screen).catch((failure) => console.warn(failure)); // told where it is asked for
  }
}

/** @param {string} path */
function found(path) {
  for (const { pattern, screen } of ROUTES) {
    const params = fits(pattern, path);
    if (params) return { screen, params };
  }
  return null;
}

export function Screen() {
  const { path, query } = useRoute();
  const place = found(path);
  if (!place) {
    return html`<${Page} title=${t("没有这一页", "No such page")} back="/">
      <${Note} kind="warn">${t("地址有误。请回到首页。", "The address is wrong. Go back to the start.")}<//><//>`;
  }
  return html`<${Guarded} key=${path} screen=${place.screen} params=${{ ...query, ...place.params }} />`;
}

/** @param {{screen: string, params: Record<string, string>}} props */
function Guarded({ screen, params }) {
  const [failure, tryAgain] = useErrorBoundary((error) => console.error(error));
  if (failure && !loaded.has(screen)) {
    return html`<${Page} title=${t("这一页还没下载", "This screen is not here yet")} back="/">
      <${Note} kind="warn">${t("连上网络后再打开一次;之后没有网络也能用。已存下的都还在。",
        "Open it once with a network; after that it works without. All that was kept is safe.")}<//>
      <${Button} kind="primary" onClick=${() => location.reload()}>${t("再试一次", "Try again")}<//><//>`;
  }
  if (failure) {
    return html`<${Page} title=${t("这一页出了问题", "This page failed")} back="/">
      <${Note} kind="bad"><p>${failureWords(failure)}</p>
        ${failure.name !== "StoreRemoved" && html`<p>${t("已存下的记录和照片都还在。", "Records and photos that were kept are safe.")}</p>`}<//>
      <${Button} kind="primary" onClick=${tryAgain}>${t("再试一次", "Try again")}<//><//>`;
  }
  return html`<${Loaded} screen=${screen} params=${params} />`;
}

/** @param {{screen: string, params: Record<string, string>}} props */
function Loaded({ screen, params }) {
  const [, drawAgain] = useState(0);
  const [failure, setFailure] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    if (!loaded.has(screen)) load(screen).then(() => drawAgain((times) => times + 1), setFailure);
  }, [screen]);
  if (failure) throw failure;
  const Shown = loaded.get(screen);
  return Shown ? html`<${Shown} params=${params} />` : null;
}
