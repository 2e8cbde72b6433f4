/** For tests: a standing clock, keys, and tokens of any form. */
import assert from 'node:assert/strict'
import type { webcrypto } from 'node:crypto'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'jose'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Identity } from './identify.ts'

/** A clock that stands until it is moved. */
export class Standing implements Clock {
  ms: number = Date.UTC(2026, 10, 21, 12)
  nowUs(): number {
    return this.ms * 1000
  }
  monotonicMs(): number {
    return this.ms
  }
  /** Seconds since 1970. */
  get s(): number {
    return Math.floor(this.ms / 1000)
  }
  pass(seconds: number): void {
    this.ms += seconds * 1000
  }
}

export interface Key {
  readonly kid: string
  readonly alg: string
  readonly privateKey: webcrypto.CryptoKey
  readonly jwk: JWK
}

export async function makeKey(kid: string, alg = 'RS256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return { kid, alg, privateKey, jwk }
}

/** @param claims and @param header in which `undefined` takes something out. */
export function sign(
  key: Key,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const head = present({ kid: key.kid, typ: 'JWT', ...header })
  return new SignJWT(present(claims))
    .setProtectedHeader({ alg: key.alg, ...head })
    .sign(key.privateKey, { crit: { 'urn:odd': true } })
}

function present(all: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** The reason for which a token is refused, the code of another fault, or `accepted`. */
export async function reasonFor(at: Identity, sent: string, resource: string): Promise<unknown> {
  return reasonOf(() => at.identify([`Bearer ${sent}`], resource), sent)
}

export async function reasonOf(does: () => Promise<unknown>, sent = ''): Promise<unknown> {
  try {
    await does()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (sent !== '') assert.ok(!error.message.includes(sent.slice(0, 20)))
    return error.code === 'no_identity' ? error.facts['reason'] : error.code
  }
  return 'accepted'
}
