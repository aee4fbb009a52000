// The photos of a record: the strip chooses one, the large viewer zooms and turns it. Turning changes no file.

export function showPhotos(section) {
  const tabs = [...section.querySelectorAll("[role=tab]")];
  const panels = [...section.querySelectorAll("[data-panel]")];
  const show = (chosen) => {
    tabs.forEach((tab, at) => tab.setAttribute("aria-selected", String(at === chosen)));
    panels.forEach((panel, at) => { panel.hidden = at !== chosen; });
    tabs[chosen].scrollIntoView({ block: "nearest", inline: "nearest" });
    prefetch(panels[chosen + 1]);
  };
  tabs.forEach((tab, at) => tab.addEventListener("click", (event) => { event.preventDefault(); show(at); }));
  for (const link of document.querySelectorAll("[data-show]"))
    link.addEventListener("click", (event) => { event.preventDefault(); show(Number(link.dataset.show) - 1); });
  show(Math.max(0, tabs.findIndex((tab) => tab.hash === location.hash)));
  enlarge(section);
}

function prefetch(panel) {
  const picture = panel?.querySelector("[data-large]");
  if (picture?.src) new Image().src = picture.src;
}

function enlarge(section) {
  const pictures = [...section.querySelectorAll("img[data-large]")];
  if (!pictures.length || !window.Viewer) return;
  const viewer = new window.Viewer(section, {
    filter: (picture) => picture.hasAttribute("data-large"),
    title: [1, (picture) => picture.alt],
    toolbar: { zoomIn: 1, zoomOut: 1, oneToOne: 1, reset: 1, prev: 1, next: 1, rotateLeft: 1, rotateRight: 1 },
    transition: false,
  });
  for (const button of section.querySelectorAll("[data-zoom]"))
    button.addEventListener("click", () => {
      viewer.view(pictures.indexOf(button.closest("[data-panel]").querySelector("[data-large]")));
    });
}
