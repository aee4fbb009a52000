/**
 * Calls under /api/v1: JSON out, JSON in, every failure an exception; ids and signatures. Serves `menqian.js`.
 *
 * Nothing here knows a rule; the contract is docs/protocol.md, sections 0 to 2.
 */

const ANSWER_MS = 60_000

/** No answer, or none that this protocol knows (a captive portal's page). Whether the request arrived is open. */
export class Unreachable extends Error {}

/** A refusal of RFC 9457. `action` tells what to do, `retryAfterS` is in seconds, `body` is the whole document. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} body
   * @param {string | null} [retryAfter]
   */
  constructor(status, body, retryAfter) {
    super(`${status} ${body.code ?? ''}: ${body.detail ?? ''}`)
    this.status = status
    this.code = body.code ?? `http_${status}`
    this.action = body.action ?? 'none'
    this.retryAfterS = retryAfter ? Number(retryAfter) : undefined
    this.body = body
  }
}

/** Speaks to one server; `identity` may hold a token and a private key as JWK. */
export class Wire {
  /**
   * @param {{url: string, token?: string, key?: JsonWebKey | null}} identity
   * @param {typeof fetch} fetch
   */
  constructor(identity, fetch) {
    this.identity = identity
    this.fetch = fetch
  }

  /** @param {string} path @param {Record<string, any>} [given] */
  get(path, given = {}) {
    const named = Object.entries(given).filter(([, value]) => value !== null && value !== undefined)
    const query = new URLSearchParams(named.map(([name, value]) => [name, String(value)]))
    return this.call('GET', named.length ? `${path}?${query}` : path)
  }

  /** POST JSON; signed when the device has a key. @param {string} path @param {any} body */
  async post(path, body) {
    const content = new TextEncoder().encode(JSON.stringify(body))
    /** @type {Record<string, string>} */
    const headers = { 'Content-Type': 'application/json' }
    if (this.identity.key) headers['Menqian-Signature'] = await sign(this.identity.key, content)
    return this.call('POST', path, content, headers)
  }

  /**
   * @param {string} method @param {string} path @param {Uint8Array<ArrayBuffer>} [content]
   * @param {Record<string, string>} [headers]
   */
  async call(method, path, content, headers = {}) {
    const { url, token } = this.identity
    if (token) headers.Authorization = `Bearer ${token}`
    let answer, body
    try {
      const signal = AbortSignal.timeout?.(ANSWER_MS)
      answer = await this.fetch(`${url}/api/v1${path}`, { method, headers, body: content, signal })
      body = await answer.json()
    } catch (error) {
      if (answer && answer.status >= 400) throw new Problem(answer.status, {}, answer.headers.get('Retry-After'))
      throw new Unreachable(`${method} ${path}: ${error}`)
    }
    if (!answer.ok) throw new Problem(answer.status, body ?? {}, answer.headers.get('Retry-After'))
    return body
  }
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }

/** A fresh P-256 key: [public, private] as JWK. */
export async function newKey() {
  const pair = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return [{ kty, crv, x, y }, await crypto.subtle.exportKey('jwk', pair.privateKey)]
}

/** base64url of the raw 64-byte signature (r||s). @param {JsonWebKey} jwk @param {Uint8Array<ArrayBuffer>} content */
async function sign(jwk, content) {
  const key = await crypto.subtle.importKey('jwk', jwk, CURVE, false, ['sign'])
  const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, content)
  return btoa(String.fromCharCode(...new Uint8Array(raw))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** A UUID of version 7 (RFC 9562 section 5.7): what a record's id must be. */
export function newId() {
  const raw = crypto.getRandomValues(new Uint8Array(16))
  const at = Date.now()
  for (let place = 0; place < 6; place += 1) raw[place] = Math.floor(at / 2 ** (8 * (5 - place))) % 256
  raw[6] = 0x70 | (raw[6] & 0x0f)
  raw[8] = 0x80 | (raw[8] & 0x3f)
  const hex = Array.from(raw, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
