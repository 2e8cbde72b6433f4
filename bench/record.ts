/**
 * Durable entries a second at 1, 16 and 128 writers, each writing what a gateway writes for one
 * call: two commits, five entries, two bodies. Alone: `node bench/record.ts [FOLDER]`. With `--cpu`
 * it says what one body, and one call with small bodies, costs all threads of the process.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { realDisk } from '../src/base/disk.ts'
import { pciDetection } from '../src/mask/detection.ts'
import { createMasker } from '../src/mask/masker.ts'
import { encodeEntry } from '../src/record/encode.ts'
import { share } from '../src/record/entry.ts'
import { openRecord } from '../src/record/record.ts'
import { syncP50Ms } from './disk.ts'
import { median, short } from './figure.ts'
import type { Masked } from '../src/mask/masked.ts'
import type { Item, Who } from '../src/record/entry.ts'
import { benchBodyKeys } from './body-keys.ts'
import type { Recorder } from '../src/record/record.ts'
import type { Figure } from './figure.ts'

const masker = createMasker({ sealKey: new Uint8Array(32) })
const plan = { reveal: 'none', detect: pciDetection, rule: 'bench' } as const
const body = (bytes: number): NonNullable<Item['body']> =>
  masker.text(Buffer.alloc(bytes, 'a row of a table, '), plan).kept
export const principal: Masked<Who> = masker.words({
  issuer: 'https://issuer.example',
  subject: 'bench',
  kind: 'person' as const,
})
const method = masker.word('tools/call')
const name = masker.word('execute_sql')

export const asked: readonly Item[] = [
  {
    entry: {
      type: 'call.received',
      era: 'modern',
      version: '2026-07-28',
      rpcKind: 'request',
      method,
      target: { kind: 'tool', name },
      bytes: 300,
      decision: 'allow',
      rule: 'bench',
    },
    body: body(300),
  },
  { entry: { type: 'call.dispatched', host: '127.0.0.1:1', attempt: 1 } },
]
const group = {
  kind: 'pan',
  brand: 'visa',
  confidence: 'certain',
  at: '/result/content/*/text#/rows/*/card_number',
  rule: 'bench',
  each: ['0,0:1111'],
}
export const answered: readonly Item[] = [
  { entry: { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 1024 }, body: body(1024) },
  { entry: { type: 'mask.applied', of: 'answer', seq: 1, delivered: 'masked', groups: [group] } },
  {
    entry: {
      type: 'call.finished',
      outcome: 'ok',
      httpStatus: 200,
      durationUs: 1234,
      bytesIn: 300,
      bytesOut: 1024,
      messages: 1,
    },
  },
]

/** Writers, and the entries a second that design asks for. */
const loads: readonly (readonly [writers: number, atLeast: number])[] = [
  [1, 4_000],
  [16, 40_000],
  [128, 120_000],
]

/** The record's own figures, on the disk of `folder`. */
export async function recordFigures(
  isQuick: boolean = false,
  folder: string = tmpdir(),
): Promise<Figure[]> {
  const measureMs = isQuick ? 300 : 1500
  const dir = mkdtempSync(join(folder, 'sallyport-record-'))
  try {
    const options = { dir, writer: 'bench', disk: realDisk, clock: systemClock() }
    const limits = {
      freeBytesMin: 0,
      segmentBytesMax: 134_217_728,
      bodyKeys: await benchBodyKeys(dir),
    }
    const { recorder } = await openRecord({ ...options, ...limits })
    await run(recorder, 16, measureMs / 5)
    const figures: Figure[] = [
      { name: 'record: entry made, CPU', value: encodeUs(), unit: 'µs', atMost: 10 },
    ]
    for (const [writers, atLeast] of loads) {
      const { commitMs, perSecond } = await run(recorder, writers, measureMs)
      const what = `record: ${writers} writers`
      figures.push({ name: `${what}, durable entries`, value: perSecond, unit: '1/s', atLeast })
      figures.push({ name: `${what}, commit p50`, value: commitMs, unit: 'ms' })
    }
    await recorder.close()
    return figures
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** CPU of one append with a body of each size, and of one call, user and system, in all threads. */
async function cpuFigures(folder: string): Promise<Figure[]> {
  const dir = mkdtempSync(join(folder, 'sallyport-record-'))
  const options = { dir, writer: 'bench', disk: realDisk, clock: systemClock() }
  const bodyKeys = await benchBodyKeys(dir)
  const limits = { freeBytesMin: 0, segmentBytesMax: 134_217_728, bodyKeys }
  try {
    const { recorder } = await openRecord({ ...options, ...limits })
    const figures: Figure[] = []
    for (const [what, bytes, writers, appends] of bodies) {
      const items = [{ entry: event, body: body(bytes) }]
      const value = await cpuUs(appends, writers, async (i) => {
        await recorder.append(`ex_${i}`, share({ exchange: `ex_${i}`, principal }), items)
      })
      figures.push({ name: `record: ${what}, ${writers} writers, CPU`, value, unit: 'µs' })
    }
    for (const writers of [16, 64]) {
      const value = await cpuUs(6_000, writers, async (i) => {
        const shared = share({ exchange: `ex_${i}`, principal, connection: 'shop' })
        await recorder.append(`ex_${i}`, shared, asked)
        await recorder.append(`ex_${i}`, shared, answered)
      })
      figures.push({ name: `record: call of 1 KB, ${writers} writers, CPU`, value, unit: 'µs' })
    }
    await recorder.close()
    return figures
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const event = { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 1024 } as const
const bodies: readonly (readonly [
  what: string,
  bytes: number,
  writers: number,
  appends: number,
])[] = [
  ['body of 1 KB', 1_024, 64, 8_000],
  ['body of 64 KB', 65_536, 16, 1_600],
  ['body of 1 MB', 1_048_576, 1, 60],
  ['body of 1 MB', 1_048_576, 8, 160],
]

/** Microseconds of CPU for one turn of `work`, of `writers` at a time: the median of five rounds. */
async function cpuUs(
  turns: number,
  writers: number,
  work: (turn: number) => Promise<void>,
): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < 6; round++) {
    const before = process.cpuUsage()
    let next = 0
    const write = async (): Promise<void> => {
      while (next < turns) await work(next++)
    }
    await Promise.all(Array.from({ length: writers }, write))
    const { system, user } = process.cpuUsage(before)
    if (round > 0) rounds.push((system + user) / turns)
  }
  return median(rounds)
}

async function run(
  recorder: Recorder,
  writers: number,
  ms: number,
): Promise<{ perSecond: number; commitMs: number }> {
  const took: number[] = []
  let entries = 0
  const start = performance.now()
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; performance.now() < start + ms; i++) {
      const exchange = `ex_${writer}_${i}`
      const source = { ip: '127.0.0.1', port: 40_000 + writer }
      const shared = share({
        session: `se_${writer}`,
        exchange,
        principal,
        source,
        connection: 'shop',
      })
      const before = performance.now()
      await recorder.append(exchange, shared, asked)
      await recorder.append(exchange, shared, answered)
      took.push((performance.now() - before) / 2)
      entries += asked.length + answered.length
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return { perSecond: (entries / (performance.now() - start)) * 1000, commitMs: median(took) }
}

/** CPU of one entry's canonical JSON, in microseconds: the longest of a call. */
function encodeUs(): number {
  const entry = asked[0]?.entry
  if (entry?.type !== 'call.received') return NaN
  const source = { ip: '127.0.0.1', port: 40_000 }
  const shared = share({ session: 'se_a', exchange: 'ex_a', principal, source, connection: 'shop' })
  const stored = {
    bytes: new Uint8Array(300),
    encoding: 'identity',
    key: undefined,
    sha256: 'a'.repeat(64),
  } as const
  const into = Buffer.alloc(4096)
  const rounds = 100_000
  let start = 0
  for (let i = -rounds / 4; i < rounds; i++) {
    if (i === 0) start = performance.now()
    const stamp = { index: i + rounds, time: '2026-11-21T07:48:00.123456Z', shared, body: stored }
    into.write(encodeEntry(entry, stamp))
  }
  return ((performance.now() - start) * 1000) / rounds
}

if (import.meta.main) {
  const isCpu = process.argv.includes('--cpu')
  const folder = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? tmpdir()
  console.log(`fdatasync p50 ${short(await syncP50Ms(folder))} ms`)
  const figures = isCpu ? await cpuFigures(folder) : await recordFigures(false, folder)
  for (const { name: what, unit, value } of figures) {
    console.log(`${what.padEnd(44)} ${short(value).padStart(9)} ${unit}`)
  }
}
