/**
 * Kills a gateway under load again and again (`npm run hammer`), and checks after each restart that
 * everything acknowledged is in the record, that nothing reached the server without its entry, and
 * that calls in flight are recorded as unknown.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { openKeys } from '../../src/cli/keys.ts'
import { recordPlace } from '../../src/cli/record-parts.ts'
import { checkRecord } from '../../src/record/check.ts'
import { readOrigin, readRecord } from '../../src/record/read.ts'
import { vkeysOf } from '../../src/record/tree-keys.ts'
import { verifyFolder } from '../../src/verify/folder.ts'
import { answerResult, modernCall, startBehind } from '../system/house.ts'
import type { Behind } from '../system/house.ts'

export interface Hammered {
  readonly rounds: number
  /** Calls whose answer a client had in hand. */
  readonly acknowledged: number
  /** Of these, the ones the record does not have whole. */
  readonly lost: number
  /** Calls that reached the server. */
  readonly arrived: number
  /** Of these, the ones without `call.dispatched`. */
  readonly unrecorded: number
  /** Calls recorded as `unknown` by a restart. */
  readonly unknown: number
  /** What the check of the whole record found. */
  readonly problems: readonly string[]
}

interface Started {
  readonly url: string
  readonly token: string
  readonly recovered: { callsUnknown: number; isClean: boolean }
}

const clients = 12

export async function hammer(options: {
  rounds: number
  mode: 'sync' | 'forgetful'
  onRound?: (n: number, found: Started['recovered']) => void
}): Promise<Hammered> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-hammer-'))
  const behind = await startBehind()
  behind.script = async (got, res) => {
    await sleep(Math.random() * 4)
    const word = /word-\d+-\d+/.exec(got.body)?.[0] ?? ''
    answerResult(got, res, `{"content":[{"type":"text","text":"${word}"}]}`)
  }
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(file, configText(behind.url, dir))
  const acknowledged = new Set<string>()
  let unknown = 0
  try {
    for (let round = 0; round < options.rounds; round++) {
      const { child, started } = await start(file, dir, options.mode)
      unknown += started.recovered.callsUnknown
      options.onRound?.(round, started.recovered)
      await loadAndKill(child, started, round, acknowledged)
    }
    const last = await start(file, dir, options.mode)
    unknown += last.started.recovered.callsUnknown
    await stop(last.child)
    return { rounds: options.rounds, unknown, ...(await compare(dir, acknowledged, behind)) }
  } finally {
    await behind.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

function configText(url: string, dir: string): string {
  return `
listen: { gateway: 127.0.0.1:0, console: 127.0.0.1:0 }
public_url: https://gateway.example
data_dir: ${dir}
identity: { issuers: [{ name: local, type: local }] }
connections: [{ name: shop, url: ${url}, credential: { type: none } }]
access: [{ who: { kind: service }, may: { connection: shop } }]
record: { segment_bytes_max: 2MiB }
`
}

async function start(
  file: string,
  dir: string,
  mode: string,
): Promise<{ child: ChildProcess; started: Started }> {
  const script = new URL('./gateway-child.ts', import.meta.url)
  const child = fork(script, [file, dir, mode], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const started = await new Promise<Started>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Started))
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code} at its start`)))
  })
  return { child, started }
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

async function loadAndKill(
  child: ChildProcess,
  started: Started,
  round: number,
  acknowledged: Set<string>,
): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let isOver = false
  let next = 0
  const client = async (): Promise<void> => {
    while (!isOver) {
      const word = `word-${round}-${next++}`
      const text = await ask(started, word)
      if (text?.includes(word) === true) acknowledged.add(word)
      if (text === undefined) return
    }
  }
  const running = Array.from({ length: clients }, client)
  // Somewhere in the middle of the work, however slow the machine is.
  const enough = acknowledged.size + 15 + Math.random() * 60
  for (let ms = 0; acknowledged.size < enough && ms < 5000; ms += 5) await sleep(5)
  child.kill('SIGKILL')
  await gone
  isOver = true
  await Promise.all(running)
}

async function ask({ url, token }: Started, word: string): Promise<string | undefined> {
  const { body, headers } = modernCall('echo', `{"word":"${word}"}`)
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${token}` },
    })
    return await answer.text()
  } catch {
    return undefined // The gateway is dead: nothing was acknowledged.
  }
}

async function compare(
  dir: string,
  acknowledged: Set<string>,
  behind: Behind,
): Promise<Omit<Hammered, 'rounds' | 'unknown'>> {
  const key = { kind: 'file' } as const
  const at = recordPlace(dir, { key, env: {}, clock: systemClock(), hide: () => undefined })
  const asked = new Map<string, string>() // Exchange to word.
  const dispatched = new Set<string>()
  const answered = new Set<string>()
  const finished = new Set<string>()
  for await (const record of readRecord(at)) {
    const { type, exchange } = JSON.parse(record.line.toString()) as {
      type: string
      exchange: string
    }
    const word = /word-\d+-\d+/.exec(
      Buffer.from(record.body() ?? new Uint8Array(0)).toString(),
    )?.[0]
    if (type === 'call.received' && word !== undefined) asked.set(exchange, word)
    const mine = asked.get(exchange)
    if (mine === undefined) continue
    if (type === 'call.dispatched') dispatched.add(mine)
    if (type === 'response.event' && word === mine) answered.add(mine)
    if (type === 'call.finished') finished.add(mine)
  }
  const lost = [...acknowledged].filter((word) => !answered.has(word) || !finished.has(word))
  const words = behind.got.map(({ body }) => /word-\d+-\d+/.exec(body)?.[0] ?? '')
  const { problems, openExchanges } = await checkRecord(at)
  const keys = vkeysOf((await readOrigin(at)) ?? '', openKeys(dir).signing).slice(0, 1)
  const { findings, signed, size } = await verifyFolder({ ...at, keys, witnesses: [], older: [] })
  const told = findings.list().filter(({ weight }) => weight !== 'note')
  return {
    acknowledged: acknowledged.size,
    lost: lost.length,
    arrived: words.length,
    unrecorded: words.filter((word) => !dispatched.has(word)).length,
    problems: [
      ...problems,
      ...openExchanges.map((id) => `${id} has no end`),
      ...told.map(({ place, words }) => `${place}: ${words}`),
      ...(signed === size ? [] : [`${size - signed} entries are under no checkpoint`]),
    ],
  }
}

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? 20)
  const found = await hammer({
    rounds,
    mode: 'sync',
    onRound: (n, { callsUnknown }) =>
      console.log(`round ${n + 1}: ${callsUnknown} calls were in flight at the last kill`),
  })
  console.log(JSON.stringify(found))
  const isGood = found.lost === 0 && found.unrecorded === 0 && found.problems.length === 0
  console.log(isGood ? 'Nothing acknowledged was lost.' : 'The record is not whole.')
  process.exitCode = isGood ? 0 : 1
}
