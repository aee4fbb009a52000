/**
 * One enrolled device for a local database that exists already: push with dense numbers and a durable outbox, pull with
 * a cursor. Serves `watermelon.js`, `rxdb.js` and anybody who writes another adapter.
 *
 * It holds no rule: merging, conflicts and rights are the server's. What it guarantees is delivery: a mutation is
 * numbered and written down before it is sent, sent until its receipt is written down, and after that the record as the
 * server has it comes with a pull, by the log or fetched by itself.
 */

import { keyOf } from './edits.js'
import { entry, Outbox } from './outbox.js'
import { newKey, Problem, Unreachable, Wire } from './wire.js'

export { newId, Problem, Unreachable } from './wire.js'

/** @typedef {import('./edits.js').Edit} Edit */
/** @typedef {{type: string, id: string, op: string, version?: number, scope?: string, fields?: Record<string, any>,
 *   created_at?: string, created_by?: string, updated_at?: string, epoch?: string}} Change one of a pull's changes */
/** @typedef {{version?: number, epoch?: string, shows(change: Change): boolean}} Row what the database holds of a record */
/** @typedef {(type: string, ids: string[]) => Promise<Map<string, Row>>} Rows the rows that there are, by id */

export class Device {
  /** @param {Outbox} outbox @param {typeof fetch} fetch */
  constructor(outbox, fetch) {
    this.outbox = outbox
    this.wire = new Wire(outbox.state.identity, fetch)
    /** @type {Promise<any>} */
    this.last = Promise.resolve()
    /** Why the last delivery before a pull failed; undefined when it did not. @type {Problem | Unreachable | undefined} */
    this.refusal = undefined
  }

  /**
   * Enrol with an invitation code. `sign: false` where there is no WebCrypto; what comes is then marked `unsigned`.
   *
   * @param {{url: string, code: string, name: string, storage: import('./outbox.js').Storage, platform?: string,
   *   appVersion?: string, sign?: boolean, fetch?: typeof fetch}} given
   */
  static async enrol({ url, code, name, storage, platform = 'web', appVersion = '1.0.0', sign = true,
                       fetch = globalThis.fetch }) {
    const outbox = await Outbox.open(storage)
    if (outbox.state.identity) throw new Error('this storage holds a device already; open it')
    const known = { url, name, platform, appVersion, sign }
    Object.assign(outbox.state, await enrolled(known, code, fetch))
    await outbox.save()
    return new Device(outbox, fetch)
  }

  /** The device that was enrolled in this storage. @param {{storage: import('./outbox.js').Storage,
   * fetch?: typeof fetch}} given */
  static async open({ storage, fetch = globalThis.fetch }) {
    const outbox = await Outbox.open(storage)
    if (!outbox.state.identity) throw new Error('no enrolled device in this storage')
    return new Device(outbox, fetch)
  }

  /** Go on under a new invitation (`device_forked`, `device_revoked`): nothing unsettled is dropped.
   * @param {string} code */
  enrolAnew(code) {
    return this.alone(async () => {
      const { identity, epoch } = await enrolled(this.outbox.state.identity, code, this.wire.fetch)
      await this.outbox.numberAnew(identity, epoch)
      this.wire.identity = identity
    })
  }

  /** Held and quarantined mutations of this device that nobody has settled yet. @returns {import('./outbox.js').Pending[]} */
  get problems() {
    return Object.values(this.outbox.state.open)
  }

  /** What could not be delivered again to a restored server, oldest first: its backup was older than what is kept here.
   * @returns {import('./outbox.js').Lost[]} */
  get lost() {
    return this.outbox.state.lost
  }

  /**
   * Put the edits into the outbox and deliver all of it. Raises Problem and Unreachable; what is in the outbox stays.
   *
   * @param {Edit[]} edits
   * @returns {Promise<Map<string, any>>} the last outcome of each record of which a mutation was delivered, by `keyOf`
   */
  push(edits) {
    return this.alone(async () => {
      await this.outbox.add(edits)
      return this.deliver()
    })
  }

  /**
   * A command on a record (protocol section 4); it goes with the outbox.
   *
   * @param {{type: string, id: string, base: number, epoch?: string, name: string, args?: any, expect?: any}} given
   */
  command({ type, id, base, epoch, name, args = {}, expect }) {
    const command = { name, args, ...expect && { expect } }
    return this.alone(async () => {
      await this.outbox.keep([entry({ type, record_id: id, base, op: 'command', command }, epoch)])
      return (await this.deliver()).get(keyOf(type, id))
    })
  }

  /**
   * What changed after the cursor, each record once. Where the server asks for it (action `resnapshot`) all is read
   * from the beginning, as with `whole`, which says that what is not among the changes is not there any more.
   *
   * @param {string | null | undefined} cursor
   * @param {{types: string[], rows: Rows, whole?: boolean, enough?: number}} given of the other types nothing is given;
   *   `enough` changes end it before there are no more
   * @returns {Promise<{changes: Change[], cursor: string, more: boolean, whole: boolean}>}
   */
  pull(cursor, { types, rows, whole = false, enough = Infinity }) {
    return this.alone(async () => {
      await this.deliverIfAny()
      /** @type {Map<string, Change>} */
      const changes = new Map()
      let page
      if (whole) cursor = undefined
      do {
        page = await this.page(cursor)
        if (page.begunAgain) {
          whole = true
          changes.clear()
        }
        cursor = page.cursor
        for (const change of page.changes) {
          if (types.includes(change.type)) changes.set(keyOf(change.type, change.id), { ...change, epoch: page.epoch })
        }
      } while (page.more && (whole || changes.size < enough))
      await this.deliverIfAny()
      if (!page.more) await this.refresh(changes, types, rows, enough - 1 - changes.size)
      await this.outbox.save()
      return { changes: [...changes.values()], cursor: page.cursor, more: page.more, whole }
    })
  }

  /** The record as the server has it for this device; a `forget` when it shows none. @param {string} type
   * @param {string} id @returns {Promise<Change>} */
  async record(type, id) {
    try {
      return { ...await this.wire.get(`/records/${type}/${encodeURIComponent(id)}`), op: 'put', epoch: this.outbox.state.epoch }
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 404) throw problem
      return { type, id, op: 'forget' }
    }
  }

  /** Does the server hold an edit of this record back, or has it its creation in quarantine? Then the row stays as it
   * is until that is settled. @param {string} type @param {string} id */
  isPending(type, id) {
    return this.problems.some((one) => one.type === type && one.id === id
      && (one.outcome === 'held' || (one.op === 'put' && one.base === 0)))
  }

  /** See to it that the record comes again with a pull. @param {string} type @param {string} id */
  wantAgain(type, id) {
    this.outbox.state.awaited[keyOf(type, id)] ??= null
    return this.outbox.save()
  }

  /** One after another, so that numbers are dense and the state is nobody else's meanwhile.
   * @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  alone(work) {
    const done = this.last.then(work)
    this.last = done.catch(() => undefined) // whoever asked for it learns of the failure; the next one begins anew
    return done
  }

  /** @returns {Promise<Map<string, any>>} */
  async deliver() {
    const { outbox } = this
    /** @type {Map<string, any>} */
    const outcomes = new Map()
    if (!outbox.waiting) return outcomes
    const hello = await this.wire.get('/hello')
    await outbox.meet(hello.epoch, hello.device.last_n)
    let count = hello.limits.mutations_per_push
    let expected = 0
    let entries = await outbox.undelivered()
    while (entries.length) {
      const batch = outbox.batch(entries, count, hello.limits.push_bytes)
      try {
        const answer = await this.wire.post('/sync/push', { mutations: batch, health: outbox.health(entries) })
        await outbox.receive(batch, answer.outcomes, answer.server_time)
        for (const [place, outcome] of answer.outcomes.entries()) {
          outcomes.set(keyOf(batch[place].type, batch[place].record_id), outcome.settled ?? outcome)
        }
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem
        if (problem.status === 413 && batch.length > 1) count = Math.ceil(batch.length / 2)
        else if (problem.code === 'sequence_gap' && problem.body.expect !== expected) {
          expected = problem.body.expect // the server lacks what it once acknowledged: deliver again from there
          outbox.takeBack(expected - 1)
        } else throw problem
      }
      entries = await outbox.undelivered()
    }
    return outcomes
  }

  /** Before a pull: a refusal is noted, for what the others did can be shown all the same. */
  async deliverIfAny() {
    this.refusal = undefined
    try {
      await this.deliver()
    } catch (problem) {
      if (!(problem instanceof Problem || problem instanceof Unreachable)) throw problem
      this.refusal = problem
    }
  }

  /** The next page, the first one where the cursor is not taken any more. @param {string | null | undefined} cursor */
  async page(cursor) {
    let page
    try {
      page = await this.wire.get('/sync/pull', { cursor })
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.action !== 'resnapshot' || !cursor) throw problem
      page = { ...await this.wire.get('/sync/pull'), begunAgain: true }
    }
    await this.outbox.meet(page.epoch, page.last_n)
    this.outbox.settle(page.settled)
    return page
  }

  /**
   * Add what an edit needs to be followed by and the log did not bring: the server changed nothing by it, or the record
   * left the scope. It is awaited until the database holds it, which a crash may put off.
   *
   * @param {Map<string, Change>} changes @param {string[]} types @param {Rows} rows @param {number} room
   */
  async refresh(changes, types, rows, room) {
    const { awaited, sent, epoch } = this.outbox.state
    for (const type of types) {
      const held = await rows(type, idsOf(type, { ...awaited, ...sent }))
      for (const id of idsOf(type, sent)) {
        const { base, epoch: of } = sent[keyOf(type, id)]
        const row = held.get(id)
        if (!row || (row.version ?? 0) !== base || row.epoch !== of) delete sent[keyOf(type, id)]
      }
      for (const id of idsOf(type, awaited)) {
        const key = keyOf(type, id)
        const version = awaited[key]
        const row = held.get(id)
        if (version !== null && row && row.epoch === epoch && (row.version ?? 0) >= version) delete awaited[key]
        else if ((version === null || (changes.get(key)?.version ?? 0) < version) && room > 0) {
          const change = await this.record(type, id)
          const gone = change.op !== 'put' && !row
          if (gone || row?.shows(change) || this.isPending(type, id)) delete awaited[key]
          else changes.set(key, change)
          room -= 1
        }
      }
    }
  }
}

/** The ids of this type among keys. @param {string} type @param {Record<string, any>} keyed */
function idsOf(type, keyed) {
  return Object.keys(keyed).filter((key) => key.startsWith(`${type} `)).map((key) => key.slice(type.length + 1))
}

/**
 * What an enrolment gave, to be kept with what was asked for.
 *
 * @param {{url: string, name: string, platform: string, appVersion: string, sign: boolean}} known
 * @param {string} code @param {typeof fetch} fetch
 */
async function enrolled({ url, name, platform, appVersion, sign }, code, fetch) {
  const [publicKey, key] = sign ? await newKey() : [undefined, null]
  const body = { code, name, platform, app_version: appVersion, ...publicKey && { public_key: publicKey } }
  const { device_id: id, token, hello } = await new Wire({ url }, fetch).post('/devices', body)
  return { identity: { url, name, platform, appVersion, sign, id, token, key }, epoch: hello.epoch }
}
