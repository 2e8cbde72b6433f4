/**
 * What masking costs: reading, scanning, writing over and rescanning one message, by size and kind.
 * By itself: `node bench/mask.ts`.
 */
import { pciDetection } from '../src/mask/detection.ts'
import { createMasker } from '../src/mask/masker.ts'
import { readJson } from '../src/wire/json.ts'
import { pan } from '../tests/cards.ts'
import { median } from './figure.ts'

/** Medians of one message. */
export interface MaskFigure {
  readonly name: string
  readonly bytes: number
  /** Findings in the message. */
  readonly found: number
  /** Reading the message into spans, µs. */
  readonly readUs: number
  /** Scanning, writing over and rescanning, µs. */
  readonly maskUs: number
  /** Making the groups for the record, µs. */
  readonly groupsUs: number
}

const sentence =
  'The quick brown fox jumps over the lazy dog, and the merchant settles 48 orders a day, as ever. '

function row(i: number, withCard: boolean): object {
  return {
    id: i,
    name: `Customer ${i}`,
    email: `customer${i}@example.com`,
    card_number: withCard ? pan(4, 16, String(i * 7919 + 13)) : 'none on file',
    brand: 'visa',
    amount: (i * 37) % 1000,
    created_at: '2026-01-15T10:30:00Z',
  }
}

/** A tool result as database servers give it: rows as printed JSON inside a string. */
function rows(bytes: number, withCard: boolean): Buffer {
  const list: object[] = []
  let size = 0
  for (let i = 0; size < bytes - 200; i++) {
    const next = row(i, withCard)
    list.push(next)
    size += JSON.stringify(JSON.stringify(next, null, 2)).length + 40
  }
  return answer(
    JSON.stringify({ success: true, data: { rows: list, count: list.length } }, null, 2),
  )
}

function answer(text: string): Buffer {
  return Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } }),
  )
}

const kinds: readonly (readonly [name: string, make: (bytes: number) => Buffer])[] = [
  ['rows, a card in each', (bytes) => rows(bytes, true)],
  ['rows, no card', (bytes) => rows(bytes, false)],
  ['prose', (bytes) => answer(sentence.repeat(Math.ceil(bytes / sentence.length)))],
  ['all digits', (bytes) => answer('7208431965'.repeat(Math.ceil(bytes / 10)))],
]
const sizes: readonly (readonly [name: string, bytes: number])[] = [
  ['1 KB', 1024],
  ['64 KB', 65_536],
  ['1 MB', 1_048_576],
]

/** Runs each kind and size for about `msEach` milliseconds, as much again before to warm up. */
export function maskFigures(msEach = 150): MaskFigure[] {
  const masker = createMasker({ sealKey: new Uint8Array(32) })
  const plan = { reveal: 'none', detect: pciDetection, rule: 'bench' } as const
  const limits = { bytesMax: 1 << 26, depthMax: 64 }
  return sizes.flatMap(([size, bytes]) =>
    kinds.map(([kind, make]) => {
      const message = make(bytes)
      const times: number[][] = [[], [], []]
      let found = 0
      const until = performance.now() + msEach * 2
      while (performance.now() < until) {
        const start = performance.now()
        const tree = readJson(message, limits)
        const read = performance.now()
        const { maskings } = masker.answer(tree, plan, 'bench')
        const done = performance.now()
        maskings.groups()
        times[0]?.push(read - start)
        times[1]?.push(done - read)
        times[2]?.push(performance.now() - done)
        found = maskings.count
      }
      const [readUs = 0, maskUs = 0, groupsUs = 0] = times.map(
        (list) => median(list.slice(list.length >> 1)) * 1000,
      )
      return { name: `${size} ${kind}`, bytes: message.length, found, readUs, maskUs, groupsUs }
    }),
  )
}

if (import.meta.main) {
  const heads = ['message', 'bytes', 'found', 'read µs', 'mask µs', 'groups µs', 'mask GB/s']
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(27) : cell.padStart(10))).join('')
  console.log(line(heads))
  for (const m of maskFigures(400)) {
    const micros = [m.readUs, m.maskUs, m.groupsUs].map((us) => us.toFixed(1))
    const speed = (m.bytes / m.maskUs / 1000).toFixed(2)
    console.log(line([m.name, String(m.bytes), String(m.found), ...micros, speed]))
  }
}
