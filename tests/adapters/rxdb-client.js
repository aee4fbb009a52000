/** A client whose local database is RxDB (memory storage), for the scenarios. */

import { createRxDatabase } from 'rxdb/plugins/core'
import { replicateRxCollection } from 'rxdb/plugins/replication'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'

import { Device, newId } from '../../sync/adapters/menqian.js'
import { recordSchema, rxdb, rxdbStorage } from '../../sync/adapters/rxdb.js'
import { inspector, invite, network, SCOPE, url } from './office.js'

const TYPES = ['finding', 'inspection', 'conflict']

export class RxdbClient {
  static async start(name, scope = SCOPE) {
    const client = new RxdbClient()
    client.scope = scope
    client.person = await inspector(name, scope)
    client.net = network()
    client.disk = getRxStorageMemory()
    client.name = `test-${newId()}`
    client.conflicts = []
    await client.open()
    client.device = await Device.enrol({ url, code: await invite(client.person.username), name, fetch: client.net.fetch,
                                         storage: client.storage })
    return client
  }

  async open() {
    this.database = await createRxDatabase({ name: this.name, storage: this.disk, multiInstance: false })
    this.storage = await rxdbStorage(this.database)
    await this.database.addCollections(Object.fromEntries(TYPES.map((type) => [type, { schema: recordSchema() }])))
  }

  /** The application starts anew: nothing but what is on the disk is left. */
  async restart() {
    await this.database.close()
    await this.open()
    this.device = await Device.open({ storage: this.storage, fetch: this.net.fetch })
  }

  /** Go online until all is quiet. The first failure ends it, as an application that is closed would. */
  async sync() {
    const states = TYPES.map((type) => replicateRxCollection({
      collection: this.database[type], replicationIdentifier: `menqian-${type}`, retryTime: 20, waitForLeadership: false,
      ...rxdb(this.database[type], this.device) }))
    states.forEach((state) => state.conflict$.subscribe((conflict) => this.conflicts.push(conflict)))
    const failed = new Promise((resolve, reject) => states.forEach((state) => state.error$.subscribe((error) => reject(
      new Error(JSON.stringify(error.parameters.errors ?? error.message))))))
    failed.catch(() => undefined)
    const quiet = async () => {
      for (const state of states) await state.awaitInitialReplication()
      for (let round = 0; round < 3; round += 1) {
        for (const state of states) {
          state.reSync()
          await state.awaitInSync()
        }
      }
    }
    try {
      await Promise.race([quiet(), failed])
    } finally {
      for (const state of states) await state.cancel()
    }
  }

  async create(type, fields) {
    const id = newId()
    await this.database[type].insert({ id, scope: this.scope, fields })
    return id
  }

  async edit(type, id, fields) {
    const doc = await this.database[type].findOne(id).exec()
    await doc.incrementalPatch({ fields: { ...doc.toJSON().fields, ...fields } })
  }

  async remove(type, id) {
    await (await this.database[type].findOne(id).exec()).remove()
  }

  async read(type, id) {
    return (await this.all(type)).get(id) ?? null
  }

  async all(type) {
    const docs = await this.database[type].find().exec()
    return new Map(docs.map((doc) => [doc.id, { version: doc.get('version'), scope: doc.scope, fields: doc.toMutableJSON().fields }]))
  }

  shown(_type, fields) {
    return fields
  }

  async stop() {
    await this.database.close()
  }
}
