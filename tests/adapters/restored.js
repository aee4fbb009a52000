/**
 * A server that is restored from a backup, seen from two clients. Run by test_adapters.py, which makes and restores the
 * backup when a line asks for it: `node restored.js rxdb RxdbClient`.
 */

import assert from 'node:assert/strict'

import { aFinding, call, conflictsOf, record, supervisor } from './office.js'
import { ask } from './restoring.js'

const { [process.argv[3]]: Client } = await import(`./${process.argv[2]}-client.js`)

const { token } = await supervisor()
const one = await Client.start('甲')
const two = await Client.start('乙')
const both = async () => {
  for (const client of [one, two, one, two]) await client.sync()
}
const early = await one.create('finding', aFinding('备份前'))
await both()
await ask('backup it')
const late = await one.create('finding', aFinding('备份后'))
await one.edit('finding', early, { text: '备份后改的' })
await both()
const { id: lost } = await call('POST', '/records/finding', token, { scope: one.scope, fields: aFinding('只在办公室') })
await two.edit('finding', late, { condition: '属实' })
await both()
assert.ok(await one.read('finding', lost))
await one.edit('finding', early, { condition: '离线改的' })
await ask('restore it')
await both()
await both()
assert.equal((await record('finding', early)).fields.text, '备份后改的')
assert.equal((await record('finding', early)).fields.condition, '离线改的')
assert.deepEqual([(await record('finding', late)).fields.text, (await record('finding', late)).fields.condition], ['备份后', '属实'])
for (const client of [one, two]) {
  assert.equal(await client.read('finding', lost), null)
  assert.deepEqual(client.device.problems, [])
  for (const id of [early, late]) {
    const { version, fields } = await record('finding', id)
    assert.deepEqual(await client.read('finding', id), { version, scope: client.scope, fields: client.shown('finding', fields) })
  }
}
assert.deepEqual([...await conflictsOf(early), ...await conflictsOf(late)], [])
await Promise.all([one.stop(), two.stop()])
console.log('restored')
process.exit(0)
