/** `sallyport policy simulate`: a candidate policy over what was recorded. */
import type { Writable } from 'node:stream'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { outcomeOf, simulate } from '../policy/simulate.ts'
import type { Judged, Outcome, Period } from '../policy/simulate.ts'
import { readRecord } from '../record/read.ts'
import type { RecordedEntry, RecordPlace } from '../record/read.ts'
import { counted, grouped, oneLine } from '../replay/plain.ts'
import { parseQuery } from '../search/parse.ts'
import { timesOf } from '../search/times.ts'
import { ask } from './ask.ts'
import type { Outlets } from './ask.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'
import { candidateOf, ownConfig, partsOf, policiesOf } from './policy-files.ts'
import type { Candidate } from './policy-files.ts'
import { inForceSince, recordOf, survey } from './policy-record.ts'
import type { Survey } from './policy-record.ts'

export interface SimulateOptions extends Where {
  readonly policy: string
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly connection?: string | undefined
  /** Those of which nobody can tell are listed too. */
  readonly unsure?: boolean | undefined
  readonly json?: boolean | undefined
}

/**
 * Prints each decision that a candidate would change, then the totals.
 * @returns 0; 2 for a period that is none.
 * @throws {Fault} `config_bad` with the candidate's mistakes; `path_unknown` where there is no record;
 *   `record_down` and others where the look cannot be recorded.
 */
export async function simulateCommand(
  options: SimulateOptions,
  { errors, out }: Outlets,
): Promise<number> {
  const period = periodOf(options)
  if (typeof period === 'string') {
    errors.write(`${period}\n`)
    return 2
  }
  const dataDir = findDataDir(options)
  const place = await recordOf(options, dataDir)
  const progress = new Progress(errors)
  const own = ownConfig(options, dataDir)
  const found = await survey(place, () => progress.tick())
  const candidate = candidateOf(options.policy, own, found.connections)
  const isKnown = found.connections.includes(options.connection ?? '')
  if (options.connection !== undefined && !isKnown) throw unknownConnection(found)
  const inForce = own && inForceSince(own, dataDir, found, policiesOf(partsOf(own.config)))
  const query = ['simulate', options.policy, options.from, options.to, options.connection]
    .filter((word) => word !== undefined)
    .join(' ')
  const looking = { what: 'viewing', query } as const
  await ask(looking, options, { out, errors })
  const totals = new Totals()
  const policies = policiesOf(candidate.parts)
  try {
    const all = simulate(counting(place, progress), { candidate: policies, inForce, period })
    const lines = linesOf(all, totals, options)
    await pipeline(Readable.from(lines), out, { end: false })
  } finally {
    progress.end()
    await ask({ ...looking, shown: totals.shown }, options, { out, errors })
  }
  for (const line of remarks(candidate, found, inForce !== undefined)) errors.write(`${line}\n`)
  return 0
}

/** The period, or what is wrong with it. */
function periodOf({ connection, from, to }: SimulateOptions): Period | string {
  const nowUs = systemClock().nowUs()
  const time = (name: 'from' | 'to', text: string | undefined): number | undefined => {
    if (text === undefined) return name === 'from' ? -Infinity : Infinity
    if (/[\s()"]/.test(text)) return undefined
    try {
      const { fromUs, untilUs } = timesOf(parseQuery(`${name}:${text}`, nowUs))
      return name === 'from' ? fromUs : untilUs
    } catch (error) {
      if (error instanceof Fault) return undefined
      throw error
    }
  }
  const [fromUs, toUs] = [time('from', from), time('to', to)]
  if (fromUs === undefined || toUs === undefined) {
    return '--from and --to are times as in a search: 2026-11-01, 2026-11-01T08:30, -7d.'
  }
  if (fromUs >= toUs) return 'The period is empty: --from is not before --to.'
  return { fromUs, toUs, connection }
}

function unknownConnection({ connections }: Survey): Fault {
  const known = connections.map((name) => oneLine(name)).join(', ') || 'none'
  return new Fault('path_unknown', `The record has no such connection. It has: ${known}.`)
}

async function* counting(place: RecordPlace, progress: Progress): AsyncGenerator<RecordedEntry> {
  for await (const entry of readRecord(place)) {
    progress.tick()
    yield entry
  }
}

async function* linesOf(
  all: AsyncIterable<Judged>,
  totals: Totals,
  { json, unsure }: SimulateOptions,
): AsyncGenerator<string> {
  for await (const judged of all) {
    const outcome = outcomeOf(judged)
    totals.add(judged, outcome)
    if (outcome === 'same' || (outcome === 'unsure' && unsure !== true)) continue
    totals.shown++
    yield json === true ? `${JSON.stringify(told(judged, outcome))}\n` : `${row(judged, outcome)}\n`
  }
  yield* json === true ? [`${JSON.stringify(totals.told())}\n`] : totals.lines()
}

function told({ call, rules, unsure, would }: Judged, outcome: Outcome): object {
  const { connection, exchange, facts, index, session, time, was, what, who } = call
  const { issuer, subject } = facts.principal
  return {
    outcome,
    time,
    principal: { issuer, subject, name: who },
    connection,
    tool: what,
    was,
    would: outcome === 'changed' && would.length === 1 ? would[0] : would,
    rules,
    ...(unsure.length > 0 && { cannot_tell: unsure }),
    exchange,
    session,
    index,
  }
}

function row({ call, rules, would }: Judged, outcome: Outcome): string {
  const { connection, exchange, time, was, what, who } = call
  const change = `${was} -> ${would.join(' or ')}`
  const isUnsure = outcome === 'unsure' ? '?' : ' '
  const by = rules.length === 0 ? '(no rule)' : rules.join(' ')
  const head = `${isUnsure} ${time.slice(0, 19)}Z  ${change.padEnd(14)}  ${who}  ${connection}  ${what}`
  return oneLine(`${head}  ${by}  ${exchange ?? ''}`)
}

const kindsMax = 1000

/** Counts by change and rule; the rules of a policy are few. */
class Totals {
  shown = 0
  #calls = 0
  readonly #outcomes: Record<Outcome, number> = { same: 0, changed: 0, unsure: 0 }
  readonly #kinds = new Map<string, { judged: Judged; outcome: Outcome; count: number }>()

  add(judged: Judged, outcome: Outcome): void {
    this.#calls++
    this.#outcomes[outcome]++
    if (outcome === 'same') return
    const { call, rules, unsure, would } = judged
    const key = [outcome, call.was, would, rules, unsure].join('\n')
    const known = this.#kinds.get(key)
    if (known !== undefined) known.count++
    else if (this.#kinds.size < kindsMax) {
      // Only what is told is kept: the call has a body.
      const short = { ...judged, call: { ...call, facts: nothing(call) } }
      this.#kinds.set(key, { judged: short, outcome, count: 1 })
    }
  }

  told(): object {
    const kinds = this.#sorted().map(
      ({ count, judged: { call, rules, unsure, would }, outcome }) => {
        return { outcome, was: call.was, would, rules, cannot_tell: unsure, count }
      },
    )
    return { calls: this.#calls, ...this.#outcomes, by: kinds }
  }

  *lines(): Generator<string> {
    const { changed, same, unsure } = this.#outcomes
    if (this.shown > 0) yield '\n'
    const sum = `${grouped(changed)} would change, ${grouped(same)} would not, of ${grouped(unsure)} the record cannot tell`
    yield `${counted(this.#calls, 'decision')}: ${sum}.\n`
    for (const { count, judged, outcome } of this.#sorted()) {
      const { call, rules, would } = judged
      const by = rules.length === 0 ? '(no rule)' : rules.join(' ')
      const why = outcome === 'unsure' ? `  cannot tell: ${judged.unsure.join('; ')}` : ''
      const change = `${call.was} -> ${would.join(' or ')}`
      yield `  ${grouped(count).padStart(9)}  ${change.padEnd(22)}  ${oneLine(`${by}${why}`)}\n`
    }
  }

  #sorted(): { judged: Judged; outcome: Outcome; count: number }[] {
    const order = { changed: 0, unsure: 1, same: 2 } as const
    return [...this.#kinds.values()].toSorted(
      (a, b) => order[a.outcome] - order[b.outcome] || b.count - a.count,
    )
  }
}

/** The facts of a call without what holds its message. */
function nothing({ facts }: Judged['call']): Judged['call']['facts'] {
  return { ...facts, sql: [], findings: [], call: { ...facts.call, arguments: () => undefined } }
}

function remarks(
  { isWhole, parts }: Candidate,
  { connections }: Survey,
  isKnown: boolean,
): string[] {
  const known = new Set(parts.connections.map(({ name }) => name))
  const gone = connections.filter((name) => !known.has(name))
  return [
    ...(isWhole && gone.length > 0
      ? [
          `The candidate has no connection ${gone.map(oneLine).join(', ')}: all its calls are denied.`,
        ]
      : []),
    ...(parts.decisionPoint === undefined
      ? []
      : ['The decision point is not asked: what it said then stands.']),
    ...(isKnown
      ? []
      : ['Which rules were in force then is not certain, so their recorded answers are not used.']),
  ]
}

const afterMs = 2000
const everyMs = 5000

/** On standard error, once it takes longer than two seconds. */
class Progress {
  readonly #errors: Writable & { isTTY?: boolean }
  readonly #startMs = Date.now()
  #shownMs = 0
  #entries = 0

  constructor(errors: Writable) {
    this.#errors = errors
  }

  tick(): void {
    this.#entries++
    if (this.#entries % 1024 !== 0) return
    const nowMs = Date.now()
    if (nowMs - this.#startMs < afterMs || nowMs - this.#shownMs < everyMs) return
    this.#shownMs = nowMs
    const text = `Reading the record … ${counted(this.#entries, 'entry', 'entries')}`
    this.#errors.write(this.#errors.isTTY === true ? `\r${text} ` : `${text}\n`)
  }

  end(): void {
    if (this.#errors.isTTY === true && this.#shownMs > 0) this.#errors.write('\r\u001b[K')
  }
}
