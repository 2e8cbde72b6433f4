/**
 * What each entry says, in words. The words still hold what others wrote: whoever prints them makes
 * them safe for the place (`plain.ts`, `markup.ts`).
 */
import { canonicalize } from '../tlog/canonical.ts'
import { isObject } from '../record/unfinished.ts'
import { countOf, textOf } from '../record/stored.ts'
import { counted, duration, grouped } from './plain.ts'
import { furtherDetails, notedWords } from './tell-noted.ts'
import type { EntryType } from '../record/entry.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { StoredSource, StoredWho } from '../record/stored.ts'
import type { Piece } from './body.ts'

type Fields = Readonly<Record<string, unknown>>

/** How one type of entry is told, and which of its members the words have used up. */
interface Telling {
  readonly used: readonly string[]
  readonly words: (entry: RecordedEntry, fields: Fields) => string
}

const word = (fields: Fields, key: string): string => textOf(fields[key]) ?? ''
const figure = (fields: Fields, key: string): number => countOf(fields[key]) ?? 0
const because = (fields: Fields): string => {
  const reason = word(fields, 'reason')
  return reason === '' ? '' : `: ${reason}`
}
const at = ({ connection }: RecordedEntry): string =>
  connection === undefined ? '' : ` on ${connection}`

const received: Telling = {
  used: ['era', 'version', 'rpcKind', 'method', 'target', 'bytes', 'decision', 'rule'],
  words(entry, fields) {
    const decision = word(fields, 'decision')
    const allowed = decision === 'allow' ? 'allowed' : decision
    return `> ${calledText(fields)}${at(entry)}  ${allowed} by ${word(fields, 'rule')}`
  },
}
const denied: Telling = {
  used: ['rpcKind', 'method', 'target', 'reason', 'code', 'status', 'rule'],
  words(entry, fields) {
    const rule = word(fields, 'rule') === '' ? '' : ` by ${word(fields, 'rule')}`
    const why = `${word(fields, 'reason')} (${word(fields, 'code')}, HTTP ${figure(fields, 'status')})`
    return `x ${calledText(fields)}${at(entry)}  denied${rule}: ${why}`
  },
}
const dispatched: Telling = {
  used: ['host', 'attempt'],
  words: (_, fields) => `> sent to ${word(fields, 'host')}, attempt ${figure(fields, 'attempt')}`,
}
const response: Telling = {
  used: ['seq', 'rpcKind', 'method', 'bytes', 'again', 'eventId'],
  words(_, fields) {
    const again = fields['again'] === true ? ', delivered again' : ''
    const size = counted(figure(fields, 'bytes'), 'byte')
    const method = word(fields, 'method') === '' ? '' : ` ${word(fields, 'method')}`
    return `< ${word(fields, 'rpcKind')} ${figure(fields, 'seq')}${method}  ${size}${again}`
  },
}
const finished: Telling = {
  used: ['reason', 'httpStatus', 'durationUs', 'bytesIn', 'bytesOut', 'messages'],
  words({ outcome }, fields) {
    // The figures of a call that a crash cut off are zeros, which nobody measured.
    if (isCutOff(fields)) return `= ${outcome}${because(fields)}`
    const took = duration(figure(fields, 'durationUs'))
    const out = grouped(figure(fields, 'bytesOut'))
    const bytes = `${counted(figure(fields, 'bytesIn'), 'byte')} in, ${out} out`
    const end = `${outcome}${because(fields)}`
    return `= ${end}  HTTP ${figure(fields, 'httpStatus')}, ${took}, ${bytes}`
  },
}
const masked: Telling = {
  used: ['of', 'seq', 'delivered', 'count', 'groups'],
  words(_, fields) {
    const of = word(fields, 'of') === 'call' ? 'the call' : `answer ${figure(fields, 'seq')}`
    const isShown = word(fields, 'delivered') === 'revealed'
    const shown = isShown ? 'card numbers shown by grant' : 'all masked'
    return `* ${figure(fields, 'count')} masked in ${of}; to the client: ${shown}`
  },
}
const opened: Telling = {
  used: ['era', 'version', 'clientName', 'clientVersion', 'userAgent'],
  words(_, fields) {
    const named = `${word(fields, 'clientName')} ${word(fields, 'clientVersion')}`.trim()
    const client = named || word(fields, 'userAgent')
    return `session opened  ${word(fields, 'era')} ${word(fields, 'version')}  ${client}`.trimEnd()
  },
}
const closed: Telling = {
  used: ['durationUs', 'reason', 'calls'],
  words(_, fields) {
    const took = duration(figure(fields, 'durationUs'))
    return `session closed${because(fields)}  ${took}, ${counted(figure(fields, 'calls'), 'call')}`
  },
}
const other: Telling = {
  used: ['reason'],
  words: ({ outcome, type }, fields) => `${type} ${outcome}${because(fields)}`,
}

const tellings: Readonly<Partial<Record<EntryType, Telling>>> = {
  'call.received': received,
  'call.denied': denied,
  'call.dispatched': dispatched,
  'response.event': response,
  'call.finished': finished,
  'mask.applied': masked,
  'session.opened': opened,
  'session.closed': closed,
}

/** One line on an entry. Signs: `>` in, `<` back, `=` end, `x` refused or stopped, `*` masked, `!` to be
 *  looked at. */
export function told(entry: RecordedEntry): string {
  const noted = notedWords(entry)
  if (noted !== undefined) return noted
  return (tellings[entry.type] ?? other).words(entry, entry.fields)
}

/** Members of every entry, which stand elsewhere, and the reference to the body. */
const common: readonly string[] =
  'v index time type outcome principal source session exchange connection body'.split(' ')

/** Whatever else an entry says: no member of the log is kept from its reader. */
export function furtherMembers(entry: RecordedEntry): Piece[] {
  const { fields, type } = entry
  const details = furtherDetails(entry)
  const told = [...(tellings[type] ?? other).used, ...(details === undefined ? [] : ['details'])]
  const used = new Set([...common, ...told])
  const further = Object.entries(fields).filter(([name]) => !used.has(name))
  return [...further, ...(details ?? [])].map(([name, value]) => ({
    name,
    text: textOf(value) ?? canonicalize(value),
  }))
}

/** Method and target of a call: `tools/call execute_sql`. */
export function calledText({ method, rpcKind, target }: Fields): string {
  const name = isObject(target) ? ` ${textOf(target['name']) ?? ''}` : ''
  return `${textOf(method) ?? textOf(rpcKind) ?? 'message'}${name}`
}

/** Whether recovery wrote this end at the next start, for what a crash had left open. */
export function isCutOff(fields: Fields): boolean {
  return fields['reason'] === 'process_ended'
}

/** What an end means to somebody who was not there; undefined where its name says all. */
export function meaningOf({ fields, outcome, type }: RecordedEntry): string | undefined {
  if (type !== 'call.finished') return undefined
  if (outcome === 'unknown' && isCutOff(fields)) {
    return 'the gateway stopped before an end was recorded: the call may have run'
  }
  return meanings.get(outcome)
}

const meanings: ReadonlyMap<string, string> = new Map([
  ['unknown', 'it was sent, and nobody knows what became of it'],
  ['withheld', 'it ran, but its answer was not released'],
  ['failed', 'it was not sent, or no answer came'],
])

/** What was masked, group by group: kind, brand and confidence, then where, and each one's last four. */
export function maskingsOf({ fields, type }: RecordedEntry): { what: string; each: string }[] {
  const { groups } = fields
  if (type !== 'mask.applied' || !Array.isArray(groups)) return []
  return groups.filter(isObject).map(({ at: place, brand, confidence, each, kind, rule }) => {
    const places: unknown[] = Array.isArray(each) ? each : []
    const what = [kind, brand, confidence].filter(Boolean).join(', ')
    const words = places.map((one) => (one === '' ? '-' : String(one)))
    return { what: `${what} at ${String(place)} by ${String(rule)}`, each: words.join(' ') }
  })
}

/** `Ada, u-1 (person) of https://issuer, groups x`. */
export function whoText(who: StoredWho | undefined): string {
  if (!who) return 'nobody known'
  const groups = who.groups.length > 0 ? `, groups ${who.groups.join(', ')}` : ''
  const name = who.name === undefined ? '' : `${who.name}, `
  return `${name}${who.subject} (${who.kind}) of ${who.issuer}${groups}`
}

/** `192.0.2.9, through 10.0.0.1:40`. */
export function fromText(source: StoredSource | undefined): string {
  if (!source) return 'no address'
  const { forwarded, ip, port } = source
  const address = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
  return forwarded === undefined ? address : `${forwarded}, through ${address}`
}

/** What a proof proves, in one line. The size is that of the tree which its checkpoint signs. */
export function proofWords(index: number, proof: string | null): string {
  if (proof === null) return `entry ${index}: none yet, no checkpoint covers it`
  // C2SP tlog-proof: header and path end at the first empty line, then origin and size.
  const [, checkpoint = ''] = proof.split(/\n\n/, 2)
  const [origin = '', size = ''] = checkpoint.split('\n')
  if (!/^\d+$/.test(size)) return `entry ${index}`
  return `entry ${index} in the tree of ${grouped(Number(size))} entries of ${origin}`
}
