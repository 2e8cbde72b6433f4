/** A replay for people at a terminal: every entry in the order of the log, with its exact time. */
import { piecesOf, unreadable } from './body.ts'
import { counted, duration, oneLine, visible } from './plain.ts'
import { Ranges } from './shown.ts'
import { Tally, endOf } from './summary.ts'
import {
  fromText,
  furtherMembers,
  maskingsOf,
  meaningOf,
  proofWords,
  told,
  whoText,
} from './tell.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Piece } from './body.ts'
import type { Frame, Shown } from './shown.ts'
import type { CallSummary, SessionSummary } from './summary.ts'

/** What is printed at one moment: whole lines with their ends. */
export interface Scene {
  readonly text: string
  /** The entry it shows, with its proof where one was asked for; undefined for the closing lines. */
  readonly of: Shown | undefined
}

/**
 * One scene for each entry, and a closing one that says which entries these were. A line that shows
 * an entry begins with its time; what belongs to it is indented, so that no text of others can look
 * like an entry.
 */
export async function* scenes(shown: AsyncIterable<Shown>, frame: Frame): AsyncGenerator<Scene> {
  const headings = new Headings()
  const ranges = new Ranges()
  const tally = new Tally()
  for await (const of of shown) {
    const { entry } = of
    ranges.add(entry.index)
    tally.take(entry)
    yield { text: lines([...headings.of(entry), ...entryLines(of)]), of }
  }
  yield { text: lines(closing(tally, ranges, frame)), of: undefined }
}

/** The scenes as they stand, one text each. */
export async function* text(shown: AsyncIterable<Shown>, frame: Frame): AsyncGenerator<string> {
  for await (const scene of scenes(shown, frame)) yield scene.text
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')

/** Who and from where, at the start of a session and whenever it changes. */
class Headings {
  readonly #seen = new Map<string, { who: string; from: string }>()

  of({ principal, session, source }: RecordedEntry): string[] {
    const name = session ?? ''
    const seen = this.#seen.get(name)
    const who = oneLine(whoText(principal))
    const from = oneLine(fromText(source))
    this.#seen.set(name, { who, from })
    if (session === undefined && !principal && !source) return []
    const found: string[] = []
    if (who !== seen?.who) found.push(`  who   ${who}`)
    if (from !== seen?.from) found.push(`  from  ${from}`)
    if (found.length === 0) return []
    return [session === undefined ? 'no session' : `session ${oneLine(session)}`, ...found]
  }
}

function entryLines({ entry, proof }: Shown): string[] {
  const { exchange, session, time } = entry
  const names = [session, exchange].filter((name) => name !== undefined).join(' ')
  const where = names === '' ? '' : `  [${names}]`
  const found = [`${time}  ${oneLine(`${told(entry)}${where}`)}`]
  const meaning = meaningOf(entry)
  if (meaning !== undefined) found.push(`    note: ${meaning}`)
  for (const piece of furtherMembers(entry)) found.push(...indented(piece))
  const bytes = entry.body()
  if (bytes) for (const piece of piecesOf(bytes)) found.push(...indented(piece))
  else if (unreadable[entry.bodyState] !== undefined)
    found.push(`    (${unreadable[entry.bodyState]})`)
  for (const { each, what } of maskingsOf(entry)) {
    found.push(`    ${oneLine(what)}`, `      ${oneLine(each)}`)
  }
  if (proof !== undefined) found.push(`    proof: ${oneLine(proofWords(entry.index, proof))}`)
  return found
}

/** One line as `name: text`; several lines below their name. */
function indented({ name, text: raw }: Piece): string[] {
  const label = `    ${oneLine(name)}:`
  const safe = visible(raw)
  if (!safe.includes('\n')) return [`${label} ${safe}`]
  return [label, ...safe.split('\n').map((line) => `      ${line}`)]
}

function closing(tally: Tally, ranges: Ranges, { origin }: Frame): string[] {
  const of = origin === undefined ? '' : ` of ${oneLine(origin)}`
  return [
    '',
    ...tally.sessions.map((summary) => `session ${oneLine(sessionText(summary))}`),
    ...tally.open.map((call) => `without an end: ${oneLine(openText(call))}`),
    `shown: ${counted(ranges.count, 'entry', 'entries')}, ${ranges.toString()}${of}`,
  ]
}

/** A session in one line: who, whence, with what, from when to when, how long, how many. */
function sessionText(summary: SessionSummary): string {
  const { calls, client, closedBy, durationUs, era, maskings, open, session, userAgent } = summary
  const { openedAt, principal, source, version } = summary
  const end = endOf(summary)
  const took = durationUs === undefined ? '' : ` (${duration(durationUs)})`
  const why = closedBy === undefined ? '' : `, ${closedBy}`
  const underway = open > 0 ? `, ${open} without an end` : ''
  return [
    session,
    principal?.name ?? principal?.subject ?? '-',
    source?.forwarded ?? source?.ip ?? '-',
    client ?? userAgent ?? '-',
    `${era ?? '-'} ${version ?? ''}`.trimEnd(),
    `${openedAt} ${end === undefined ? 'no end shown' : `to ${end}`}${took}${why}`,
    `${counted(calls, 'call')}${underway}, ${maskings} masked`,
  ].join('  ')
}

/** A call that has no end among the entries shown, in one line. */
function openText(call: CallSummary): string {
  const { called, connection, exchange, session, time } = call
  const on = connection === undefined ? '' : ` on ${connection}`
  const names = [session, exchange].filter((name) => name !== undefined).join(' ')
  return `${called}${on}, since ${time}  [${names}]`
}
