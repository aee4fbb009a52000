/** The device beneath both adapters: numbers, the outbox, refusals, another device's copy. Its storage is a Map. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Device, newId, Problem } from '../../sync/adapters/menqian.js'
import { creation, enrol, memory } from './bare.js'
import { call, inspector, invite, OTHER_SCOPE, record, supervisor } from './office.js'

const DAY_MS = 86_400_000
const lastN = async (device) => (await call('GET', '/hello', device.outbox.state.identity.token)).device.last_n

test('numbers stay dense over failures and restarts', async () => {
  const storage = memory()
  const [device, net] = await enrol(storage)
  net.offline = true
  await assert.rejects(device.push([creation('一')]))
  const again = await Device.open({ storage, fetch: net.fetch })
  await assert.rejects(again.push([creation('二'), creation('三')]))
  net.offline = false
  net.lose = 1
  await assert.rejects(again.push([]))
  const third = await Device.open({ storage, fetch: net.fetch })
  const outcomes = await third.push([])
  assert.deepEqual([...outcomes.values()].map(({ n, outcome, replayed }) => [n, outcome, replayed]),
                   [[1, 'applied', true], [2, 'applied', true], [3, 'applied', true]])
  assert.equal(await lastN(third), 3)
})

test('a push is signed, and one without a key is marked', async () => {
  const [signing] = await enrol(memory())
  const [bare] = await enrol(memory(), { sign: false })
  const [one, two] = [creation('签名'), creation('未签名')]
  await signing.push([one])
  await bare.push([two])
  assert.ok(!(await record('finding', one.id)).fields.unsigned)
  assert.ok((await record('finding', two.id)).fields.unsigned)
})

test('more than a push may hold goes in several', async () => {
  const [device, net] = await enrol(memory())
  const { limits } = await call('GET', '/hello', device.outbox.state.identity.token)
  const edits = Array.from({ length: limits.mutations_per_push + 20 }, (_, place) => creation(`第${place}`))
  const outcomes = await device.push(edits)
  assert.equal(outcomes.size, edits.length)
  assert.equal(net.calls.filter((path) => path === '/sync/push').length, 2)
})

test('an older copy of a device is noticed, and enrols anew without losing an edit', async () => {
  const storage = memory()
  const [device] = await enrol(storage)
  await device.push([creation('共有')])
  const copy = await Device.open({ storage: memory(structuredClone(storage.kept)) })
  await device.push([creation('原机')])
  const edit = creation('副本')
  await assert.rejects(copy.push([edit]), (problem) => problem instanceof Problem && problem.action === 'new_device')
  assert.equal(copy.outbox.waiting, 1)
  const pulled = await copy.pull(null, { types: ['finding'], rows: async () => new Map() })
  assert.equal(copy.refusal.code, 'device_forked')
  assert.ok(pulled.changes.length, 'what others did is shown all the same')
  await copy.enrolAnew(await invite((await inspector('甲', OTHER_SCOPE)).username))
  assert.equal((await copy.push([])).size, 1)
  assert.equal((await record('finding', edit.id)).fields.text, '副本')
  assert.equal(copy.outbox.waiting, 0)
})

test('a revoked device keeps its outbox', async () => {
  const [device] = await enrol(memory())
  await call('POST', `/devices/${device.outbox.state.identity.id}/revoke`, (await supervisor()).token, { reason: '遗失' })
  const edit = creation('撤销后')
  await assert.rejects(device.push([edit]), (problem) => problem.code === 'device_revoked')
  assert.equal(device.outbox.waiting, 1)
  await device.enrolAnew(await invite((await inspector('甲', OTHER_SCOPE)).username))
  await device.push([])
  assert.ok(await record('finding', edit.id))
})

test('what waits for another record is held, and told as applied when that has come', async () => {
  const [device] = await enrol(memory())
  const inspection = newId()
  const [edit] = [creation('要等', { inspection_id: inspection })]
  await device.push([edit])
  assert.deepEqual(device.problems.map(({ id, outcome }) => [id, outcome]), [[edit.id, 'held']])
  const at = new Date().toISOString()
  await device.push([{ type: 'inspection', id: inspection, base: 0, scope: OTHER_SCOPE, after: { started_at: at }, names: () => ['started_at'] }])
  const { changes } = await device.pull(null, { types: ['finding'], rows: async () => new Map() })
  assert.deepEqual(device.problems, [])
  assert.ok(changes.some((change) => change.id === edit.id))
})

test('what was acknowledged is kept for 30 days of the server, whatever the device thinks of the time', async (context) => {
  const [device, net] = await enrol(memory())
  const kept = () => device.outbox.state.batches.map(({ first }) => first)
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() - 400 * DAY_MS })
  await device.push([creation('慢四百天')])
  context.mock.timers.reset()
  await device.push([creation('校准后')])
  net.ahead = 29 * DAY_MS
  await device.push([creation('二十九天后')])
  assert.deepEqual(kept(), [1, 2, 3])
  net.ahead = 31 * DAY_MS
  await device.push([creation('三十一天后')])
  assert.deepEqual(kept(), [3, 4])
  assert.deepEqual([...device.outbox.storage.kept.keys()].filter((key) => key.startsWith('batch')).length, 2)
})

test('a command goes with the outbox', async () => {
  const [device] = await enrol(memory())
  const edit = creation('认定')
  await device.push([edit])
  const { version, fields } = await record('finding', edit.id)
  const outcome = await device.command({ type: 'finding', id: edit.id, base: version, epoch: device.outbox.state.epoch, name: 'choose_zone',
                                         args: { zone_id: null }, expect: { status: fields.status } })
  assert.equal(outcome.outcome, 'applied')
  assert.equal(device.outbox.state.acked, 2)
})
