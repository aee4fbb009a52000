/**
 * A server that is restored from backups, seen from devices without a database. Run by test_adapters.py as
 * `restored.js` is.
 */

import assert from 'node:assert/strict'

import { Device } from '../../sync/adapters/menqian.js'
import { creation, enrol, memory } from './bare.js'
import { aFinding, call, conflictsOf, inspector, invite, OTHER_SCOPE, record, records, supervisor } from './office.js'
import { ask } from './restoring.js'

const DAY_MS = 86_400_000
const { token } = await supervisor()
const texts = async () => (await records('finding', token)).map(({ fields }) => fields.text)
const there = async (...expected) => assert.deepEqual((await texts()).filter((text) => expected.includes(text)).sort(), expected.sort())
const outcomesOf = async (device, ...edits) => [...(await device.push(edits)).values()].map(({ outcome }) => outcome)
const pull = (device) => device.pull(null, { types: ['finding'], rows: async () => new Map() })
const anew = async (device) => device.enrolAnew(await invite((await inspector('甲', OTHER_SCOPE)).username))

const [long, longNet] = await enrol(memory())
const [short, shortNet] = await enrol(memory())
const [original] = await enrol(memory())
const copy = await Device.open({ storage: memory(structuredClone(original.outbox.storage.kept)) })

// An edit on a later version, of which the answer is lost; the server has it, and so has the backup.
const [deaf, deafNet] = await enrol(memory())
const { id } = await call('POST', '/records/finding', token, { scope: OTHER_SCOPE, fields: aFinding('第一版') })
for (const [base, text] of [[1, '第二版'], [2, '第三版']]) await call('POST', `/records/finding/${id}/edits`, token, { base, set: { text } })
const { changes } = await pull(deaf)
const { version, epoch, fields, scope } = changes.find((change) => change.id === id)
deafNet.lose = 1
await assert.rejects(deaf.push([{ type: 'finding', id, base: version, epoch, before: fields, after: { ...fields, condition: '属实' },
                                  names: () => ['condition'], scope, scopeBefore: scope }]))
await ask('backup older')

// Made 31 days before there was a network, delivered today.
const { now } = Date
Date.now = () => now() - 31 * DAY_MS
longNet.offline = true
await assert.rejects(long.push([creation('久离线')]))
Object.assign(Date, { now })
longNet.offline = false
assert.deepEqual(await outcomesOf(long, creation('今天')), ['applied', 'applied'])

// Of three mutations the first was acknowledged more than 30 days ago.
await short.push([creation('太久')])
shortNet.ahead = 31 * DAY_MS
await short.push([creation('第二')])
await short.push([creation('第三')])
await original.push([creation('原机一')])
await original.push([creation('原机二')])
await ask('backup newer')
await ask('restore older')

longNet.ahead = 31 * DAY_MS
assert.deepEqual(await outcomesOf(long, creation('恢复后')), ['applied', 'applied', 'applied'])
assert.equal(long.outbox.state.batches.length, 3, 'the 30 days of what was delivered again begin again')
await there('久离线', '今天', '恢复后')
assert.deepEqual(long.lost, [])

const sent = []
deafNet.before = async (path, { body }) => { if (path === '/sync/push') sent.push(...JSON.parse(new TextDecoder().decode(body)).mutations) }
await pull(deaf)
assert.equal(deaf.refusal, undefined)
assert.equal(deaf.outbox.waiting, 0)
assert.deepEqual(sent.map(({ n, base }) => [n, base]), [[1, version]], 'what the server has is sent as it was')
assert.equal((await record('finding', id)).fields.condition, '属实')
assert.deepEqual(await conflictsOf(id), [])

assert.deepEqual(await outcomesOf(short, creation('第四')), ['applied', 'applied', 'applied'])
assert.deepEqual(short.lost, [{ from: 1, to: 1, epoch: short.outbox.state.epoch }])
const again = await Device.open({ storage: short.outbox.storage, fetch: shortNet.fetch })
assert.deepEqual(await outcomesOf(again, creation('第五')), ['applied'])
assert.equal((await call('GET', '/hello', again.outbox.state.identity.token)).device.last_n, 4)
await there('第二', '第三', '第四', '第五')
assert.equal((await texts()).includes('太久'), false)

// A copy was quicker, and used the number that the original asks about.
await copy.push([creation('副本一'), creation('副本二')])
await assert.rejects(original.push([creation('原机三')]), { code: 'device_forked' })
await anew(original)
await original.push([])
await there('原机一', '原机二', '原机三', '副本一', '副本二')

await ask('restore newer')
assert.deepEqual(await outcomesOf(long, creation('再恢复后')), ['applied', 'applied', 'applied'])
await pull(deaf)
assert.equal(deaf.refusal, undefined)

// What was numbered anew meets its old numbers: nothing of it counts as delivered.
await assert.rejects(again.push([creation('第六')]), { code: 'device_forked' })
await anew(again)
await again.push([])
await there('太久', '第二', '第三', '第四', '第五', '第六', '再恢复后')
console.log('restored')
process.exit(0)
