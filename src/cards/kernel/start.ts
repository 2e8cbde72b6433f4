/**
 * The compiled kernel, started once, and the window through which messages pass. Its memory is fixed:
 * windows of 32 KB, each with 2 KB of what stands in front and behind.
 */
import { readFileSync } from 'node:fs'
import { writeTables } from './tables.ts'
import type { Layout } from './tables.ts'

interface Kernel {
  readonly memory: Uint8Array
  /** Spots of the window: pairs of start and end, from the window's start. */
  readonly spots: Int32Array
  /** Ends of runs of digits of the window. */
  readonly ends: Uint16Array
  readonly window: number
  readonly windowBytes: number
  readonly marginBytes: number
  /** What `rows.as` knows of glue, 512 bytes each, and where it says what it came to. */
  readonly glues: Int32Array
  readonly passed: Int32Array
  readonly cards: Int32Array
  readonly textSpots: Int32Array
  readonly text: number
  readonly textBytes: number
  begin(): void
  read(bytes: number, isLast: number): number
  hasSecretName(): number
  hasBase64(): number
  operations(): number
  beginRuns(): void
  runs(bytes: number): number
  pass(
    from: number,
    end: number,
    after: number,
    frame: number,
    outer: number,
    marks: number,
  ): number
  beginText(): void
}

/** Zeros behind a message: no vector of the kernel reads further. */
const zeroBytes = 256

export const kernel: Kernel = start()

/**
 * Moves the window on to the bytes of a message from `base` on, with those in front and behind.
 * @returns how many bytes the window has.
 */
export function feed(bytes: Uint8Array, base: number, windowBytes: number): number {
  const { memory, window, marginBytes } = kernel
  const { length } = bytes
  if (base === 0) memory.fill(0, window - marginBytes, window)
  const from = Math.max(0, base - marginBytes)
  const to = Math.min(length, base + windowBytes + marginBytes)
  const part = from === 0 && to === length ? bytes : bytes.subarray(from, to)
  memory.set(part, window - (base - from))
  const end = window + to - base
  if (to === length) memory.fill(0, end, end + zeroBytes)
  return Math.min(windowBytes, length - base)
}

/** @throws {Error} when this runtime has no WebAssembly with vectors of 128 bits. */
function start(): Kernel {
  const binary = readFileSync(new URL('./kernel.wasm', import.meta.url))
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
  const call = (name: string): ((one?: number, two?: number) => number) => {
    const value: unknown = exports[name]
    if (typeof value !== 'function') throw new Error(`The kernel does not export ${name}.`)
    return (one, two) => Number(value(one, two))
  }
  const pass: unknown = exports['pass']
  if (typeof pass !== 'function') throw new Error('The kernel does not export pass.')
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
    ends: new Uint16Array(memory.buffer, place('STARTS')),
    window: place('WINDOW'),
    windowBytes: place('WINDOW_BYTES'),
    marginBytes: place('MARGIN_BYTES'),
    beginRuns: call('beginRuns'),
    runs: call('runs'),
    glues: new Int32Array(memory.buffer, place('GLUES'), place('WAYS') * 128),
    passed: new Int32Array(memory.buffer, place('PASSED'), 6),
    text: place('TEXT'),
    textBytes: place('TEXT_BYTES'),
    pass: (from, end, after, frame, outer, marks) =>
      Number(pass(from, end, after, frame, outer, marks)),
    beginText: call('beginText'),
    cards: new Int32Array(memory.buffer, place('CARDS')),
    textSpots: new Int32Array(memory.buffer, place('TEXT_SPOTS'), place('TEXT_SPOTS_MAX') * 2),
    begin: call('begin'),
    read: call('read'),
    hasSecretName: call('hasSecretName'),
    hasBase64: call('hasBase64'),
    operations: call('operations'),
  }
}
