/**
 * WatermelonDB's `synchronize` against Menqian: `synchronize({ database, ...watermelon(database, device, tables) })`.
 *
 * WatermelonDB knows which columns were changed, but not on top of what. Therefore each synchronised table has an
 * optional string column `server`: the record as the server gave it, JSON. While a row is dirty that column stays as it
 * was, so that an edit names the version its maker was looking at, and only what differs from it.
 */

import { Q } from '@nozbe/watermelondb'

import { same } from './edits.js'

/** @typedef {import('./menqian.js').Device} Device */
/** @typedef {import('./menqian.js').Change} Change */
/** @typedef {{type?: string, json?: string[]}} Table `type`: the record type, if it is not the table's name; `json`: the
 *   string columns that hold JSON (position, tags, answers ...) */
/** @typedef {Record<string, any>} Raw */

const OURS = ['id', '_status', '_changed', 'server', 'scope', 'created_at', 'updated_at']

/** Where a device keeps its memory in this database. @param {any} database
 * @returns {import('./outbox.js').Storage} */
export function watermelonStorage(database) {
  const { localStorage, adapter } = database
  // LokiJS keeps all in memory and saves twice a second; a number that was sent must not be given again after a crash.
  const loki = adapter.underlyingAdapter._dispatcher?._worker._bridge?.driver?.loki
  const saved = () => new Promise((resolve, reject) => {
    loki.saveDatabase((/** @type {unknown} */ error) => (error ? reject(error) : resolve(undefined)))
  })
  return {
    get: (key) => localStorage.get(`menqian.${key}`),
    set: async (key, value) => {
      await localStorage.set(`menqian.${key}`, value)
      if (loki) await saved()
    },
    remove: (key) => localStorage.remove(`menqian.${key}`),
  }
}

/**
 * The arguments for `synchronize`. `reason` tells why a row was deleted; the server wants to know.
 *
 * @param {any} database @param {Device} device @param {Record<string, Table>} tables
 * @param {{reason?: (type: string, id: string) => string}} [given]
 */
export function watermelon(database, device, tables, { reason = () => 'deleted on the device' } = {}) {
  const adapter = new Adapter(database, device, tables, reason)
  return {
    sendCreatedAsUpdated: true,
    pullChanges: (/** @type {{lastPulledAt?: number | null}} */ { lastPulledAt }) => adapter.pull(lastPulledAt ?? 0),
    pushChanges: (/** @type {{changes: any}} */ { changes }) => adapter.push(changes),
    conflictResolver: (/** @type {string} */ _table, /** @type {Raw} */ local, /** @type {Raw} */ _remote,
                       /** @type {Raw} */ resolved) => (
      local._status === 'synced' ? resolved : { ...resolved, server: local.server }),
  }
}

class Adapter {
  /** @param {any} database @param {Device} device @param {Record<string, Table>} tables
   * @param {(type: string, id: string) => string} reason */
  constructor(database, device, tables, reason) {
    this.database = database
    this.device = device
    this.reason = reason
    this.tables = Object.entries(tables).map(([name, { type = name, json = [] }]) => {
      const { columns } = database.schema.tables[name]
      if (!columns.server || !columns.scope) throw new Error(`table ${name} needs the string columns scope and server`)
      return { name, type, json, columns, fields: Object.keys(columns).filter((column) => !OURS.includes(column)) }
    })
    this.storage = watermelonStorage(database)
  }

  /**
   * All that changed. WatermelonDB keeps the number of the last pull that it stored; the cursor of that pull is ours.
   * Where there are other columns than at that time (a migration), all is pulled again, so that they are filled.
   *
   * @param {number} number
   */
  async pull(number) {
    const stored = (await this.storage.get('cursors'))?.[number]
    const columns = this.tables.map(({ name, fields }) => `${name}: ${fields}`).join('; ')
    const pulled = await this.device.pull(stored?.cursor, {
      whole: Boolean(stored && stored.columns !== columns),
      types: this.tables.map((table) => table.type),
      rows: async (type, ids) => new Map((await this.raws(this.tableOf(type), ids)).map((raw) => [raw.id, this.row(type, raw)])),
    })
    await this.storage.set('cursors', { [number]: stored, [number + 1]: { cursor: pulled.cursor, columns } })
    /** @type {Record<string, any>} */
    const changes = {}
    for (const table of this.tables) {
      const mine = pulled.changes.filter((change) => change.type === table.type)
      const updated = mine.filter((change) => change.op === 'put')
      const gone = mine.filter((change) => change.op !== 'put').map((change) => change.id)
      await this.remove(table, pulled.whole ? await this.allBut(table, updated.map((change) => change.id)) : gone)
      changes[table.name] = { created: [], updated: updated.map((change) => this.rawOf(table, change)), deleted: [] }
    }
    return { changes, timestamp: number + 1 }
  }

  /** All dirty rows, as WatermelonDB found them. @param {Record<string, any>} changes */
  async push(changes) {
    const edits = []
    for (const table of this.tables) {
      const { created = [], updated = [], deleted = [] } = changes[table.name] ?? {}
      for (const raw of [...created, ...updated]) edits.push(this.edit(table, raw))
      for (const raw of await this.raws(table, deleted)) {
        edits.push({ ...this.edit(table, raw), deleted: this.reason(table.type, raw.id) })
      }
    }
    await this.device.push(edits)
  }

  /** @param {string} type */
  tableOf(type) {
    const table = this.tables.find((one) => one.type === type)
    if (!table) throw new Error(`no table for ${type}`)
    return table
  }

  /** @param {Adapter['tables'][0]} table @param {Raw} raw */
  edit(table, raw) {
    const server = raw.server ? JSON.parse(raw.server) : undefined
    const changed = table.fields.filter((name) => raw._changed.split(',').includes(name))
    return {
      type: table.type, id: raw.id, base: server?.version ?? 0, epoch: server?.epoch, before: server?.fields,
      after: Object.fromEntries(table.fields.map((name) => [name, valueOf(table, raw, name)])),
      names: (/** @type {boolean} */ delivered) => (server || delivered ? changed : table.fields),
      scope: !server || raw._changed.split(',').includes('scope') ? raw.scope : undefined, scopeBefore: server?.scope,
    }
  }

  /** A record as a row of the table. Fields without a column stay with the server. @param {Adapter['tables'][0]} table
   * @param {Change} change @returns {Raw} */
  rawOf(table, change) {
    const { id, version, epoch, scope, fields = {} } = change
    /** @type {Raw} */
    const raw = { id, scope, server: JSON.stringify({ version, epoch, scope, fields }) }
    for (const name of table.fields) {
      const value = fields[name] ?? null
      raw[name] = value !== null && table.json.includes(name) ? JSON.stringify(value) : value
    }
    for (const name of /** @type {const} */ (['created_at', 'updated_at'])) {
      if (table.columns[name]) raw[name] = Date.parse(change[name] ?? '') || 0
    }
    return raw
  }

  /** @param {string} type @param {Raw} raw */
  row(type, raw) {
    const table = this.tableOf(type)
    const { version, epoch } = raw.server ? JSON.parse(raw.server) : {}
    const shows = (/** @type {Change} */ change) => raw._status === 'synced' && change.op === 'put'
      && epoch === change.epoch && version === change.version && raw.scope === change.scope
      && table.fields.every((name) => same(valueOf(table, raw, name), change.fields?.[name] ?? null))
    return { version, epoch, shows }
  }

  /**
   * Rows that are not there any more for this device. One with an edit that the server has not got stays and is asked
   * for again; within a writer nobody edits it meanwhile.
   *
   * @param {Adapter['tables'][0]} table @param {string[]} ids
   */
  async remove(table, ids) {
    if (!ids.length) return
    await this.database.write(async () => {
      const dirty = (await this.raws(table, ids)).filter((raw) => raw._status !== 'synced')
      for (const { id } of dirty) await this.device.wantAgain(table.type, id)
      const clean = ids.filter((id) => !dirty.some((raw) => raw.id === id))
      const models = await this.collection(table).query(Q.where('id', Q.oneOf(clean))).fetch()
      await this.database.batch(models.map((/** @type {any} */ model) => model.prepareDestroyPermanently()))
    }, 'menqian-remove')
  }

  /** The rows that a whole pull did not bring, but for those of which the server waits for something.
   * @param {Adapter['tables'][0]} table @param {string[]} brought */
  async allBut(table, brought) {
    const seen = new Set(brought)
    const ids = /** @type {string[]} */ (await this.collection(table).query().fetchIds())
    return ids.filter((id) => !seen.has(id) && !this.device.isPending(table.type, id))
  }

  /** Rows as they are stored, those marked as deleted as well (as WatermelonDB's own synchronisation reads them).
   * @param {Adapter['tables'][0]} table @param {string[]} ids @returns {Promise<Raw[]>} */
  async raws(table, ids) {
    if (!ids.length) return []
    const query = this.collection(table).query(Q.where('id', Q.oneOf(ids)))
    query.description = query._rawDescription
    return query.unsafeFetchRaw()
  }

  /** @param {Adapter['tables'][0]} table */
  collection(table) {
    return this.database.get(table.name)
  }
}

/**
 * A column's value as the wire has it. SQLite gives numbers for booleans; what is not JSON goes as it is, for the server
 * to put into quarantine.
 *
 * @param {{json: string[], columns: any}} table @param {Raw} raw @param {string} name
 */
function valueOf({ json, columns }, raw, name) {
  const value = raw[name] ?? null
  if (value === null) return null
  if (columns[name].type === 'boolean') return Boolean(value)
  if (!json.includes(name)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
