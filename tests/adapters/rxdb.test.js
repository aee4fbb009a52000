import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aFinding } from './office.js'
import { RxdbClient } from './rxdb-client.js'
import { scenarios } from './scenarios.js'

scenarios(RxdbClient)

test('RxDB hears of conflicts and refusals by its own protocol', async () => {
  const [one, two] = [await RxdbClient.start('甲'), await RxdbClient.start('乙')]
  const [overlapping, refused] = [await one.create('finding', aFinding('同改')), await one.create('finding', aFinding('拒收'))]
  await one.sync()
  await two.sync()
  await one.edit('finding', overlapping, { text: '甲改的' })
  await one.sync()
  await two.edit('finding', overlapping, { text: '乙改的' })
  await two.edit('finding', refused, { observed_at: '昨天' })
  await two.sync()
  const heard = Object.fromEntries(two.conflicts.map(({ input, output }) => [input.newDocumentState.id, [input.realMasterState.version, output.version]]))
  assert.deepEqual(heard, { [overlapping]: [3, 3], [refused]: [1, 1] })
  await Promise.all([one.stop(), two.stop()])
})
