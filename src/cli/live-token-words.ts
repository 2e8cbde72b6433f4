/** An access token taken apart for an explanation. Nothing here is verified or decided. */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { JWTPayload, ProtectedHeaderParameters } from 'jose'
import { randomBytes } from 'node:crypto'
import type { Config, Path } from '../config/config.ts'
import type { IssuerConfig } from '../config/types.ts'
import { createMasker } from '../mask/masker.ts'
import { oneLine } from '../replay/plain.ts'

export interface OpenedToken {
  readonly header: ProtectedHeaderParameters
  readonly claims: JWTPayload
}

/** One step of the explanation. */
export interface Step {
  readonly what: string
  readonly verdict: 'ok' | 'doubt' | 'wrong'
  readonly message: string
  /** Where in the configuration it can be changed. */
  readonly path?: Path
}

/** What a token is held against. */
export interface TokenCase extends OpenedToken {
  readonly config: Config
  /** The issuer of the configuration it comes from, and its place. */
  readonly row: IssuerConfig
  readonly rowPath: Path
  /** `{public_url}/mcp/{connection}` */
  readonly resource: string
  /** Of this issuer's tokens, from `iat` to `exp`. */
  readonly lifetimeMaxS: number
  readonly nowMs: number
}

export const ok = (what: string, message: string): Step => ({ what, verdict: 'ok', message })
export const doubt = (what: string, message: string, path?: Path): Step => ({
  what,
  verdict: 'doubt',
  message,
  ...(path === undefined ? {} : { path }),
})
export const bad = (what: string, message: string, path?: Path): Step => ({
  what,
  verdict: 'wrong',
  message,
  ...(path === undefined ? {} : { path }),
})

/** @returns undefined for what is no signed JWT. */
export function openToken(token: string): OpenedToken | undefined {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
  } catch {
    return undefined // Told as that; the library's words would quote it.
  }
}

const saidMax = 160
const masker = createMasker({ sealKey: randomBytes(32) })

/** A claim for a person to read: one line, masked, cut. Whoever made the token wrote it. */
export function said(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  const cut = text.length > saidMax ? `${text.slice(0, saidMax)}…` : text
  return oneLine(masker.word(cut).value)
}

/** Several of them, `a, b, c`, the first twenty. */
export function listed(values: readonly unknown[]): string {
  const shown = values.slice(0, 20).map(said)
  const more = values.length > shown.length ? [`and ${values.length - shown.length} more`] : []
  return [...shown, ...more].join(', ') || 'nothing'
}
