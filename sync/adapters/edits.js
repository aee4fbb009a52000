/**
 * From what a person changed in a local database to one mutation on the wire (protocol section 2). Pure.
 *
 * Only what changed is named: of a set the members added and removed, of a map the keys, of a list the new points. What
 * follows from it is the server's to decide.
 */

/**
 * A local row that differs from what the server gave.
 *
 * @typedef {object} Edit
 * @property {string} type
 * @property {string} id
 * @property {number} base the version that the person was looking at, 0 for none
 * @property {string} [epoch] the server's epoch when it gave that version
 * @property {Record<string, any>} [before] the fields as the server gave them; absent where it gave none
 * @property {Record<string, any>} after the fields as they are now
 * @property {(delivered: boolean) => string[]} names which fields may have changed; `delivered`: an earlier edit of the
 *   same row on the same version is on its way or arrived
 * @property {string} [scope] the row's scope now
 * @property {string} [scopeBefore] the scope that the server gave
 * @property {string} [deleted] why the row was deleted, if it was
 */

/**
 * The newest values that were put on the way on top of one version of a record.
 *
 * @typedef {{base: number, epoch?: string, fields: Record<string, any>, scope?: string, deleted?: boolean}} Sent
 */

/** How the wire names a change of these fields (protocol section 5); all others are named whole. */
const SHAPES = /** @type {Record<string, string>} */ ({
  tags: 'set', officers: 'set', answers: 'map', duties: 'map', points: 'append',
})

/** The key by which a record is known on a device. @param {string} type @param {string} id */
export const keyOf = (type, id) => `${type} ${id}`

/** Equality of JSON values; the order of an object's keys does not count. @param {any} one @param {any} other
 * @returns {boolean} */
export function same(one, other) {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const names = Object.keys(one)
  return names.length === Object.keys(other).length
    && names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name]))
}

/**
 * The mutation that an edit comes to, after what was sent of it already, and what will then have been sent.
 *
 * @param {Edit} edit @param {Sent | undefined} earlier
 * @returns {{members: Record<string, any>, sent: Sent} | null} null when there is nothing to tell the server
 */
export function mutationOf(edit, earlier) {
  const { type, id, base, epoch } = edit
  const last = earlier && earlier.base === base && earlier.epoch === epoch ? earlier : undefined
  const known = edit.before !== undefined || last !== undefined
  const about = { type, record_id: id, base }
  if (edit.deleted !== undefined) {
    if (!known || last?.deleted) return null
    return { members: { ...about, op: 'delete', set: { reason: edit.deleted } },
             sent: { base, epoch, fields: last?.fields ?? {}, deleted: true } }
  }
  const before = { ...edit.before, ...last?.fields }
  const moved = edit.scope !== undefined && edit.scope !== (last?.scope ?? edit.scopeBefore)
  const change = differences(before, edit.after, edit.names(last !== undefined))
  if (known && !change && !moved) return null
  const scope = moved ? { scope: edit.scope } : {}
  const values = Object.fromEntries((change?.names ?? []).map((name) => [name, edit.after[name] ?? null]))
  return { members: { ...about, op: 'put', ...scope, ...change?.parts },
           sent: { base, epoch, fields: { ...last?.fields, ...values }, scope: edit.scope ?? last?.scope } }
}

/**
 * `{set, add, remove}` of the fields that differ, with their names; null when none does.
 *
 * @param {Record<string, any>} before @param {Record<string, any>} after @param {string[]} names
 */
function differences(before, after, names) {
  /** @type {Record<string, Record<string, any>>} */
  const parts = {}
  const put = (/** @type {string} */ part, /** @type {string} */ name, /** @type {any} */ value) => {
    parts[part] = { ...parts[part], [name]: value }
  }
  const changed = names.filter((name) => !same(before[name] ?? null, after[name] ?? null))
  for (const name of changed) {
    const was = before[name] ?? null
    const is = after[name] ?? null
    if (was === null || is === null || !SHAPES[name]) put('set', name, is)
    else if (SHAPES[name] === 'map') put('set', name, entries(was, is))
    else {
      const added = missing(is, was)
      const removed = SHAPES[name] === 'set' ? missing(was, is) : []
      if (added.length) put('add', name, added)
      if (removed.length) put('remove', name, removed)
    }
  }
  return Object.keys(parts).length ? { parts, names: changed } : null
}

/** The members of one list that the other lacks. @param {any[]} list @param {any[]} other */
const missing = (list, other) => list.filter((member) => !other.some((known) => same(known, member)))

/** The keys of a map that differ; null for one that went. @param {any} was @param {any} is */
function entries(was, is) {
  const names = Object.keys({ ...was, ...is }).filter((name) => !same(was[name] ?? null, is[name] ?? null))
  return Object.fromEntries(names.map((name) => [name, is[name] ?? null]))
}
