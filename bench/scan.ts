/**
 * What the quick look costs: `Spots.read` of one message, the copy into the kernel's memory included.
 * By itself: `node bench/scan.ts`.
 */
import { Spots } from '../src/cards/spots.ts'
import { makeAnswers, toolName } from './answers.ts'
import { median } from './figure.ts'

/** Medians of one message. */
export interface ScanFigure {
  readonly name: string
  readonly bytes: number
  /** Spots in the message. */
  readonly spots: number
  readonly gbPerSec: number
}

const sentence =
  'The quick brown fox jumps over the lazy dog, and the merchant settles 48 orders a day, as ever. '

function prose(bytes: number): Buffer {
  const text = sentence.repeat(Math.ceil(bytes / sentence.length))
  return Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } }),
  )
}

function rows(size: '64KB' | '1MB', content: 'card' | 'plain'): Buffer {
  return makeAnswers().get(toolName(size, content))?.body ?? Buffer.alloc(0)
}

const kinds: readonly (readonly [name: string, make: (size: '64KB' | '1MB') => Buffer])[] = [
  ['rows', (size) => rows(size, 'plain')],
  ['rows, a card in each', (size) => rows(size, 'card')],
  ['prose', (size) => prose(size === '1MB' ? 1_048_576 : 65_536)],
  ['all digits', (size) => Buffer.alloc(size === '1MB' ? 1_048_576 : 65_536, '7208431965')],
]

/** Runs each kind and size for about `msEach` milliseconds, as much again before to warm up. */
export function scanFigures(msEach = 100): ScanFigure[] {
  const spots = new Spots()
  return (['64KB', '1MB'] as const).flatMap((size) =>
    kinds.map(([kind, make]) => {
      const message = make(size)
      const times: number[] = []
      const until = performance.now() + msEach * 2
      // A look at 64 KB takes microseconds, so many are timed as one.
      const rounds = size === '64KB' ? 16 : 1
      while (performance.now() < until) {
        const start = performance.now()
        for (let i = 0; i < rounds; i++) spots.read(message)
        times.push((performance.now() - start) / rounds)
      }
      const ms = median(times.slice(times.length >> 1))
      const gbPerSec = message.length / ms / 1e6
      return { name: `${size} ${kind}`, bytes: message.length, spots: spots.count, gbPerSec }
    }),
  )
}

if (import.meta.main) {
  for (const { name, bytes, spots, gbPerSec } of scanFigures(400)) {
    console.log(
      `${name.padEnd(28)}${String(bytes).padStart(9)} bytes${String(spots).padStart(7)} spots${gbPerSec.toFixed(2).padStart(8)} GB/s`,
    )
  }
}
