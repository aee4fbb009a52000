// What a form names before it is made: the ids of photos and findings stand in the form first, so that one that is left or
// killed in between finds what was made, and makes nothing twice.

/** @typedef {{id: string, role: string}} Photo */

/**
 * A form's list with a photo that is being taken; one that it names already stays.
 * @template {Photo} T
 * @param {T[] | undefined} photos
 * @param {T} photo
 */
export function withPhoto(photos, photo) {
  return photos?.some((one) => one.id === photo.id) ? photos : [...photos ?? [], photo];
}

/** Made once is made for ever, and not asked again. @type {WeakMap<import("../device/types.d.ts").Device, Set<string>>} */
const known = new WeakMap();

/**
 * Those of these ids that a record was made under on this device, be it deleted since.
 * @param {import("../device/types.d.ts").Device} device
 * @param {string[]} ids
 */
export async function madeOf(device, ids) {
  const made = known.get(device) ?? new Set();
  known.set(device, made);
  await Promise.all(ids.filter((id) => !made.has(id)).map(async (id) => {
    if ((await device.outbox({ all: true, record_id: id })).length) made.add(id);
  }));
  return new Set(ids.filter((id) => made.has(id)));
}
