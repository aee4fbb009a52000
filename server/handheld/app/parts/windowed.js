// A long list of rows of one height, of which only those in the window are in the page.

import { html, useLayoutEffect, useRef, useState } from "./html.js";

const USUAL_TEXT_PX = 16;
const BEYOND = 8; // rows drawn above and below the window, for a fast thumb

/**
 * @template T
 * @param {{items: T[], row: number, keyOf: (item: T) => string, draw: (item: T) => any, label: string}} props `row`: its height in px
 *   with text of the usual size; larger text has higher rows
 */
export function Windowed({ items, row: usual, keyOf, draw, label }) {
  const [row] = useState(() => Math.ceil(usual * parseFloat(getComputedStyle(document.documentElement).fontSize) / USUAL_TEXT_PX));
  const list = useRef(/** @type {HTMLUListElement | null} */ (null)), [first, setFirst] = useState(0);
  const shown = Math.ceil(window.innerHeight / row) + 2 * BEYOND;
  useLayoutEffect(() => {
    let asked = 0;
    const look = () => {
      asked = 0;
      const top = list.current?.getBoundingClientRect().top ?? 0;
      setFirst(Math.max(0, Math.floor(-top / row) - BEYOND));
    };
    const ask = () => { asked ||= requestAnimationFrame(look); };
    addEventListener("scroll", ask, { passive: true });
    addEventListener("resize", ask);
    look();
    return () => {
      cancelAnimationFrame(asked);
      removeEventListener("scroll", ask);
      removeEventListener("resize", ask);
    };
  }, [row, items.length]);
  const from = Math.min(first, Math.max(0, items.length - shown)), to = Math.min(items.length, from + shown);
  return html`<ul class="windowed" ref=${list} aria-label=${label} style=${{ height: `${items.length * row}px` }}>
    ${items.slice(from, to).map((item, n) => html`<li key=${keyOf(item)} aria-setsize=${items.length} aria-posinset=${from + n + 1}
      style=${{ transform: `translateY(${(from + n) * row}px)`, height: `${row}px` }}>${draw(item)}</li>`)}</ul>`;
}
