/** docs/third-party-clients.md: its two programs, run by Node as they are written. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const TEXT = readFileSync(new URL('../../docs/third-party-clients.md', import.meta.url), 'utf8')
const [WATERMELON, RXDB] = [...TEXT.matchAll(/```js\n(.*?)```/gs)].map(([, program]) => program)
const OFFICE = `
import { aFinding, inspector, invite, record, SCOPE, url } from '../tests/adapters/office.js'
const code = await invite((await inspector('甲')).username)
const { address, observed_at } = aFinding('')
`

/** The folder `adapters` lies beside the program, as its imports say. */
function run(before, program, after) {
  const done = spawnSync(process.execPath, ['--input-type=module', '--eval', before + program + after], {
    cwd: fileURLToPath(new URL('../../sync', import.meta.url)), encoding: 'utf8', timeout: 60_000 })
  assert.equal(done.status, 0, done.stdout + done.stderr)
}

test('the program for WatermelonDB', () => {
  run(`${OFFICE}
import { appSchema, Database, Model, tableSchema } from '@nozbe/watermelondb'
import lokiAdapter from '@nozbe/watermelondb/adapters/lokijs/index.js'
import loki from 'lokijs'
const tables = { finding: ['address', 'observed_at', 'position', 'tags'], visits: ['answers', 'officers'], conflict: ['base', 'theirs', 'mine'] }
const schema = appSchema({ version: 1, tables: Object.entries(tables).map(([name, columns]) => tableSchema({
  name, columns: ['scope', 'server', ...columns].map((column) => ({ name: column, type: 'string', isOptional: true })) })) })
const database = new Database({
  adapter: new lokiAdapter.default({ schema, useWebWorker: false, useIncrementalIndexedDB: false, dbName: 'snippet', _testLokiAdapter: new loki.LokiMemoryAdapter() }),
  modelClasses: Object.keys(tables).map((table) => class extends Model { static table = table }) })
`, WATERMELON, `
const { id } = await database.write(() => database.get('finding').create((made) => {
  for (const [name, value] of Object.entries({ scope: SCOPE, address, observed_at })) made._setRaw(name, value)
}))
await synchronize({ database, ...menqian })
await record('finding', id)
process.exit(0)
`)
})

test('the program for RxDB', () => {
  run(`${OFFICE}
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'
const storage = getRxStorageMemory()
`, RXDB, `
const [{ id }] = await database.finding.find().exec()
for (const replication of replications) await replication.awaitInSync()
await record('finding', id)
process.exit(0)
`)
})
