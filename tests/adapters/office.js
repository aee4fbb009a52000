/** The office for tests of the adapters: people, invitations, records, over the wire alone; and a network that fails. */

import assert from 'node:assert/strict'

const { url, admin } = JSON.parse(process.env.MENQIAN_OFFICE)
const PASSWORD = 'Correct-Horse-9-Battery'
export const SCOPE = '320412110'
export const OTHER_SCOPE = '320412100'
export { url }

/** One call; the answer's JSON, or an error that shows it. */
export async function call(method, path, token, body) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body),
  })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : null
}

/** A new person: `{id, username, token}`. */
export async function person(roles, scopes) {
  const username = `${roles[0]}-${crypto.randomUUID()}`
  const { id } = await call('POST', '/users', admin, { username, name: '测试', roles, scopes, password: PASSWORD })
  const { token } = await call('POST', '/sessions', admin, { username, password: PASSWORD })
  return { id, username, token }
}

export const invite = async (username) => (await call('POST', '/devices/invitations', admin, { username })).code

const known = {}

/** The supervisor of the whole city. */
export const supervisor = () => (known.supervisor ??= person(['supervisor'], ['3204']))

/** An inspector of the scope, the same for each name. */
export const inspector = (name, scope = SCOPE) => (known[name + scope] ??= person(['inspector'], [scope]))

export const record = async (type, id) => call('GET', `/records/${type}/${id}`, (await supervisor()).token)
export const history = async (type, id) => (await call('GET', `/records/${type}/${id}/history`, (await supervisor()).token)).items

/** All records of a type that the holder of the token sees. */
export async function records(type, token) {
  const found = []
  let next
  do {
    const page = await call('GET', `/records?type=${type}&limit=500${next ? `&cursor=${encodeURIComponent(next)}` : ''}`, token)
    found.push(...page.items)
    next = page.next
  } while (next)
  return found
}

/** The conflicts about a record. */
export async function conflictsOf(id) {
  return (await records('conflict', (await supervisor()).token)).filter((one) => one.fields.record_id === id)
}

/** The fields of a complete finding. */
export function aFinding(text, more = {}) {
  return { class_scheme: 'GB/T 30428.2-2013:event', class_code: '0504', text, address: '武宜路2号', source: 'patrol',
           observed_at: new Date(Date.now() - 60_000).toISOString(), ...more }
}

/** A fetch that fails on demand: `lose` answers of pushes, be `offline`, `before` each call do something; the server's
 * clock seems `ahead` by that many milliseconds. */
export function network() {
  const net = { offline: false, lose: 0, ahead: 0, before: async () => {}, calls: [] }
  net.fetch = async (address, options) => {
    const path = address.slice(`${url}/api/v1`.length)
    net.calls.push(path)
    const changed = (await net.before(path, options)) ?? address
    if (net.offline) throw new TypeError('offline')
    const answer = await fetch(changed, options)
    if (path.startsWith('/sync/push') && net.lose > 0) {
      net.lose -= 1
      await answer.text()
      throw new TypeError('the answer was lost')
    }
    return net.ahead ? later(answer, net.ahead) : answer
  }
  return net
}

async function later(answer, byMs) {
  const body = await answer.json()
  const time = body.server_time && { server_time: new Date(Date.parse(body.server_time) + byMs).toISOString() }
  return Response.json({ ...body, ...time }, { status: answer.status })
}
