/** Pins on a file of their own, with a clock that stands and a note that is kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { createMasker } from '../mask/masker.ts'
import type { Who } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import { readJson } from '../wire/json.ts'
import { openPins } from './pins-store.ts'
import type { Pins } from './pins.ts'

export const startMs = 1_800_000_000_000
export const op: Who = { issuer: 'local', subject: 'op', kind: 'local' }

export interface Entry {
  readonly type: string
  readonly connection: string | undefined
  readonly by: string | undefined
  readonly details: Readonly<Record<string, unknown>>
}

export interface Bench {
  readonly file: string
  readonly pins: Pins
  readonly entries: Entry[]
  nowMs: number
  /** While it is so, nothing can be recorded. */
  isDown: boolean
  /** Called before an entry is kept. */
  before: () => Promise<void>
  /** Opens the file once more, as a restart does. */
  again(): Pins
  /** A `tools/list` result passes. @param json its text, or what is made JSON of. */
  pass(json: unknown, connection?: string, pins?: Pins): Promise<void>
  /** The changes that were recorded since this was last asked. */
  told(): unknown[]
}

const masker = createMasker({ sealKey: new Uint8Array(32) })

export function openBench(t: TestContext): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-pins-'))
  const file = join(dir, 'state.sqlite')
  const opened: Pins[] = []
  const clock: Clock = { nowUs: () => bench.nowMs * 1000, monotonicMs: () => 0 }
  const note: Note = async (type, { connection, principal }, details) => {
    await bench.before()
    if (bench.isDown) throw new Fault('record_down', 'The record is down.')
    const kept = Object.entries(details).filter(([, value]) => value !== undefined)
    const by = principal?.subject
    bench.entries.push({ type, connection, by, details: Object.fromEntries(kept) })
  }
  const open = (): Pins => {
    const pins = openPins(file, { clock, note, masker })
    opened.push(pins)
    return pins
  }
  t.after(() => {
    for (const pins of opened) pins.close()
    rmSync(dir, { recursive: true })
  })
  let read = 0
  const bench: Bench = {
    file,
    pins: open(),
    entries: [],
    nowMs: startMs,
    isDown: false,
    before: async () => await Promise.resolve(),
    again: open,
    pass: async (json, connection = 'warehouse', pins = bench.pins) => {
      const text = typeof json === 'string' ? json : JSON.stringify(json)
      const tree = readJson(Buffer.from(text), { bytesMax: 64 * 1024 * 1024, depthMax: 512 })
      await pins.learn(connection, tree, tree.root)
    },
    told: () => {
      const fresh = bench.entries.slice(read)
      read = bench.entries.length
      return fresh.map(({ details }) => details['change'] ?? details['what'] ?? details['taking'])
    },
  }
  return bench
}

export interface ToolText {
  readonly name: string
  readonly description?: string
  readonly [member: string]: unknown
}

export function tool(more: Partial<ToolText> = {}): ToolText {
  const inputSchema = { type: 'object', properties: { sql: { type: 'string' } } }
  return { name: 'execute_sql', description: 'Runs a query.', inputSchema, ...more }
}

export function listOf(...tools: readonly ToolText[]): { tools: readonly ToolText[] } {
  return { tools }
}
