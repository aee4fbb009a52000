/**
 * The outbox: mutations numbered and written down before they are sent, kept until long after. Serves `menqian.js`.
 *
 * It lives in the local database's own storage. One write of `state` commits each step: a batch of mutations lies there
 * before `state` names it, so a crash leaves the step done or not begun.
 */

import { keyOf, mutationOf } from './edits.js'
import { newId, Unreachable } from './wire.js'

/** @typedef {import('./edits.js').Edit} Edit */
/** @typedef {{get(key: string): Promise<any>, set(key: string, value: any): Promise<void>,
 *   remove(key: string): Promise<void>}} Storage JSON values by key; `get` gives null or undefined for none */
/** @typedef {{body: Record<string, any>, epoch?: string}} Entry a mutation without its number, as it was made */

/** @typedef {{type: string, id: string, n: number, op: string, base: number, outcome: string, problem: any}} Pending */

/** Acknowledged mutations stay this long: a server that was restored from a backup gets again what it lost. */
const KEPT_MS = 30 * 86_400_000
const ENVELOPE_BYTES = 1024

/** What a device remembers; JSON under the key `state`. `acked` is the last number with a receipt. */
const nothing = () => ({
  identity: /** @type {any} */ (null),
  epoch: /** @type {string | undefined} */ (undefined),
  n: 0,
  acked: 0,
  batches: /** @type {{key: string, first: number, count: number, at: number}[]} */ ([]),
  sent: /** @type {Record<string, import('./edits.js').Sent>} */ ({}),
  open: /** @type {Record<string, Pending>} */ ({}),
  awaited: /** @type {Record<string, number | null>} */ ({}),
})
/** @typedef {ReturnType<typeof nothing>} State */

export class Outbox {
  /** @param {Storage} storage @param {State} state */
  constructor(storage, state) {
    this.storage = storage
    this.state = state
  }

  /** @param {Storage} storage */
  static async open(storage) {
    return new Outbox(storage, { ...nothing(), ...await storage.get('state') })
  }

  /** Write `state` down; what was changed in it counts from then on. */
  async save() {
    await this.storage.set('state', this.state)
  }

  /** How many mutations have no receipt yet. */
  get waiting() {
    return this.state.n - this.state.acked
  }

  /** Number and keep what the edits come to. @param {Edit[]} edits */
  async add(edits) {
    const sent = { ...this.state.sent }
    const awaited = { ...this.state.awaited }
    /** @type {Entry[]} */
    const entries = []
    for (const edit of edits) {
      const key = keyOf(edit.type, edit.id)
      const made = mutationOf(edit, sent[key])
      awaited[key] ??= null
      if (!made) continue
      sent[key] = made.sent
      entries.push(entry(made.members, edit.epoch))
    }
    await this.keep(entries, { sent, awaited })
  }

  /** @param {Entry[]} entries @param {Partial<State>} more */
  async keep(entries, more = {}) {
    const { state } = this
    const batch = { key: `batch.${newId()}`, first: state.n + 1, count: entries.length, at: Date.now() }
    if (entries.length) await this.storage.set(batch.key, entries)
    const batches = entries.length ? [...state.batches, batch] : state.batches
    const stale = batches.filter((one) => one.at < Date.now() - KEPT_MS && one.first + one.count <= state.acked + 1)
    Object.assign(state, more, { n: state.n + entries.length, batches: batches.filter((one) => !stale.includes(one)) })
    await this.save()
    for (const one of stale) await this.storage.remove(one.key)
  }

  /** All that is kept, in order. @returns {Promise<(Entry & {n: number})[]>} */
  async entries(after = 0) {
    const found = []
    for (const { key, first, count } of this.state.batches) {
      if (first + count - 1 <= after) continue
      const entries = /** @type {Entry[]} */ (await this.storage.get(key))
      found.push(...entries.map((one, place) => ({ ...one, n: first + place })).filter((one) => one.n > after))
    }
    return found
  }

  /**
   * The next mutations as they are sent, at most `count` and `bytes` but at least one. Versions of another epoch say
   * nothing in this one: base 1 makes what others changed an overlap, so nothing is overwritten unseen.
   *
   * @param {(Entry & {n: number})[]} entries @param {number} count @param {number} bytes
   */
  batch(entries, count, bytes) {
    /** @type {Record<string, any>[]} */
    const batch = []
    let room = bytes - ENVELOPE_BYTES
    for (const { n, body, epoch } of entries.slice(0, count)) {
      const mutation = { n, ...body, base: epoch === this.state.epoch ? body.base : Math.min(body.base, 1) }
      room -= new TextEncoder().encode(JSON.stringify(mutation)).length + 1
      if (batch.length && room < 0) break
      batch.push(mutation)
    }
    return batch
  }

  /**
   * Keep the receipts of a push. A mutation counts as delivered only by this.
   *
   * @param {Record<string, any>[]} batch @param {any[]} outcomes
   */
  async receive(batch, outcomes) {
    if (outcomes.length !== batch.length || outcomes.some((one, place) => one.id !== batch[place].id)) {
      throw new Unreachable('the outcomes are not those of the mutations that were sent')
    }
    for (const [place, outcome] of outcomes.entries()) this.note(batch[place], outcome.settled ?? outcome)
    this.state.acked = Math.max(this.state.acked, batch[batch.length - 1].n)
    await this.save()
  }

  /** Take a mutation's latest outcome into the state. @param {Record<string, any>} mutation @param {any} outcome */
  note({ id, n, type, record_id, op, base }, outcome) {
    const { open, sent, awaited } = this.state
    const key = keyOf(type, record_id)
    const waits = outcome.outcome === 'held' || outcome.outcome === 'quarantined'
    if (waits) open[id] = { type, id: record_id, n, op, base, outcome: outcome.outcome, problem: outcome.problem }
    else delete open[id]
    if (outcome.outcome !== 'held') awaited[key] = waits ? null : outcome.version
    if (outcome.outcome === 'quarantined') delete sent[key]
  }

  /** What became of held and quarantined mutations, as a pull tells it. @param {any[]} news */
  settle(news) {
    for (const one of news) {
      const before = this.state.open[one.id]
      if (before) this.note({ ...before, id: one.id, record_id: before.id }, one)
      if (before) delete this.state.sent[keyOf(before.type, before.id)]
    }
  }

  /** In a new epoch (the server was restored) all above its last number waits again. @param {string} epoch
   * @param {number} lastN */
  meet(epoch, lastN) {
    const { state } = this
    if (state.epoch !== undefined && state.epoch !== epoch) {
      state.acked = Math.min(state.acked, lastN)
      state.open = Object.fromEntries(Object.entries(state.open).filter(([, one]) => one.n <= lastN))
    }
    state.epoch = epoch
  }

  /** Become another device: what is not settled is numbered from 1, with its ids; all that is kept, when this is
   * another epoch. @param {any} identity @param {string} epoch */
  async numberAnew(identity, epoch) {
    const { acked, open, epoch: known } = this.state
    const unsettled = (await this.entries()).filter(({ n, body }) => epoch !== known || n > acked || open[body.id])
    const before = this.state.batches
    Object.assign(this.state, { identity, epoch, n: 0, acked: 0, batches: [] })
    await this.keep(unsettled.map(({ body, epoch }) => ({ body, epoch })))
    for (const { key } of before) await this.storage.remove(key)
  }

  /** What a push tells of what is still here (protocol section 2). @param {(Entry & {n: number})[]} entries */
  health(entries) {
    const bytes = entries.reduce((sum, { body }) => sum + JSON.stringify(body).length, 0)
    return { unsent: entries.length, oldest_unsent_at: entries[0]?.body.made_at ?? null, unsent_bytes: bytes,
             device_time: new Date().toISOString() }
  }
}

/** A mutation with its own id and time. @param {Record<string, any>} members @param {string} [epoch]
 * @returns {Entry} */
export function entry(members, epoch) {
  return { body: { id: newId(), ...members, made_at: new Date().toISOString() }, epoch }
}
