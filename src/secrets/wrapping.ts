/**
 * Keys under keys: a data key is kept only wrapped, and what unwraps it lives elsewhere.
 *
 *   key-encryption key (file, Azure Key Vault, Vault transit) --wraps--> 32-byte data key
 *
 * A wrapped key is bound to a context, such as the log's name and the month: put in the place of
 * another one it does not unwrap.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import type { FaultCode } from '../base/fault.ts'
import type { Blame } from './trouble.ts'

const kinds = ['file', 'keyvault', 'vault'] as const
export type WrapperKind = (typeof kinds)[number]

/** A data key as it may be stored: without its key-encryption key it says nothing. */
export interface WrappedKey {
  readonly kind: WrapperKind
  /** The key-encryption key with its version; the forms stand at each wrapper. */
  readonly by: string
  /** Base64 for `file`, base64url for `keyvault`, `vault:v1:…` for `vault`. */
  readonly wrapped: string
}

/** Wraps and unwraps 32-byte keys by a key-encryption key that never leaves where it is kept. All
 *  methods reject with a `Fault`: `config_bad` where settings are wrong, else `secret_missing`
 *  with a `WrapReason` in `facts.reason`. */
export interface KeyWrapper {
  readonly kind: WrapperKind
  /** Names the key-encryption key now in use, version included; safe to record and print. */
  current(): Promise<string>
  /** Wraps by the current version. What comes back has been unwrapped once and was the same.
   *  @param key 32 bytes. @param context 1 to 1,024 bytes of UTF-8, no secret. */
  wrap(key: Uint8Array, context: string): Promise<WrappedKey>
  /** The 32 bytes again, by whichever version wrapped them. The caller may overwrite them. */
  unwrap(wrapped: WrappedKey, context: string): Promise<Uint8Array>
  /** The same key under the current version; the very same value where it already is. Keep the old
   *  one until the new one is durable. */
  rewrap(wrapped: WrappedKey, context: string): Promise<WrappedKey>
}

/**
 * Why a wrapper could not do it, in `facts.reason`. The first row may pass by itself, and carries
 * `facts.isTransient`; the second needs a person; the third speaks of what was stored.
 */
export type WrapReason =
  | 'kek_down'
  | 'kek_timeout'
  | 'kek_throttled'
  | 'kek_sealed'
  //
  | 'kek_settings'
  | 'kek_denied'
  | 'kek_unknown'
  | 'kek_disabled'
  | 'kek_unfit'
  | 'kek_answer'
  //
  | 'wrapped_foreign'
  | 'wrapped_bad'
  | 'wrapped_elsewhere'

const transient: ReadonlySet<WrapReason> = new Set([
  'kek_down',
  'kek_timeout',
  'kek_throttled',
  'kek_sealed',
])

/** @param why a clause for "The key-encryption key … cannot be used: …"; never a value. */
export function wrapFault(
  reason: WrapReason,
  why: string,
  more: { readonly kind: WrapperKind; readonly cause?: unknown },
): Fault {
  const { kind, cause } = more
  const code: FaultCode = reason === 'kek_settings' ? 'config_bad' : 'secret_missing'
  const what = reason.startsWith('kek') ? 'The key-encryption key' : 'A wrapped key'
  return new Fault(code, `${what} (${kind}) cannot be used: ${why}.`, {
    cause,
    facts: { reason, kind, isTransient: transient.has(reason) },
  })
}

/** Words for what goes wrong while a key-encryption key's service is asked. */
export function wrapBlame(kind: WrapperKind): Blame {
  return (trouble, why, cause) => wrapFault(`kek_${trouble}`, why, { kind, cause })
}

export const keyBytes = 32
const byMax = 512
const wrappedMax = 4_096
const contextBytesMax = 1_024

/**
 * A wrapped key as it was stored.
 * @param value parsed JSON: an object of `kind`, `by` and `wrapped`, and nothing else.
 * @throws {Fault} `secret_missing`, reason `wrapped_bad`, when it is not one.
 */
export function parseWrapped(value: unknown): WrappedKey {
  const kind = kinds.find((each) => each === memberOf(value, 'kind'))
  if (kind === undefined || typeof value !== 'object' || value === null)
    throw wrapFault('wrapped_bad', 'it is of no known kind', { kind: 'file' })
  const by = memberOf(value, 'by')
  const wrapped = memberOf(value, 'wrapped')
  const isWhole =
    isPlain(by, byMax) && isPlain(wrapped, wrappedMax) && Object.keys(value).length === 3
  if (isWhole) return { kind, by, wrapped }
  throw wrapFault('wrapped_bad', 'it has not the members kind, by and wrapped', { kind })
}

/** Visible ASCII of 1 to `max` characters. */
function isPlain(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max && /^[\x21-\x7e]+$/.test(value)
}

/** A member of a parsed JSON object; undefined for everything else. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value
}

/** @throws {Fault} `secret_missing` for a key of another size or a context out of bounds. */
export function checkInput(kind: WrapperKind, key: Uint8Array, context: string): void {
  if (key.length !== keyBytes) {
    throw wrapFault('wrapped_bad', `a key has ${keyBytes} bytes, this one ${key.length}`, { kind })
  }
  checkContext(kind, context)
}

/** @throws {Fault} `secret_missing`, reason `wrapped_bad`. */
export function checkContext(kind: WrapperKind, context: string): void {
  const size = Buffer.byteLength(context)
  if (size >= 1 && size <= contextBytesMax && context.isWellFormed()) return
  const why = `its context must have 1 to ${contextBytesMax} bytes of UTF-8`
  throw wrapFault('wrapped_bad', why, { kind })
}

/** @throws {Fault} `secret_missing`, reason `wrapped_foreign`, for one of another kind. */
export function checkKind(kind: WrapperKind, wrapped: WrappedKey): void {
  if (wrapped.kind === kind) return
  const why = `it was wrapped by a key of kind ${wrapped.kind}; configure that one to unwrap it`
  throw wrapFault('wrapped_foreign', why, { kind })
}

/** Base64 in its one canonical spelling (RFC 4648 §3.5), or undefined. */
export function decodeExact(text: unknown, form: 'base64' | 'base64url'): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = Buffer.from(text, form)
  return bytes.toString(form) === text ? bytes : undefined
}

/**
 * What a service is given to wrap, 64 bytes. The context is committed to inside, because neither
 * RSA-OAEP in Key Vault nor `rewrap` of Vault takes associated data:
 *
 *   | key, 32 bytes | SHA-256("sallyport wrapped key v1" 0x00 context), 32 bytes |
 */
export function pack(key: Uint8Array, context: string): Buffer {
  return Buffer.concat([key, commitment(context)])
}

/**
 * The key out of what a service unwrapped; `packed` is overwritten with zeros.
 * @throws {Fault} `secret_missing`: `wrapped_bad` when it is no such thing, `wrapped_elsewhere`
 *   when it was wrapped for another context.
 */
export function unpack(kind: WrapperKind, packed: Buffer, context: string): Uint8Array {
  try {
    if (packed.length !== 2 * keyBytes) {
      throw wrapFault('wrapped_bad', 'what it unwraps to is no key of ours', { kind })
    }
    if (!timingSafeEqual(packed.subarray(keyBytes), commitment(context))) {
      throw wrapFault('wrapped_elsewhere', 'it was wrapped for another place', { kind })
    }
    return Uint8Array.from(packed.subarray(0, keyBytes))
  } finally {
    packed.fill(0)
  }
}

function commitment(context: string): Buffer {
  return createHash('sha256').update('sallyport wrapped key v1\0').update(context).digest()
}
