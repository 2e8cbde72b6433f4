/**
 * The quick look: reads the bytes of a whole message and says where a careful one is needed. It finds
 * nothing itself; where it sees no spot, and no name, the careful scanner would find nothing.
 *
 * The work is done by a WebAssembly module (`kernel/kernel.as`) with vectors of 16 bytes. Its memory
 * is fixed: the message passes through it in windows of 32 KB, each with 2 KB of what stands in front
 * and behind.
 */
import { readFileSync } from 'node:fs'
import { writeTables } from './kernel/tables.ts'
import type { Layout } from './kernel/tables.ts'

interface Kernel {
  readonly memory: Uint8Array
  readonly spots: Int32Array
  readonly layout: Layout
  readonly window: number
  readonly windowBytes: number
  readonly marginBytes: number
  begin(): void
  read(bytes: number, isLast: number): number
  hasSecretName(): number
  operations(): number
}

/** Zeros behind a message: no vector of the kernel reads further. */
const zeroBytes = 256
/** Spots nearer than this become one, as in `found.as`. */
const near = 64

const kernel = start()

/** Places in a message which need a careful look. Keep one and use it again: its arrays grow and stay. */
export class Spots {
  /** How many there are. */
  count = 0
  /** Where spot i begins; ascending. */
  at: Int32Array = new Int32Array(64)
  /** Where it ends. Spots do not touch. */
  to: Int32Array = new Int32Array(64)
  /**
   * A name of a verification value, PIN or track may stand in the message as a key or header, and a
   * digit does: what they name has no spot, so all of it is to be looked at.
   */
  hasSecretName = false
  /** Steps of the part that goes byte by byte; grows with the message and never faster. */
  steps = 0

  /** Reads a message, or any other bytes. Windows may be made smaller, for tests: by 64 bytes. */
  read(bytes: Uint8Array, windowBytes: number = kernel.windowBytes): void {
    const { memory, window, marginBytes } = kernel
    const { length } = bytes
    this.count = 0
    kernel.begin()
    memory.fill(0, window - marginBytes, window)
    let base = 0
    do {
      const from = Math.max(0, base - marginBytes)
      const to = Math.min(length, base + windowBytes + marginBytes)
      const part = from === 0 && to === length ? bytes : bytes.subarray(from, to)
      memory.set(part, window - (base - from))
      const end = window + to - base
      if (to === length) memory.fill(0, end, end + zeroBytes)
      const isLast = base + windowBytes >= length
      const found = kernel.read(Math.min(windowBytes, length - base), isLast ? 1 : 0)
      for (let i = 0; i < found; i++) {
        this.#add(base + (kernel.spots[i * 2] ?? 0), base + (kernel.spots[i * 2 + 1] ?? 0), length)
      }
      base += windowBytes
    } while (base < length)
    this.hasSecretName = kernel.hasSecretName() !== 0
    this.steps = kernel.operations()
  }

  /** Spots of one window are ascending; the first may reach back into what was found before it. */
  #add(start: number, end: number, length: number): void {
    let from = Math.max(0, start)
    let to = Math.min(end, length)
    while (this.count > 0 && from <= (this.to[this.count - 1] ?? 0) + near) {
      this.count--
      from = Math.min(from, this.at[this.count] ?? 0)
      to = Math.max(to, this.to[this.count] ?? 0)
    }
    if (this.count === this.at.length) this.#grow()
    this.at[this.count] = from
    this.to[this.count++] = to
  }

  #grow(): void {
    const [at, to] = [this.at, this.to]
    this.at = new Int32Array(this.count * 2)
    this.to = new Int32Array(this.count * 2)
    this.at.set(at)
    this.to.set(to)
  }
}

/** @throws {Error} when this runtime has no WebAssembly with vectors of 128 bits. */
function start(): Kernel {
  const binary = readFileSync(new URL('./kernel/kernel.wasm', import.meta.url))
  let made: WebAssembly.Instance
  try {
    made = new WebAssembly.Instance(new WebAssembly.Module(binary))
  } catch (cause) {
    throw new Error(
      'This runtime cannot run the card scanner, which needs WebAssembly with 128-bit SIMD: use the Node that package.json pins.',
      { cause },
    )
  }
  const { exports } = made
  const memory = exports['memory']
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('The kernel exports no memory.')
  const bytes = new Uint8Array(memory.buffer)
  const place = (name: string): number => {
    const value: unknown = exports[name]
    return value instanceof WebAssembly.Global ? Number(value.value) : 0
  }
  const call = (name: string): ((...values: number[]) => number) => {
    const value: unknown = exports[name]
    if (typeof value !== 'function') throw new Error(`The kernel does not export ${name}.`)
    return (...values) => Number(value(...values))
  }
  const layout: Layout = {
    BASE64: place('BASE64'),
    CLASSES: place('CLASSES'),
    CODES: place('CODES'),
    ENDS: place('ENDS'),
    NODES: place('NODES'),
    SPOTS: place('SPOTS'),
    PLANES: place('PLANES'),
    VECTORS: place('VECTORS'),
  }
  writeTables(bytes, layout)
  return {
    memory: bytes,
    spots: new Int32Array(memory.buffer, layout.SPOTS),
    layout,
    window: place('WINDOW'),
    windowBytes: place('WINDOW_BYTES'),
    marginBytes: place('MARGIN_BYTES'),
    begin: call('begin'),
    read: call('read'),
    hasSecretName: call('hasSecretName'),
    operations: call('operations'),
  }
}
