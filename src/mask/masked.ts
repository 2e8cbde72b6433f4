/**
 * The two values that prove masking. Neither class leaves this file, and each is made only by the
 * check that gives it its meaning: a rescan of the very bytes it holds.
 */
import { Sweeper } from '../cards/sweep.ts'
import { Fault } from '../base/fault.ts'
import { cardToken } from './card-token.ts'
import type { TokenKey } from './card-token.ts'

class MaskedValue<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }
}

class DeliverableBytes {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }
}

/** A value that holds no card data in clear: it may be written to the record. */
export type Masked<T> = MaskedValue<T>

/** Bytes that hold what their receiver may see, and no more: they may be sent to the client. */
export type Deliverable = DeliverableBytes

/** Where a masker wrote, in offsets of its output: pairs of start and end, ascending. */
export interface Written {
  /** Verification values, PINs, tracks that were removed. */
  readonly secrets: Int32Array
  /** Card numbers left in clear because the plan says so. */
  readonly clear: Int32Array
}

const sweeper = new Sweeper()
const nowhere = new Int32Array(0)
/** Nothing was written, nothing may be in clear. */
export const untouched: Written = { secrets: nowhere, clear: nowhere }

/**
 * Masked bytes for the record.
 * @throws {Fault} `mask_failed` when a card number stands in them, or a removed value still does.
 */
export function keep(bytes: Uint8Array, written: Written): Masked<Uint8Array> {
  check(bytes, written.secrets, nowhere, 'record')
  return new MaskedValue(bytes)
}

/**
 * Bytes for the client; card numbers may stand in `written.clear` and nowhere else.
 * @throws {Fault} `mask_failed` as `keep`.
 */
export function deliver(bytes: Uint8Array, written: Written): Deliverable {
  check(bytes, written.secrets, written.clear, 'delivery')
  return new DeliverableBytes(bytes)
}

/** The same bytes for both, checked once. */
export function keepAndDeliver(
  bytes: Uint8Array,
  written: Written,
): { kept: Masked<Uint8Array>; shown: Deliverable } {
  check(bytes, written.secrets, nowhere, 'record')
  return { kept: new MaskedValue(bytes), shown: new DeliverableBytes(bytes) }
}

/**
 * A masked plain value: every string in it (keys too) is looked at.
 * @throws {Fault} `mask_failed` when one of them holds a card number.
 */
export function keepValue<T>(value: T): Masked<T> {
  const json = JSON.stringify(value)
  if (json !== undefined) check(Buffer.from(json), nowhere, nowhere, 'record')
  return new MaskedValue(value)
}

/** The tokens of card numbers, which hold nothing else. */
export function keepTokens(
  numbers: readonly string[],
  key: TokenKey,
): Masked<readonly Uint8Array[]> {
  return new MaskedValue(numbers.map((number) => cardToken(number, key)))
}

function check(bytes: Uint8Array, secrets: Int32Array, clear: Int32Array, leg: string): void {
  const at = sweeper.sweep(bytes, clear)
  if (at >= 0) throw failed(leg, at)
  for (let i = 0; i < secrets.length; i += 2) {
    const end = secrets[i + 1] ?? 0
    for (let p = secrets[i] ?? 0; p < end; p++) {
      const b = bytes[p] ?? 0
      if (b >= 0x31 && b <= 0x39) throw failed(leg, p)
    }
  }
}

function failed(leg: string, offset: number): Fault {
  return new Fault(
    'mask_failed',
    `The rescan for the ${leg} found card data at byte ${offset} after masking; the message is withheld.`,
    { facts: { reason: 'rescan', leg, offset } },
  )
}
