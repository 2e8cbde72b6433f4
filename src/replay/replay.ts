/**
 * One session as it happened: every entry in the order of the log, with its exact time, who and
 * from where, what was asked and answered (masked), what was decided and how it ended.
 */
import { Fault } from '../base/fault.ts'
import { isObject } from '../record/unfinished.ts'
import { countOf, textOf } from '../record/stored.ts'
import { piecesOf } from './body.ts'
import { duration, grouped, oneLine } from './plain.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { StoredSource, StoredWho } from '../record/stored.ts'

/**
 * The lines of one session, each with its line end. `text` is for people; `jsonl` has one object an
 * entry: `entry` as it stands in the log, and its body's text as `text` (`base64` when it is not
 * UTF-8).
 * @throws {Fault} `session_unknown` when the record has no entry of it.
 */
export async function* replayLines(
  entries: AsyncIterable<RecordedEntry>,
  session: string,
  format: 'text' | 'jsonl',
): AsyncGenerator<string> {
  let seen: Seen | undefined
  for await (const entry of entries) {
    if (entry.session !== session) continue
    if (format === 'jsonl') yield jsonLine(entry)
    else {
      for (const line of heading(entry, seen)) yield `${line}\n`
      for (const line of textLines(entry)) yield `${line}\n`
    }
    seen = { principal: whoText(entry.principal), source: fromText(entry.source) }
  }
  if (seen) return
  throw new Fault('session_unknown', 'The record has no such session. List them all first.')
}

interface Seen {
  readonly principal: string
  readonly source: string
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The entry's own bytes go out as they are: its digest still fits. */
function jsonLine(entry: RecordedEntry): string {
  const body = entry.body()
  const line = entry.line.toString('utf8')
  if (!body) return `{"entry":${line}}\n`
  try {
    return `{"entry":${line},"text":${JSON.stringify(decoder.decode(body))}}\n`
  } catch {
    return `{"base64":"${Buffer.from(body).toString('base64')}","entry":${line}}\n`
  }
}

/** Who and from where, at the start and whenever it changes. */
function heading({ principal, session, source }: RecordedEntry, seen: Seen | undefined): string[] {
  const lines = seen ? [] : [`session ${oneLine(session ?? '')}`]
  const who = whoText(principal)
  const from = fromText(source)
  if (who !== seen?.principal) lines.push(`  who   ${who}`)
  if (from !== seen?.source) lines.push(`  from  ${from}`)
  return lines
}

function textLines(entry: RecordedEntry): string[] {
  const lines = [`${entry.time}  ${title(entry)}`]
  const body = entry.body()
  if (body) {
    for (const { name, text } of piecesOf(body)) lines.push(...indented(name, text))
  }
  if (entry.type === 'mask.applied') lines.push(...maskingLines(entry.fields['groups']))
  return lines
}

function title(entry: RecordedEntry): string {
  const { connection, exchange, fields, outcome, type } = entry
  const where = exchange === undefined ? '' : `  [${exchange}]`
  const at = connection === undefined ? '' : ` on ${connection}`
  const word = (key: string): string => textOf(fields[key]) ?? ''
  const figure = (key: string): number => countOf(fields[key]) ?? 0
  switch (type) {
    case 'call.received':
      return oneLine(`> ${calledText(fields)}${at}  allowed by ${word('rule')}${where}`)
    case 'call.denied': {
      const why = `${word('reason')} (${word('code')}, HTTP ${figure('status')})`
      return oneLine(`x ${calledText(fields)}${at}  denied: ${why}${where}`)
    }
    case 'call.dispatched':
      return oneLine(`> sent to ${word('host')}, attempt ${figure('attempt')}${where}`)
    case 'response.event': {
      const again = fields['again'] === true ? ', delivered again' : ''
      const size = `${grouped(figure('bytes'))} bytes${again}`
      return oneLine(`< ${word('rpcKind')} ${figure('seq')} ${word('method')} ${size}${where}`)
    }
    case 'call.finished': {
      const took = duration(figure('durationUs'))
      const bytes = `${grouped(figure('bytesIn'))} bytes in, ${grouped(figure('bytesOut'))} out`
      const why = word('reason') === '' ? '' : `: ${word('reason')}`
      return oneLine(`= ${outcome}${why}  HTTP ${figure('httpStatus')}, ${took}, ${bytes}${where}`)
    }
    case 'mask.applied': {
      const of = word('of') === 'call' ? 'the call' : `answer ${figure('seq')}`
      const shown = word('delivered') === 'revealed' ? 'card numbers shown by grant' : 'all masked'
      return oneLine(`* ${figure('count')} masked in ${of}; to the client: ${shown}${where}`)
    }
    case 'session.opened': {
      const client = `${word('clientName')} ${word('clientVersion')}`.trim() || word('userAgent')
      return oneLine(`session opened  ${word('era')} ${word('version')}  ${client}`.trimEnd())
    }
    case 'session.closed': {
      const took = duration(figure('durationUs'))
      return oneLine(`session closed: ${word('reason')}  ${took}, ${figure('calls')} calls`)
    }
    case 'auth.accepted':
    case 'auth.refused':
    case 'control.failed':
    case 'control.restored':
    case 'gateway.recovered':
    case 'gateway.started':
    case 'gateway.stopped':
    case 'record.viewed':
    case 'seal':
      return oneLine(`${type} ${outcome} ${word('reason')}${where}`)
    default:
      return type satisfies never
  }
}

/** Method and target of a call: `tools/call execute_sql`. */
function calledText(fields: Readonly<Record<string, unknown>>): string {
  const { method, rpcKind, target } = fields
  const name = isObject(target) ? ` ${textOf(target['name']) ?? ''}` : ''
  return `${textOf(method) ?? textOf(rpcKind) ?? 'message'}${name}`
}

function maskingLines(groups: unknown): string[] {
  if (!Array.isArray(groups)) return []
  return groups.filter(isObject).flatMap(({ at, brand, confidence, each, kind, rule }) => {
    const places: unknown[] = Array.isArray(each) ? each : []
    const what = [kind, brand, confidence].filter(Boolean).join(', ')
    const where = places.map((place) => (place === '' ? '-' : String(place))).join(' ')
    return [
      `    ${oneLine(`${what} at ${String(at)} by ${String(rule)}`)}`,
      `      ${oneLine(where)}`,
    ]
  })
}

/** One line as `name: text`; several lines below their name. */
function indented(name: string, text: string): string[] {
  const label = `    ${name.replaceAll('\n', '\\n')}:`
  if (!text.includes('\n')) return [`${label} ${text}`]
  return [label, ...text.split('\n').map((line) => `      ${line}`)]
}

function whoText(who: StoredWho | undefined): string {
  if (!who) return 'nobody known'
  const groups = who.groups.length > 0 ? `, groups ${who.groups.join(', ')}` : ''
  const name = who.name === undefined ? '' : `${who.name}, `
  return oneLine(`${name}${who.subject} (${who.kind}) of ${who.issuer}${groups}`)
}

function fromText(source: StoredSource | undefined): string {
  if (!source) return 'no address'
  const { forwarded, ip, port } = source
  const address = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
  return oneLine(forwarded === undefined ? address : `${forwarded}, through ${address}`)
}
