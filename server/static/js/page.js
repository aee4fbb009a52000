// The entry of every page: keys, photos, their copies, map and news where the page has them, and a word when the network fails.
import { watchKeys } from "./keys.js";
import { showPhotos } from "./photos.js";
import { coverBoxes } from "./redaction.js";
import { drawMap } from "./map.js";
import { listen } from "./live.js";

watchKeys(document);

// On a narrow screen the strip of pages scrolls: the page one is on comes into sight, with its neighbours.
const current = document.querySelector(".top nav [aria-current]");
if (current) {
  const strip = current.parentElement;
  const ahead = current.getBoundingClientRect().left - strip.getBoundingClientRect().left;
  strip.scrollLeft += ahead - (strip.clientWidth - current.offsetWidth) / 2;
}

for (const section of document.querySelectorAll("[data-photos]")) showPhotos(section);
for (const form of document.querySelectorAll("form.redaction")) coverBoxes(form);
for (const element of document.querySelectorAll("[data-map]")) drawMap(element);
for (const notice of document.querySelectorAll("[data-live]")) listen(notice);

// Who types a third value has chosen it.
document.body.addEventListener("input", ({ target }) => {
  const radio = target.closest(".third")?.querySelector("[type=radio]");
  if (radio) radio.checked = true;
});

document.body.addEventListener("htmx:sendError", (event) => {
  const answer = event.detail.elt.querySelector(".answer");
  if (answer) answer.textContent = "网络不通,内容未提交,请重试。 No network: nothing was sent, please try again.";
});
