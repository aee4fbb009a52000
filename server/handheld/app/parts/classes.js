// Which class of the standard: favourites and recent ones at one tap, all others by name, code or first letters.

import { language, t } from "../words.js";
import { useKept } from "./device.js";
import { html, useMemo, useState } from "./html.js";
import { initials } from "./pinyin.js";
import { useReference } from "./reference.js";
import { tried } from "./tried.js";

/** `name` is in the chosen language, `zh` the standard's. @typedef {{scheme: string, code: string, name: string, zh: string}} Class */

const RECENT_MOST = 6, FOUND_MOST = 30;

/** @param {{scheme: string, code: string}} one */
const keyOf = ({ scheme, code }) => `${scheme}/${code}`;

/**
 * The classes that a finding can have: those that are no mere heading of others.
 * @returns {Class[]}
 */
export function useClasses() {
  const { classes } = useReference(), spoken = language();
  return useMemo(() => {
    const below = new Set(classes.filter((/** @type {Class} */ one) => one.code.length > 2)
      .map((/** @type {Class} */ one) => `${one.scheme}/${one.code.slice(0, 2)}`));
    return classes.filter((/** @type {Class} */ one) => !below.has(keyOf(one)))
      .map((/** @type {any} */ one) => ({ ...one, zh: one.name, name: t(one.name, one.name_en) }));
  }, [classes, spoken]);
}

/** The name of a record's class, its code where the name is not known here. @param {Record<string, any>} fields @param {Class[]} classes */
export function className({ class_scheme, class_code }, classes) {
  return classes.find(({ scheme, code }) => scheme === class_scheme && code === class_code)?.name ?? class_code ?? t("未分类", "no class");
}

/**
 * Classes in which all that is typed is found: in a name, at the start of the code, or among the first letters.
 * @param {Class[]} classes
 * @param {string} typed
 */
function matching(classes, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return [];
  const ranks = classes.map((one) => ({ one, rank: rankOf(one, wanted) })).filter(({ rank }) => rank < 9);
  return ranks.sort((a, b) => a.rank - b.rank).slice(0, FOUND_MOST).map(({ one }) => one);
}

/** @param {Class} one @param {string} wanted */
function rankOf({ name, zh, code }, wanted) {
  const letters = initials(zh), places = [name, zh].map((one) => one.toLowerCase().indexOf(wanted));
  if (places.includes(0) || code === wanted) return 0;
  if (code.startsWith(wanted) || letters.startsWith(wanted)) return 1;
  return Math.max(...places) > 0 || letters.includes(wanted) ? 2 : 9;
}

/**
 * @param {{value: {scheme: string, code: string} | null, onChange: (chosen: Class) => void}} props
 */
export function ClassPicker({ value, onChange }) {
  const classes = useClasses(), [typed, setTyped] = useState("");
  const [favourites, putFavourites] = useKept("favourite-classes", /** @type {string[]} */ ([]));
  const [recent, putRecent] = useKept("recent-classes", /** @type {string[]} */ ([]));
  const byKey = useMemo(() => new Map(classes.map((one) => [keyOf(one), one])), [classes]);
  const chosen = value ? byKey.get(keyOf(value)) ?? { ...value, name: value.code } : null;
  const quick = [...new Set([...favourites ?? [], ...recent ?? []])].map((key) => byKey.get(key))
    .filter((one) => one !== undefined).slice(0, RECENT_MOST + (favourites?.length ?? 0));
  const found = matching(classes, typed), isFavourite = Boolean(chosen && favourites?.includes(keyOf(chosen)));

  /** @param {Class} one */
  function choose(one) {
    tried(() => putRecent([keyOf(one), ...(recent ?? []).filter((key) => key !== keyOf(one))].slice(0, RECENT_MOST)));
    setTyped("");
    onChange(one);
  }
  function star() {
    if (!chosen) return;
    const others = (favourites ?? []).filter((key) => key !== keyOf(chosen));
    tried(() => putFavourites(isFavourite ? others : [...others, keyOf(chosen)]));
  }
  return html`<div class="class-picker">
    ${chosen && html`<p class="chosen-class"><strong>${chosen.name}</strong> <small>${chosen.code}</small>
      <button type="button" class="square" aria-pressed=${isFavourite} aria-label=${t("常用", "Favourite")} onClick=${star}>
        ${isFavourite ? "★" : "☆"}</button></p>`}
    <input type="search" value=${typed} autocomplete="off" enterkeyhint="search" aria-label=${t("搜索类别", "Search classes")}
      placeholder=${t("名称、编号或拼音首字母", "name, code or pinyin initials")}
      onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)} />
    ${typed.trim() ? html`<ul class="found" aria-label=${t("找到的类别", "Classes found")}>
        ${found.map((one) => html`<li key=${keyOf(one)}><button type="button" class="row" onClick=${() => choose(one)}>
          <span class="text"><span>${one.name}</span><small>${one.code} ${kindWords(one.scheme)}</small></span></button></li>`)}
        ${!found.length && html`<li class="hint">${t("没有这样的类别", "No class like that")}</li>`}</ul>`
      : quick.length > 0 && html`<div class="pills" role="group" aria-label=${t("常用和最近", "Favourite and recent")}>
        ${quick.map((one) => html`<button type="button" key=${keyOf(one)} class="pill" aria-pressed=${chosen !== null && keyOf(one) === keyOf(chosen)}
          onClick=${() => choose(one)}>${favourites?.includes(keyOf(one)) ? "★ " : ""}${one.name}</button>`)}</div>`}
  </div>`;
}

/** @param {string} scheme */
function kindWords(scheme) {
  if (scheme.endsWith(":event")) return t("事件", "event");
  return scheme.endsWith(":component") ? t("部件", "component") : scheme;
}
