/** A client whose local database is WatermelonDB (LokiJS in memory), for the scenarios. */

import { Database, Model, appSchema, tableSchema } from '@nozbe/watermelondb'
import lokiAdapter from '@nozbe/watermelondb/adapters/lokijs/index.js'
import { synchronize } from '@nozbe/watermelondb/sync/index.js'
import logger from '@nozbe/watermelondb/utils/common/logger/index.js'
import randomId from '@nozbe/watermelondb/utils/common/randomId/index.js'
import { addColumns, schemaMigrations } from '@nozbe/watermelondb/Schema/migrations/index.js'
import loki from 'lokijs'

import { Device, newId } from '../../sync/adapters/menqian.js'
import { watermelon, watermelonStorage } from '../../sync/adapters/watermelon.js'
import { inspector, invite, network, SCOPE, url } from './office.js'

const text = (name) => ({ name, type: 'string', isOptional: true })
const COLUMNS = {
  finding: ['class_scheme', 'class_code', 'text', 'condition', 'address', 'observed_at', 'source', 'tags', 'position', 'status'],
  inspection: ['started_at', 'answers', 'officers'],
  conflict: ['record_id', 'field', 'theirs', 'mine', 'winner', 'state'],
}
const TABLES = { finding: { json: ['tags', 'position'] }, inspection: { json: ['answers', 'officers'] },
                 conflict: { json: ['theirs', 'mine'] } }
const schemaOf = (version, more) => appSchema({ version, tables: Object.entries(COLUMNS).map(([name, columns]) => tableSchema({
  name, columns: [...['scope', 'server', ...columns, ...(name === 'finding' ? more : [])].map(text), { name: 'updated_at', type: 'number' }] })) })
const migrationsTo = (version, more) => schemaMigrations({ migrations: more.length === 0 ? [] : [
  { toVersion: version, steps: [addColumns({ table: 'finding', columns: more.map(text) })] }] })
const modelClasses = Object.keys(COLUMNS).map((table) => class extends Model { static table = table })
randomId.setGenerator(newId)
logger.default.silence()

const stored = (type, name, value) => (TABLES[type].json.includes(name) && value !== null ? JSON.stringify(value) : value)

export class WatermelonClient {
  static async start(name, scope = SCOPE) {
    const client = new WatermelonClient()
    client.scope = scope
    client.person = await inspector(name, scope)
    client.net = network()
    client.disk = new loki.LokiMemoryAdapter()
    client.open()
    client.device = await Device.enrol({ url, code: await invite(client.person.username), name, fetch: client.net.fetch,
                                         storage: watermelonStorage(client.database) })
    client.connect()
    return client
  }

  /** The application starts anew: nothing but what is on the disk is left; `more` columns come with it. */
  async restart(...more) {
    this.open(more)
    this.device = await Device.open({ storage: watermelonStorage(this.database), fetch: this.net.fetch })
    this.connect()
  }

  open(more = []) {
    const version = more.length + 1
    const adapter = new lokiAdapter.default({ schema: schemaOf(version, more), migrations: migrationsTo(version, more), useWebWorker: false, useIncrementalIndexedDB: false, dbName: 'test',
                                              _testLokiAdapter: this.disk, extraLokiOptions: { autosave: false } })
    this.database = new Database({ adapter, modelClasses })
  }

  /** LokiJS does this every half second. */
  save() {
    return new Promise((resolve) => { this.database.adapter.underlyingAdapter._driver.loki.saveDatabase(resolve) })
  }

  connect() {
    this.sync_ = watermelon(this.database, this.device, TABLES)
  }

  async sync() {
    for (let round = 0; round < 3; round += 1) await synchronize({ database: this.database, ...this.sync_ })
  }

  async create(type, fields) {
    const model = await this.database.write(() => this.database.get(type).create((made) => {
      made._setRaw('scope', this.scope)
      for (const [name, value] of Object.entries(fields)) made._setRaw(name, stored(type, name, value))
    }))
    return model.id
  }

  async edit(type, id, fields) {
    const model = await this.database.get(type).find(id)
    await this.database.write(() => model.update((made) => {
      for (const [name, value] of Object.entries(fields)) made._setRaw(name, stored(type, name, value))
    }))
  }

  async remove(type, id) {
    const model = await this.database.get(type).find(id)
    await this.database.write(() => model.markAsDeleted())
  }

  /** {version, scope, fields} of what is shown, null without it. */
  async read(type, id) {
    return (await this.all(type)).get(id) ?? null
  }

  async all(type) {
    const models = await this.database.get(type).query().fetch()
    return new Map(models.map(({ _raw: raw }) => [raw.id, {
      version: raw.server && JSON.parse(raw.server).version, scope: raw.scope,
      fields: Object.fromEntries(COLUMNS[type].filter((name) => raw[name] !== null).map((name) => [
        name, TABLES[type].json.includes(name) ? JSON.parse(raw[name]) : raw[name]])) }]))
  }

  /** The fields of a record that this database has columns for. */
  shown(type, fields) {
    return Object.fromEntries(COLUMNS[type].filter((name) => (fields[name] ?? null) !== null).map((name) => [name, fields[name]]))
  }

  async stop() {}
}
