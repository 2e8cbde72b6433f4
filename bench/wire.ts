/**
 * How fast the span reader reads a tool result of one megabyte, on one core: prose in one text
 * item, dense rows as structured content, and the same rows as JSON inside a string.
 *
 * `node bench/wire.ts` prints a line each, in MB/s (10^6 bytes), the median of interleaved rounds.
 */
import { readJson } from '../src/wire/json.ts'

/** One measured case. */
export interface WireFigure {
  readonly name: string
  /** 10^6 bytes per second, median of the rounds. */
  readonly mbPerSec: number
}

const limits = { bytesMax: 1 << 24, depthMax: 64 }
const rounds = 60
const readsPerRound = 4

/** `result` as the whole response a server would send. */
function response(result: object): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
}

/** Running text with quotation marks, line ends and letters beyond ASCII, as a model reads it. */
function prose(bytes: number): string {
  const paragraph =
    'The harbour office keeps a ledger of every vessel that leaves before dawn, with its master, its ' +
    'cargo and the pilot who took it past the bar. On stormy nights the entries grow short — a name, ' +
    'an hour, a remark such as "wind SW, sea rising" — and yet nobody ever tore out a page.\n\n'
  return paragraph.repeat(Math.ceil(bytes / paragraph.length)).slice(0, bytes)
}

/** Rows of a card shop as a database server returns them: short keys, short values of all kinds. */
function rows(bytes: number): object[] {
  const list: object[] = []
  for (let size = 0; size < bytes; size += 222) {
    const id = 100_000 + list.length
    list.push({
      id,
      customer_id: id * 7,
      name: `Customer ${id}`,
      email: `customer${id}@example.com`,
      city: 'Rotterdam',
      amount: id / 8,
      currency: 'EUR',
      status: list.length % 3 === 0 ? 'settled' : 'authorised',
      is_refunded: list.length % 5 === 0,
      created_at: '2026-03-14T09:26:53Z',
    })
  }
  return list
}

/** The messages measured, by name. */
function messages(): readonly (readonly [name: string, message: Buffer])[] {
  const dense = { rows: rows(1_000_000) }
  const inText = JSON.stringify({ rows: rows(800_000) })
  return [
    ['prose in one text item', response({ content: [{ type: 'text', text: prose(1_000_000) }] })],
    ['dense rows as structuredContent', response({ content: [], structuredContent: dense })],
    ['dense rows as JSON in a string', response({ content: [{ type: 'text', text: inText }] })],
  ]
}

/** Measures all cases, in turns, so that a busy moment of the machine hits each alike. */
export function wireFigures(): WireFigure[] {
  const cases = messages().map(([name, message]) => ({ name, message, ms: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { message, ms } of cases) {
      const began = performance.now()
      for (let i = 0; i < readsPerRound; i++) readJson(message, limits)
      ms.push((performance.now() - began) / readsPerRound)
    }
  }
  return cases.map(({ name, message, ms }) => {
    // The first third warms up the compiler.
    const sorted = ms.slice(rounds / 3).toSorted((a, b) => a - b)
    const median = sorted[sorted.length >> 1] ?? Infinity
    return { name, mbPerSec: Math.round(message.length / 1000 / median) }
  })
}

if (import.meta.main) {
  for (const { name, mbPerSec } of wireFigures()) {
    console.log(`${name.padEnd(34)} ${String(mbPerSec).padStart(6)} MB/s`)
  }
}
