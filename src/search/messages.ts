/** What passes between the gateway's thread and those of the index. */
import type { FaultCode, FaultFacts } from '../base/fault.ts'
import type { WrappedKey, WrapperKind } from '../secrets/wrapping.ts'
import type { Found, SearchOptions } from './item.ts'
import type { Query } from './query.ts'
import type { WordKind } from './schema.ts'

/** What a thread is started with. */
export interface Setting {
  /** The one that writes the index, or the one that searches it. */
  readonly role: 'write' | 'search'
  /** `DATA/index` and `DATA/record`. */
  readonly indexDir: string
  readonly recordDir: string
  /** `DATA/keys/months`; undefined where bodies are not encrypted. */
  readonly keysDir: string | undefined
  /** Keys are unwrapped by the thread that started this one: here is how it does it. */
  readonly wrapperKind: WrapperKind
  readonly indexOutputs: boolean
  readonly cardSearch: boolean
  readonly cacheKib: number
}

/** To a thread. `id` comes back with the answer. */
export type Ask =
  | {
      readonly kind: 'search'
      readonly id: number
      readonly query: Query
      readonly options: SearchOptions
    }
  | {
      readonly kind: 'names'
      readonly id: number
      readonly of: WordKind
      readonly start: string
      readonly limit: number
    }
  /** Read the log to its end now. */
  | { readonly kind: 'read'; readonly id: number }
  | { readonly kind: 'forget' | 'remove' | 'aside'; readonly id: number; readonly month: string }
  | { readonly kind: 'rebuild'; readonly id: number }
  | { readonly kind: 'stop'; readonly id: number }
  | { readonly kind: 'unwrapped'; readonly id: number; readonly key: Uint8Array | undefined }

/** From a thread. */
export type Tell =
  | {
      readonly kind: 'done'
      readonly id: number
      readonly value: Found | readonly string[] | undefined
    }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: PlainFault }
  | {
      readonly kind: 'unwrap'
      readonly id: number
      readonly wrapped: WrappedKey
      readonly context: string
    }
  | { readonly kind: 'state'; readonly state: ReadState }

/** How the thread that writes is doing. */
export interface ReadState {
  /** By writer, the index of the first entry that is not in the index. */
  readonly next: Readonly<Record<string, number>>
  /** Entries taken in since the thread started. */
  readonly entries: number
  /** Why it waits; undefined while all is well. */
  readonly fault: PlainFault | undefined
}

/** A fault without its cause, which may quote. */
export interface PlainFault {
  readonly code: FaultCode
  readonly message: string
  readonly facts: FaultFacts
}
