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

/** One key of the storage: `count` mutations from number `first` on, and when by the server's clock all had a receipt.
 * @typedef {{key: string, first: number, count: number, acknowledged?: number}} Batch */
/** Numbers that a restored server lacks and that are not kept here any more. @typedef {{from: number, to: number,
 *   epoch?: string}} Lost */

/** Acknowledged mutations stay this long: a server that was restored from a backup gets again what it lost. */
const KEPT_MS = 30 * 86_400_000
const ENVELOPE_BYTES = 1024

/** What a device remembers; JSON under the key `state`. `acked` is the last number with a receipt, `known` the last one
 * that the server had when its epoch was met, `asked` that number until the server has said that it is this device's. */
const nothing = () => ({
  identity: /** @type {any} */ (null),
  epoch: /** @type {string | undefined} */ (undefined),
  n: 0,
  acked: 0,
  known: 0,
  asked: /** @type {number | undefined} */ (undefined),
  batches: /** @type {Batch[]} */ ([]),
  lost: /** @type {Lost[]} */ ([]),
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
    const batch = { key: `batch.${newId()}`, first: state.n + 1, count: entries.length }
    if (entries.length) await this.storage.set(batch.key, entries)
    const batches = entries.length ? [...state.batches, batch] : state.batches
    Object.assign(state, more, { n: state.n + entries.length, batches })
    await this.save()
  }

  /** All that waits, in order, from the number on that the server expects. */
  async undelivered() {
    await this.closeGaps()
    return this.entries(this.state.acked)
  }

  /** What the server lacks and is not kept any more cannot be delivered again: `lost` names it, and what comes after it
   * takes its numbers, for they are dense. */
  async closeGaps() {
    const { state } = this
    /** @type {Batch[]} */
    const batches = []
    /** @type {Lost[]} */
    const lost = []
    let expected = state.acked + 1
    let gone = 0
    for (const one of [...state.batches, { key: '', first: state.n + 1, count: 0 }]) {
      const missing = one.first - gone - expected
      if (missing > 0) {
        lost.push({ from: one.first - missing, to: one.first - 1, epoch: state.epoch })
        gone += missing
      }
      if (one.count) batches.push({ ...one, first: one.first - gone })
      expected = Math.max(expected, one.first - gone + one.count)
    }
    if (!gone) return
    Object.assign(state, { batches, n: state.n - gone, lost: [...state.lost, ...lost] })
    await this.save()
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
   * nothing in this one: base 1 makes what others changed an overlap, so nothing is overwritten unseen. What the server
   * had when this epoch began goes as it went then.
   *
   * @param {(Entry & {n: number})[]} entries @param {number} count @param {number} bytes
   */
  batch(entries, count, bytes) {
    /** @type {Record<string, any>[]} */
    const batch = []
    let room = bytes - ENVELOPE_BYTES
    for (const { n, body, epoch } of entries.slice(0, count)) {
      const asMade = epoch === this.state.epoch || n <= this.state.known
      const mutation = { n, ...body, base: asMade ? body.base : Math.min(body.base, 1) }
      room -= new TextEncoder().encode(JSON.stringify(mutation)).length + 1
      if (batch.length && room < 0) break
      batch.push(mutation)
    }
    return batch
  }

  /**
   * Keep the receipts of a push. A mutation counts as delivered only by this.
   *
   * @param {Record<string, any>[]} batch @param {any[]} outcomes @param {string} [serverTime]
   */
  async receive(batch, outcomes, serverTime) {
    if (outcomes.length !== batch.length || outcomes.some((one, place) => one.id !== batch[place].id)) {
      throw new Unreachable('the outcomes are not those of the mutations that were sent')
    }
    for (const [place, outcome] of outcomes.entries()) this.note(batch[place], outcome.settled ?? outcome)
    const { state } = this
    state.acked = Math.max(state.acked, batch[batch.length - 1].n)
    if (state.asked !== undefined && state.acked >= state.asked) state.asked = undefined
    const stale = this.stale(Date.parse(serverTime ?? ''))
    state.batches = state.batches.slice(stale.length)
    await this.save()
    for (const { key } of stale) await this.storage.remove(key)
  }

  /** The oldest batches, as far as they have been acknowledged for long enough; the others are dated. By the server's
   * clock alone, NaN where it did not tell the time: the device's may be years off. @param {number} now */
  stale(now) {
    const { batches, acked } = this.state
    if (Number.isNaN(now)) return []
    for (const one of batches) if (one.first + one.count <= acked + 1) one.acknowledged ??= now
    const kept = batches.findIndex(({ acknowledged = now }) => acknowledged >= now - KEPT_MS)
    return batches.slice(0, kept < 0 ? batches.length : kept)
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

  /**
   * In a new epoch (the server was restored) all above its last number waits again. The mutation of that very number as
   * well: the server tells by it whether a copy of this device has used the number for another.
   *
   * @param {string} epoch @param {number} lastN
   */
  async meet(epoch, lastN) {
    const { state } = this
    const before = state.epoch
    state.epoch = epoch
    if (before === undefined || before === epoch) return
    const asks = state.batches.some(({ first, count }) => first <= lastN && lastN < first + count)
    const firstKept = state.batches[0]?.first ?? state.n + 1
    this.takeBack(asks ? lastN - 1 : lastN)
    state.acked = Math.max(state.acked, Math.min(firstKept - 1, lastN))
    Object.assign(state, { known: lastN, asked: asks ? lastN : undefined })
    await this.save()
  }

  /** The server does not have, or shall be asked for, what comes after this number. @param {number} lastN */
  takeBack(lastN) {
    const { state } = this
    state.acked = Math.min(state.acked, lastN)
    state.open = Object.fromEntries(Object.entries(state.open).filter(([, one]) => one.n <= lastN))
    for (const one of state.batches) if (one.first + one.count > lastN + 1) delete one.acknowledged
  }

  /** Become another device: what is not settled is numbered from 1, with its ids; all that is kept, when the server was
   * restored and has not said what it has of this one. @param {any} identity @param {string} epoch */
  async numberAnew(identity, epoch) {
    const { acked, open, asked } = this.state
    const restored = epoch !== this.state.epoch || asked !== undefined
    const unsettled = (await this.entries()).filter(({ n, body }) => restored || n > acked || open[body.id])
    const before = this.state.batches
    Object.assign(this.state, { identity, epoch, n: 0, acked: 0, known: 0, asked: undefined, batches: [] })
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
