/** A device without a database of its own: its storage is a Map. For tests of what lies beneath both adapters. */

import { Device, newId } from '../../sync/adapters/menqian.js'
import { aFinding, inspector, invite, network, OTHER_SCOPE, url } from './office.js'

export function memory(kept = new Map()) {
  return { kept, get: async (key) => structuredClone(kept.get(key)), set: async (key, value) => { kept.set(key, structuredClone(value)) },
           remove: async (key) => { kept.delete(key) } }
}

export async function enrol(storage, more = {}) {
  const net = network()
  const { username } = await inspector('甲', OTHER_SCOPE)
  return [await Device.enrol({ url, code: await invite(username), name: '测试机', storage, fetch: net.fetch, ...more }), net]
}

export const creation = (text, more = {}) => ({ type: 'finding', id: newId(), base: 0, scope: OTHER_SCOPE, after: aFinding(text, more),
                                         names: () => Object.keys(aFinding(text, more)) })
