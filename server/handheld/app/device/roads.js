// The roads that the map draws. Asked for with a sync when the last answer is a day old, or was for other scopes; serves
// `talking`. They are scenery, without which the map works: a failure goes into the device's log and ends no sync.

import { Problem } from "./client.js";

/** @import { Fields } from "./types.js" */
/** A road: the points of its parts as [lon, lat].
 * @typedef {{ name: string, width_m: number | null, parts: [number, number][][] }} Road */

const DAY_MS = 86_400_000;

/** What is kept: `kept roads`, and of their answer in `kept roads_asked` for which scopes (`of`) and when it was given (`at`),
 * its `tag`, since when the roads are the same (`got`), whether the last question `failed`.
 * @param {import("./exchange.js").Parts} parts @param {() => void} asking called when the server is asked */
export async function renewRoads({ store, client, events, clock }, asking) {
  const [asked, scopes] = await store.read(async (t) => [await t.setting("kept roads_asked", {}), await t.setting("scopes", [])]);
  const at = clock(), of = String(scopes);
  if (asked.of === of && Math.abs(at - asked.at) < DAY_MS) return;
  asking();
  try {
    const { headers, content } = await client.request("GET", "/roads", { tries: 1,
      headers: asked.tag ? { "If-None-Match": asked.tag } : {} });
    const roads = JSON.parse(new TextDecoder().decode(content)).features.map(roadOf);
    await store.write((t) => {
      t.set("kept roads", roads);
      t.set("kept roads_asked", { of, at, tag: headers.get("ETag"), got: at });
    });
  } catch (failure) {
    const same = failure instanceof Problem && failure.status === 304;
    if (!same && asked.failed) return; // it stands in the log
    await store.write((t) => {
      if (!same) events.note(t, "roads_failed", { detail: String(failure) });
      t.set("kept roads_asked", same ? { ...asked, of, at, failed: false } : { ...asked, failed: true });
    }).catch(() => undefined); // no room even for that line, which the next record to be kept says
  }
}

/** @param {Fields} feature @returns {Road} */
function roadOf({ properties: { name, carriageway_m: width_m }, geometry: { type, coordinates } }) {
  return { name, width_m, parts: type === "LineString" ? [coordinates] : coordinates };
}
