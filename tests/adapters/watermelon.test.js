import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aFinding, call, conflictsOf, record, supervisor } from './office.js'
import { scenarios } from './scenarios.js'
import { WatermelonClient } from './watermelon-client.js'

scenarios(WatermelonClient)

test('a column that a new version of the application adds is filled, and no edit is lost by it', async () => {
  const client = await WatermelonClient.start('甲')
  const [id, other] = [await client.create('finding', aFinding('升级')), await client.create('finding', aFinding('不改'))]
  await client.sync()
  for (const each of [id, other]) {
    const { version } = await record('finding', each)
    await call('POST', `/records/finding/${each}/edits`, (await supervisor()).token, { base: version, set: { grid_code: 'W-17' } })
  }
  await client.sync()
  await client.edit('finding', id, { text: '升级前改的' })
  await client.save()
  await client.restart('grid_code')
  await client.sync()
  for (const each of [id, other]) assert.equal((await client.database.get('finding').find(each))._raw.grid_code, 'W-17')
  assert.equal((await record('finding', id)).fields.text, '升级前改的')
  await client.edit('finding', id, { grid_code: 'W-18' })
  await client.sync()
  assert.equal((await record('finding', id)).fields.grid_code, 'W-18')
  assert.deepEqual(await conflictsOf(id), [])
})

test('a row with an id that is no UUID goes into quarantine and delays nobody', async () => {
  const client = await WatermelonClient.start('甲')
  await client.database.write(() => client.database.get('finding').create((made) => {
    made._raw.id = 'own_id'
    made._setRaw('text', '自己的编号')
  }))
  const id = await client.create('finding', aFinding('别的'))
  await client.sync()
  assert.ok(await record('finding', id))
  assert.deepEqual(client.device.problems.map(({ outcome, id: of }) => [outcome, of]), [['quarantined', 'own_id']])
  assert.ok(await client.read('finding', 'own_id'))
})

test('a row that was made and deleted before any synchronisation is nothing to the server', async () => {
  const client = await WatermelonClient.start('甲')
  const id = await client.create('finding', aFinding('误建'))
  await client.remove('finding', id)
  await client.sync()
  assert.equal(client.device.outbox.state.n, 0)
})
