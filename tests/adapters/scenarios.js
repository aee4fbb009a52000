/** What two clients of any local database must live through together; each database's test file runs them all. */

import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'

import { aFinding, call, conflictsOf, history, OTHER_SCOPE, record, records, supervisor, url } from './office.js'

const EDIT = { text: '乙改的' }

export function scenarios(Client) {
  const started = []
  const start = async (...given) => {
    started.push(await Client.start(...given))
    return started.at(-1)
  }
  afterEach(() => Promise.all(started.splice(0).map((client) => client.stop())))
  const pair = async () => [await start('甲'), await start('乙')]

  /** Two clients that both hold a new finding of the first. */
  const withFinding = async (fields) => {
    const [one, two] = await pair()
    const id = await one.create('finding', aFinding('门前堆物', fields))
    await one.sync()
    await two.sync()
    return [one, two, id]
  }

  /** All clients show of each type exactly what the server lists for them. */
  const converged = async (...clients) => {
    for (const client of clients) await client.sync()
    for (const client of clients) {
      await client.sync()
      assert.deepEqual(client.device.problems, [])
      for (const type of ['finding', 'inspection', 'conflict']) {
        const listed = await records(type, client.device.outbox.state.identity.token)
        const theirs = Object.fromEntries(listed.map((one) => [one.id, {
          version: one.version, scope: one.scope, fields: client.shown(type, one.fields) }]))
        assert.deepEqual(Object.fromEntries(await client.all(type)), theirs)
      }
    }
  }

  test('disjoint offline edits of one finding merge without a conflict', async () => {
    const [one, two, id] = await withFinding()
    await one.edit('finding', id, { condition: '夜间' })
    await two.edit('finding', id, EDIT)
    await converged(one, two)
    const { fields } = await record('finding', id)
    assert.equal(fields.condition, '夜间')
    assert.equal(fields.text, EDIT.text)
    assert.deepEqual(await conflictsOf(id), [])
  })

  test('edits of the same field leave one winner and one open conflict that holds the other value', async () => {
    const [one, two, id] = await withFinding()
    await one.edit('finding', id, { text: '甲改的' })
    await two.edit('finding', id, EDIT)
    await converged(one, two)
    assert.equal((await one.read('finding', id)).fields.text, EDIT.text)
    const [conflict, ...others] = await conflictsOf(id)
    assert.deepEqual(others, [])
    const { field, theirs, mine, winner, state } = conflict.fields
    assert.deepEqual({ field, theirs, mine, winner, state },
                     { field: 'text', theirs: '甲改的', mine: EDIT.text, winner: 'mine', state: 'open' })
    assert.ok(await one.read('conflict', conflict.id))
  })

  test('members of a set and keys of a map are told one by one', async () => {
    const [one, two, id] = await withFinding({ tags: ['夜间', '占道'] })
    const inspection = await one.create('inspection', { started_at: new Date().toISOString(), answers: { a: { value: 1 }, b: { value: 1 } } })
    await one.sync()
    await two.sync()
    await one.edit('finding', id, { tags: ['占道'] })
    await two.edit('finding', id, { tags: ['夜间', '占道', '油污'] })
    await one.edit('inspection', inspection, { answers: { a: { value: 2 }, b: { value: 1 } } })
    await two.edit('inspection', inspection, { answers: { a: { value: 1 }, b: { value: 3 }, c: { value: 4 } } })
    await converged(one, two)
    assert.deepEqual((await two.read('finding', id)).fields.tags.sort(), ['占道', '油污'].sort())
    assert.deepEqual((await one.read('inspection', inspection)).fields.answers, { a: { value: 2 }, b: { value: 3 }, c: { value: 4 } })
    assert.deepEqual(await conflictsOf(id), [])
    assert.deepEqual(await conflictsOf(inspection), [])
  })

  test('a lost answer and a restart double nothing and fork nothing', async () => {
    const [one, two, id] = await withFinding()
    const created = await one.create('finding', aFinding('新的'))
    await one.edit('finding', id, { text: '第一稿' })
    one.net.lose = 1
    await assert.rejects(one.sync())
    await one.restart()
    await one.edit('finding', id, { condition: '雨天' })
    await one.edit('finding', created, { text: '新的,改过' })
    await converged(one, two)
    assert.equal((await one.read('finding', id)).fields.text, '第一稿')
    const texts = (await history('finding', id)).filter((item) => 'text' in (item.changed ?? {}))
    assert.equal(texts.length, 2, 'created and edited once')
    assert.equal((await two.read('finding', created)).fields.text, '新的,改过')
    assert.deepEqual([...await conflictsOf(id), ...await conflictsOf(created)], [])
    const { device } = await call('GET', '/hello', one.device.outbox.state.identity.token)
    assert.equal(device.last_n, one.device.outbox.state.n)
  })

  test('what a lost answer told is not said again over a later edit of somebody else', async () => {
    const [one, two, id] = await withFinding()
    await one.edit('finding', id, { text: '甲改的' })
    one.net.lose = 1
    await assert.rejects(one.sync())
    await two.sync()
    await two.edit('finding', id, EDIT)
    await two.sync()
    await one.restart()
    await converged(one, two)
    assert.equal((await one.read('finding', id)).fields.text, EDIT.text)
    assert.deepEqual(await conflictsOf(id), [])
  })

  test('a moved finding is forgotten, after the edit that was made on it has been delivered', async () => {
    const [one, two, id] = await withFinding()
    const { token } = await supervisor()
    await one.edit('finding', id, { text: '搬走前改的' })
    await call('POST', `/records/finding/${id}/commands`, token, { name: 'move', args: { scope: OTHER_SCOPE, reason: '划界' } })
    await converged(two)
    assert.equal(await two.read('finding', id), null)
    await one.sync()
    const kept = JSON.stringify([await history('finding', id), await call('GET', '/quarantine?limit=500', token)])
    assert.ok(kept.includes('搬走前改的'))
    await one.sync()
    assert.equal(await one.read('finding', id), null)
  })

  test('a deletion arrives, and a deletion against an edit loses neither', async () => {
    const [one, two, id] = await withFinding()
    const second = await one.create('finding', aFinding('第二个'))
    await one.sync()
    await two.sync()
    await one.remove('finding', id)
    await one.remove('finding', second)
    await two.edit('finding', second, EDIT)
    await one.sync()
    await converged(two, one)
    assert.equal(await two.read('finding', id), null)
    assert.equal(await two.read('finding', second), null)
    const [conflict] = await conflictsOf(second)
    assert.equal(conflict.fields.kind, 'deletion')
  })

  test('a quarantined edit gives way to the truth, and a quarantined creation stays until it is released', async () => {
    const [one, two, id] = await withFinding()
    const good = await one.create('finding', aFinding('好的'))
    const bad = await one.create('finding', { ...aFinding('没有地点'), address: null })
    await one.edit('finding', id, { observed_at: '昨天' })
    await one.sync()
    const { observed_at: truth } = (await record('finding', id)).fields
    assert.equal((await one.read('finding', id)).fields.observed_at, truth)
    assert.ok(await record('finding', good), 'what is bad delays nobody')
    assert.ok(await one.read('finding', bad))
    assert.deepEqual(one.device.problems.map((problem) => problem.outcome), ['quarantined', 'quarantined'])
    const { token } = await supervisor()
    const { items } = await call('GET', '/quarantine?limit=500', token)
    const entry = (record_id) => items.find((item) => item.mutation.record_id === record_id).id
    await call('POST', `/quarantine/${entry(bad)}/release`, token, { set: { address: '武宜路4号' } })
    await call('POST', `/quarantine/${entry(id)}/dismiss`, token, { reason: '不是时间' })
    await converged(one, two)
    assert.equal((await one.read('finding', bad)).fields.address, '武宜路4号')
  })

  test('a field that the client does not know is kept', async () => {
    const [one, two, id] = await withFinding()
    const { version } = await record('finding', id)
    await call('POST', `/records/finding/${id}/edits`, (await supervisor()).token, { base: version, set: { grid_code: 'W-17' } })
    await two.edit('finding', id, EDIT)
    await converged(one, two)
    const { fields } = await record('finding', id)
    assert.deepEqual([fields.grid_code, fields.text], ['W-17', EDIT.text])
  })

  test('an edit made while a push or a pull is on its way is sent on top of what its maker saw', async () => {
    const [one, two, id] = await withFinding()
    await two.edit('finding', id, EDIT)
    await two.sync()
    let edits = ['甲在拉取时改的', '甲在推送时改的']
    one.net.before = async (path) => {
      if (edits.length && path.startsWith(edits.length === 2 ? '/sync/pull' : '/sync/push')) {
        await one.edit('finding', id, { text: edits.shift() })
      }
    }
    await one.sync()
    assert.deepEqual(edits, [])
    await converged(one, two)
    const [conflict, ...others] = await conflictsOf(id)
    assert.deepEqual(others, [])
    assert.equal(conflict.fields.theirs, EDIT.text)
    assert.equal((await two.read('finding', id)).fields.text, '甲在推送时改的')
  })

  test('an edit that the server had already brings what the pull before it could not show', async () => {
    const [one, two, id] = await withFinding()
    await two.edit('finding', id, { ...EDIT, condition: '夜间' })
    await two.sync()
    let again = 1
    one.net.before = async (path) => {
      if (again && path.startsWith('/sync/pull')) {
        again -= 1
        await one.edit('finding', id, EDIT)
      }
    }
    await one.sync()
    await converged(one, two)
    assert.equal((await one.read('finding', id)).fields.condition, '夜间')
    assert.deepEqual(await conflictsOf(id), [])
  })

  test('a cursor that is not taken any more costs a whole pull and no edit', async () => {
    const [one, two, id] = await withFinding()
    const moved = await two.create('finding', aFinding('要搬走的'))
    await two.sync()
    await one.sync()
    await call('POST', `/records/finding/${moved}/commands`, (await supervisor()).token, { name: 'move', args: { scope: OTHER_SCOPE, reason: '划界' } })
    await one.edit('finding', id, { text: '离线改的' })
    const made = await one.create('finding', aFinding('离线建的'))
    let spoilt = 0
    one.net.before = async (path) => {
      if (!path.startsWith('/sync/pull?cursor=') || spoilt >= 3) return undefined
      spoilt += 1
      return `${url}/api/v1/sync/pull?cursor=nonsense${spoilt}`
    }
    await one.sync()
    assert.ok(spoilt)
    await converged(one, two)
    assert.equal(await one.read('finding', moved), null)
    assert.equal((await two.read('finding', id)).fields.text, '离线改的')
    assert.ok(await two.read('finding', made))
  })
}
