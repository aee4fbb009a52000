// A plain map without foreign tiles: roads as lines, zones as outlines, points with their circles of accuracy.

const INK = { road: "#c3ccc8", zone: "#7a8a84", chosen: "#0d5c55", record: "#14211d", device: "#1f5fb4", file: "#9a5b00" };
const SOMEWHERE = [31.81, 119.97]; // until something is drawn
const NAMES = { record: "记录 record", device: "设备 device", file: "文件 file" };

export async function drawMap(element) {
  const L = window.L;
  const map = L.map(element, { attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: false, maxZoom: 22 })
    .setView(SOMEWHERE, 16);
  L.control.scale({ imperial: false }).addTo(map);
  // The map itself is the one stop: it takes the arrow keys, + and -, which the buttons would only repeat.
  for (const button of element.querySelectorAll(".leaflet-control-zoom a")) button.tabIndex = -1;
  const answer = await fetch(element.dataset.map, { headers: { Accept: "application/json" } });
  if (!answer.ok) return void (element.textContent = "地图暂不可用 The map is not available");
  const features = (await answer.json()).features;
  L.geoJSON(features.filter(isLine), {
    style: { color: INK.road, weight: 5 },
    onEachFeature: ({ properties }, layer) => passOver(layer.bindTooltip(words(properties.name, properties.section))),
  }).addTo(map);
  const zones = L.geoJSON(features.filter((one) => one.geometry.type !== "Point" && !isLine(one)), {
    style: ({ properties }) => properties.chosen
      ? { color: INK.chosen, weight: 2.5, fillOpacity: 0.2 } : { color: INK.zone, weight: 1, fillOpacity: 0.08 },
    onEachFeature: ({ properties }, layer) => passOver(layer.bindTooltip(words(properties.name, properties.party?.name))),
  }).addTo(map);
  const points = features.filter((one) => one.geometry.type === "Point").map((one) => drawPoint(L, map, one));
  const shown = L.featureGroup(points.length ? points : [zones]);
  const bounds = shown.getBounds();
  if (bounds.isValid()) map.fitBounds(bounds.pad(points.length ? 0.4 : 0.05), { maxZoom: 20 });
}

function isLine({ geometry }) {
  return geometry.type.endsWith("LineString");
}

function drawPoint(L, map, { geometry, properties }) {
  const [lon, lat] = geometry.coordinates;
  const color = INK[properties.what];
  const dot = { radius: properties.what === "record" ? 6 : 5, color, weight: 2, fillColor: "#fff", fillOpacity: 1 };
  const accuracy = properties.accuracy_m == null ? "" : `±${properties.accuracy_m} m`;
  const group = L.featureGroup();
  if (properties.accuracy_m > 0)
    L.circle([lat, lon], { radius: properties.accuracy_m, color, weight: 1, fillOpacity: 0.06, interactive: false })
      .addTo(group);
  passOver(L.circleMarker([lat, lon], dot).bindTooltip(words(NAMES[properties.what], accuracy))).addTo(group);
  return group.addTo(map);
}

// A shape that listens for its tooltip's focus would be a tab stop of its own: hundreds before what follows the map.
function passOver(layer) {
  return layer.on("add", () => layer.getElement().setAttribute("tabindex", "-1"));
}

function words(...parts) {
  const element = document.createElement("span");
  element.textContent = [...new Set(parts.filter(Boolean))].join(" · ");
  return element;
}
