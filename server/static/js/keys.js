// Keys: j and k walk through rows or photos, c claims, a r x e or 1 2 3 choose, Ctrl+Enter submits.

const TYPING = "input:not([type=radio]):not([type=checkbox]), textarea, select";

export function watchKeys(root) {
  root.addEventListener("keydown", (event) => {
    const row = root.activeElement?.closest("[data-row]");
    const form = (row ?? root).querySelector("form.decide");
    if (event.key === "Enter" && event.ctrlKey && form) return form.requestSubmit(form.querySelector(".primary"));
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches(TYPING)) return;
    if (root.querySelector(".viewer-in")) return; // the large viewer has keys of its own
    const step = { j: 1, k: -1 }[event.key];
    if (step) walk(root, step, event);
    else if (event.key === "c") row?.querySelector("[data-claim]")?.click();
    else if (form) choose(form, event);
  });
}

function walk(root, step, event) {
  const rows = [...root.querySelectorAll("[data-row] [data-open]")];
  if (rows.length) {
    const at = rows.findIndex((row) => row.closest("[data-row]").contains(root.activeElement));
    rows[Math.min(Math.max(at + step, 0), rows.length - 1)].focus();
    event.preventDefault();
    return;
  }
  const tabs = [...root.querySelectorAll("[role=tab]")];
  const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  tabs[at + step]?.click();
}

// One key, one choice; on a card with several questions it answers all of them alike.
function choose(form, event) {
  const radios = [...form.querySelectorAll(`input[data-key~="${CSS.escape(event.key)}"]:enabled`)];
  if (!radios.length) return;
  radios.forEach((radio) => { radio.checked = true; });
  radios[0].focus();
  event.preventDefault();
}
