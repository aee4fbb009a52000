/**
 * RxDB's replication against Menqian: `replicateRxCollection({ collection, replicationIdentifier, ...rxdb(collection,
 * device) })`, one collection a record type, all of a database with one device.
 *
 * A document is the record of protocol section 4 as it is, with the epoch of its version. What changed is the difference
 * between the state that RxDB assumes the server to have and the new one.
 */

import { Subject } from 'rxjs'

import { keyOf, same } from './edits.js'
import { Problem, Unreachable } from './menqian.js'

/** @typedef {import('./menqian.js').Device} Device */
/** @typedef {import('./menqian.js').Change} Change */
/** @typedef {Record<string, any>} Doc */

const TEXT = { type: 'string' }

/** The schema of a collection of records; `fields` may be narrowed and indexed. @param {Doc} [fields] */
export function recordSchema(fields = { type: 'object', additionalProperties: true }) {
  return {
    version: 0,
    primaryKey: 'id',
    type: 'object',
    properties: { id: { type: 'string', maxLength: 36 }, version: { type: 'number' }, epoch: TEXT, scope: TEXT, fields,
                  created_at: TEXT, created_by: TEXT, updated_at: TEXT },
    required: ['id', 'scope', 'fields'],
  }
}

/** Where a device keeps its memory in this database: a small collection. @param {any} database
 * @returns {Promise<import('./outbox.js').Storage>} */
export async function rxdbStorage(database, name = 'menqian') {
  const schema = { version: 0, primaryKey: 'key', type: 'object', required: ['key', 'json'],
                   properties: { key: { type: 'string', maxLength: 100 }, json: TEXT } }
  const collection = (await database.addCollections({ [name]: { schema } }))[name]
  return {
    get: async (key) => JSON.parse((await collection.findOne(key).exec())?.json ?? 'null'),
    set: (key, value) => collection.incrementalUpsert({ key, json: JSON.stringify(value) }),
    remove: async (key) => { await collection.bulkRemove([key]) },
  }
}

/**
 * `pull` and `push` for `replicateRxCollection`; a resync follows each push, for the truth about it comes by pull.
 * `reason` tells why a document was deleted; the server wants to know.
 *
 * @param {any} collection @param {Device} device
 * @param {{type?: string, batchSize?: number, reason?: (id: string) => string}} [given] `type`: the record type, if it
 *   is not the collection's name
 */
export function rxdb(collection, device, { type = collection.name, batchSize = 100,
                                           reason = () => 'deleted on the device' } = {}) {
  const resync$ = /** @type {Subject<any>} */ (new Subject())
  const documents = new Documents(collection, device, type)
  return {
    pull: {
      batchSize,
      stream$: resync$.asObservable(),
      handler: (/** @type {{cursor: string} | undefined} */ checkpoint, /** @type {number} */ count) => (
        documents.pull(checkpoint?.cursor, count)),
    },
    push: {
      batchSize,
      handler: async (/** @type {{assumedMasterState?: Doc, newDocumentState: Doc}[]} */ rows) => {
        const masters = await documents.push(rows, reason)
        setTimeout(() => resync$.next('RESYNC'))
        return masters
      },
    },
  }
}

class Documents {
  /** @param {any} collection @param {Device} device @param {string} type */
  constructor(collection, device, type) {
    this.collection = collection
    this.device = device
    this.type = type
    /** RxDB stores no checkpoint of an empty pull: between these two cursors nothing was of this type.
     * @type {{from: string | undefined, to: string} | undefined} */
    this.empty = undefined
  }

  /** @param {string | undefined} cursor @param {number} count */
  async pull(cursor, count) {
    const pulled = await this.device.pull(this.empty && this.empty.from === cursor ? this.empty.to : cursor, {
      types: [this.type], enough: count, rows: async (_type, ids) => new Map((await this.stored(ids)).map((doc) => [doc.id, row(doc)])),
    })
    const puts = pulled.changes.filter((change) => change.op === 'put')
    const gone = pulled.whole ? await this.allBut(new Set(puts.map((change) => change.id)))
      : await this.stored(pulled.changes.filter((change) => change.op !== 'put').map((change) => change.id))
    const documents = [...puts.map(docOf), ...gone.map((doc) => ({ ...doc, _deleted: true }))]
    if (!documents.length) this.empty = { from: cursor, to: pulled.cursor }
    return { documents, checkpoint: { cursor: pulled.cursor } }
  }

  /**
   * Deliver what differs; the documents as the server has them where it did not take them as they are.
   *
   * @param {{assumedMasterState?: Doc, newDocumentState: Doc}[]} rows @param {(id: string) => string} reason
   */
  async push(rows, reason) {
    const outcomes = await this.device.push(rows.map(({ assumedMasterState: assumed, newDocumentState: now }) => ({
      type: this.type, id: now.id, base: assumed?.version ?? 0, epoch: assumed?.epoch, before: assumed?.fields,
      after: now.fields, names: () => Object.keys({ ...assumed?.fields, ...now.fields }),
      scope: now.scope, scopeBefore: assumed?.scope, deleted: now._deleted ? reason(now.id) : undefined,
    })))
    const masters = []
    for (const { newDocumentState: now } of rows) {
      const outcome = outcomes.get(keyOf(this.type, now.id))?.outcome
      if (outcome !== 'conflicted' && outcome !== 'quarantined') continue
      const change = await this.master(now.id)
      if (change?.op === 'put') masters.push({ ...docOf(change), _deleted: false })
      else if (change && !this.device.isPending(this.type, now.id)) masters.push({ ...now, _deleted: true })
    }
    return masters
  }

  /** The record as the server has it; undefined when it cannot be asked now: then it comes with a pull.
   * @param {string} id */
  async master(id) {
    try {
      return await this.device.record(this.type, id)
    } catch (problem) {
      if (problem instanceof Unreachable || problem instanceof Problem) return undefined
      throw problem
    }
  }

  /** The documents that there are, without what RxDB adds to them. @param {string[]} ids @returns {Promise<Doc[]>} */
  async stored(ids) {
    return ids.length ? (await this.collection.storageInstance.findDocumentsById(ids, false)).map(plain) : []
  }

  /** The documents that a whole pull did not bring, but for those of which the server waits for something. RxDB leaves
   * alone what it has not pushed yet. @param {Set<string>} seen @returns {Promise<Doc[]>} */
  async allBut(seen) {
    const documents = /** @type {any[]} */ (await this.collection.find().exec())
    return documents.map((document) => plain(document.toMutableJSON()))
      .filter(({ id }) => !seen.has(id) && !this.device.isPending(this.type, id))
  }
}

/** A record as a document. @param {Change} change @returns {Doc} */
function docOf({ id, version, epoch, scope, fields, created_at, created_by, updated_at }) {
  const members = { id, version, epoch, scope, fields, created_at, created_by, updated_at }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null))
}

/** @param {Doc} document @returns {Doc} */
function plain(document) {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('_')))
}

/** @param {Doc} doc */
function row(doc) {
  const shows = (/** @type {Change} */ change) => change.op === 'put' && same(docOf(change), doc)
  return { version: doc.version, epoch: doc.epoch, shows }
}
