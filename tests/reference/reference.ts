/**
 * The masker as it is meant: slow, obvious, and the truth. It goes over whole strings, one rule after
 * the other, and shares with the fast one only what is data: issuers' ranges and the meanings of names.
 */
import { readWhole, unquoted } from './json.ts'
import { joinedHits, listsReadAsOne } from './items.ts'
import { Reading, apply, requoted } from './members.ts'
import type { Place } from './members.ts'
import { doubt } from './readings.ts'
import type { Hit } from './running.ts'
import type { Node } from './json.ts'

export type { Hit } from './running.ts'

/** What the record and the client may see, and what was found: offsets in UTF-16 units. */
export interface Answer {
  readonly kept: string
  readonly shown: string
  readonly hits: readonly Hit[]
}

/** Masks a message of a server: a JSON text. */
export function maskMessage(message: string): Answer {
  const [root] = readWhole(message)?.values ?? []
  if (root === undefined) throw new Error('no JSON')
  const columns = new Map<number, number>()
  // A header may stand behind its rows.
  new MessageReading(columns).node(message, root, { meaning: 0 })
  const hits = new MessageReading(columns).node(message, root, { meaning: 0 })
  return answerOf(message, hits)
}

/** Masks a text that is no message: an error page, a comment of a stream. */
export function maskText(text: string): Answer {
  return answerOf(text, textHits(text))
}

function answerOf(text: string, hits: readonly Hit[]): Answer {
  return { kept: apply(text, hits), shown: apply(text, hits, true), hits }
}

function textHits(text: string): Hit[] {
  const columns = new Map<number, number>()
  new Reading(columns).text(text, 0)
  const hits = new Reading(columns).text(text, 0)
  return withRuns(hits, base64Hits(text))
}

/** Hits with those in base64, of which none may lie in another one. */
function withRuns(hits: readonly Hit[], runs: readonly Hit[]): Hit[] {
  const free = runs.filter((run) => !hits.some((hit) => hit.start < run.end && hit.end > run.start))
  if (free.length < runs.length) doubt.isAny = true
  return [...hits, ...free]
}

/** A message has more in its strings than a text: base64, and items that are read as one text. */
class MessageReading extends Reading {
  override node(text: string, node: Node, place: Place): Hit[] {
    const hits = super.node(text, node, place)
    return node.kind === 'string' ? withRuns(hits, requoted(text, node, base64Hits)) : hits
  }

  override member(
    text: string,
    name: string,
    value: Node,
    place: Place,
    holder: Extract<Node, { kind: 'object' }>,
  ): Hit[] {
    if (name === 'blob' && value.kind === 'string') {
      const blob = blobHits(text, value, holder)
      if (blob !== undefined) return blob
      // Without base64: a string as any other, but for runs.
      return super.node(text, value, { meaning: 0 })
    }
    const hits = super.member(text, name, value, place, holder)
    if (!listsReadAsOne.has(name) || value.kind !== 'array') return hits
    // What lies within a part of a number is replaced by it.
    const joined = joinedHits(text, value.elements, hits)
    const isInside = (hit: Hit): boolean =>
      joined.some(({ start, end }) => start <= hit.start && hit.end <= end)
    return [...hits.filter((hit) => !isInside(hit)), ...joined]
  }
}

const textual =
  /^(?:text\/|application\/(?:.+\+)?(?:json|xml|yaml|x-yaml|sql|csv|x-ndjson|javascript|x-www-form-urlencoded)\b)|\+(?:json|xml)\b/i

/** A blob of a resource, by the MIME type beside it. */
function blobHits(
  text: string,
  value: Extract<Node, { kind: 'string' }>,
  holder: Extract<Node, { kind: 'object' }>,
): Hit[] | undefined {
  const insideOf = (node: Node | undefined): string =>
    node?.kind === 'string'
      ? unquoted(text, node)
          .map(({ character }) => character)
          .join('')
      : ''
  const mime = holder.members.find(({ key }) => insideOf(key) === 'mimeType')?.value
  if (insideOf(mime) !== '' && !textual.test(insideOf(mime))) return undefined
  const clear = decoded(insideOf(value))
  if (clear === undefined) return undefined
  return requoted(text, value, (blob) => encodedHits(blob, 0, clear))
}

/** Base64 (RFC 4648) amid a text: runs of its alphabet of 24 signs and more which decode to text. */
function base64Hits(text: string): Hit[] {
  const hits: Hit[] = []
  let done = 0
  for (const match of text.matchAll(/[A-Za-z0-9+/_-]{24,}/g)) {
    if (match.index < done) continue
    // The letter of an escape in front belongs to it.
    const start = match.index + (text[match.index - 1] === '\\' ? 1 : 0)
    const lines = linesOf(text, start, match.index + match[0].length)
    const run = lines.map(({ own }) => own).join('')
    const head = Buffer.from(run.slice(0, 64), 'base64').toString('latin1')
    const clear = /[^\t\n\r\x20-\x7e\x80-\xff]/.test(head) ? undefined : decoded(run)
    done = lines.at(-1)?.end ?? done
    if (match[0].length + match.index - start < 24 || clear === undefined) continue
    for (const hit of encodedHits(run, start, clear))
      hits.push({
        ...hit,
        end: done,
        put: broken(hit.put, lines),
        shown: broken(hit.shown ?? hit.put, lines),
      })
  }
  return hits
}

/** A line of base64, and the line break behind it. */
interface Line {
  readonly own: string
  readonly end: number
  readonly by: string
}

/** The lines of the base64 whose first one is [start, end): all but the last are of one length, which
 *  is sixty signs or more. */
function linesOf(text: string, start: number, end: number): Line[] {
  const lines: Line[] = []
  let [from, to] = [start, end]
  for (;;) {
    const width = to - from
    const next = /^(\r?\n|(?:\\+r)?\\+n)([A-Za-z0-9+/_-]+)(={0,2})/.exec(text.slice(to))
    const [all = '', by = '', run = '', padding = ''] = next ?? []
    const behind = text.slice(to + all.length)
    const isLast = (run + padding).length % 4 === 0 && /^(?:$|[\0- "\\])/.test(behind)
    const isLine = run.length === width || isLast
    if (next === null || width < 60 || width % 4 !== 0 || run.length > width || !isLine) break
    lines.push({ own: text.slice(from, to), end: to, by })
    from = to + by.length
    to = from + run.length
  }
  const length = lines.reduce((sum, { own }) => sum + own.length, to - from)
  const padding = /^={0,3}/.exec(text.slice(to))?.[0].slice(0, (4 - (length % 4)) % 4) ?? ''
  lines.push({ own: text.slice(from, to) + padding, end: to + padding.length, by: '' })
  return lines
}

/** A run with its line breaks where they were, as far as it has as many signs. */
function broken(run: string, lines: readonly Line[]): string {
  let out = ''
  let done = 0
  for (const { own, by } of lines.slice(0, -1)) {
    out += run.slice(done, done + own.length)
    done += own.length
    if (done < run.length) out += by
  }
  return out + run.slice(done)
}

/** The text behind base64; undefined for what is none. */
function decoded(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length === 0 || bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Base64 that is masked is decoded, masked, and encoded again. */
function encodedHits(base64: string, start: number, clear: string): Hit[] {
  const { kept, shown, hits } = maskText(clear)
  const [first] = hits
  if (first === undefined) return []
  const alphabet = /[-_]/.test(base64) ? 'base64url' : 'base64'
  const encode = (text: string): string => Buffer.from(text).toString(alphabet)
  return [
    {
      start,
      end: start + base64.length,
      kind: first.kind,
      put: encode(kept),
      shown: encode(shown),
    },
  ]
}
