/**
 * Server-sent events (WHATWG HTML, §9.2.5 and §9.2.6): cutting a stream of bytes into events and
 * putting events together again. Whatever way the bytes were cut in transit, the same events come
 * out.
 */
import { assert } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const newline: Uint8Array = Buffer.from('\n')

/** One event, or a comment between events. */
export interface SseEvent {
  /**
   * Its bytes as they came, including the blank line at the end. Blank lines and a byte order mark
   * ahead of it are not part of it, nor is the LF of a last CRLF that a chunk's end cut in two:
   * the CR alone means the same.
   */
  readonly raw: Uint8Array
  /** Data lines joined with LF; undefined if there are none; may be empty (a priming event). */
  readonly data: Uint8Array | undefined
  readonly id: string | undefined
  readonly event: string | undefined
  readonly retry: string | undefined
  /** Whether it has text that every client skips: comments, unknown fields, ids with NUL. */
  readonly hasComment: boolean
}

/**
 * Cuts one stream into events. A comment that stands between events comes out at once, as an event
 * without data, so that keep-alives keep alive.
 *
 * Memory is bounded by `eventBytesMax`, whatever the size and number of chunks.
 */
export class SseReader {
  readonly #bytesMax: number
  /** The start of an event whose end has not come yet, in the first `#held` bytes. */
  #pending = Buffer.alloc(0)
  #held = 0
  /** Bytes of the byte order mark seen so far; 3 when past that place. */
  #mark = 0
  /** The last byte was a CR that ended a line: a LF now belongs to it. */
  #afterCr = false
  /** Bytes of the current line before this chunk, and its first byte. */
  #lineBytes = 0
  #lineFirst = 0
  /** The current event has a line that is no comment. */
  #hasField = false

  constructor(limits: { readonly eventBytesMax: number }) {
    this.#bytesMax = limits.eventBytesMax
  }

  /**
   * Takes the next bytes and returns the events they complete, in order. Events may share memory
   * with `chunk`, which must not be written to afterwards.
   * @throws {Fault} `answer_too_large` when an event, finished or not, has over `eventBytesMax`
   *   bytes; the reader is of no use afterwards.
   */
  push(chunk: Uint8Array): SseEvent[] {
    const events: SseEvent[] = []
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let from = this.#mark < 3 ? this.#skipMark(bytes) : 0 // Start of what belongs to this event.
    let line = from // Start of the current line, or of its part in this chunk.
    let lf = bytes.indexOf(LF, from)
    let cr = bytes.indexOf(CR, from)
    while (line < bytes.length) {
      if (this.#afterCr) {
        this.#afterCr = false
        if (bytes[line] === LF) {
          // The second half of a CRLF: it goes with its event, unless that is out already.
          line++
          if (this.#held === 0 && from === line - 1) from = line
          continue
        }
      }
      if (lf !== -1 && lf < line) lf = bytes.indexOf(LF, line)
      if (cr !== -1 && cr < line) cr = bytes.indexOf(CR, line)
      const end = nearest(lf, cr)
      if (end === -1) break
      const isCrLf = end === cr && bytes[end + 1] === LF
      this.#afterCr = end === cr && !isCrLf
      const next = end + (isCrLf ? 2 : 1)
      if (this.#endsEvent(bytes, line, end)) {
        const raw = this.#take(bytes, from, next)
        if (raw !== undefined) events.push(parse(raw))
        from = next
      }
      line = next
    }
    this.#keep(bytes, from, line)
    return events
  }

  /** Ends the stream. Clients drop an event without its blank line, and so do we: it is counted. */
  end(): { unfinishedBytes: number } {
    const unfinishedBytes = this.#held
    this.#pending = Buffer.alloc(0)
    this.#held = 0
    return { unfinishedBytes }
  }

  /** Passes over a byte order mark, which may come in pieces. */
  #skipMark(bytes: Buffer): number {
    const mark = [0xef, 0xbb, 0xbf]
    let at = 0
    while (this.#mark < 3 && at < bytes.length && bytes[at] === mark[this.#mark]) {
      at++
      this.#mark++
    }
    if (this.#mark < 3 && at < bytes.length) {
      // It was none: what was taken for it belongs to the first line.
      this.#pending = Buffer.from(mark.slice(0, this.#mark - at))
      this.#held = this.#pending.length
      this.#lineBytes = this.#held
      this.#lineFirst = 0xef
      this.#mark = 3
      return 0
    }
    return at
  }

  /** Notes the line [line, end) of this chunk; true if an event or a lone comment ends with it. */
  #endsEvent(bytes: Buffer, line: number, end: number): boolean {
    const length = this.#lineBytes + end - line
    const first = this.#lineBytes > 0 ? this.#lineFirst : bytes[line]
    this.#lineBytes = 0
    if (length === 0 || (first === COLON && !this.#hasField)) {
      this.#hasField = false
      return true
    }
    if (first !== COLON) this.#hasField = true
    return false
  }

  /** The bytes of the event that ends at `to`; undefined when it is just a blank line. */
  #take(bytes: Buffer, from: number, to: number): Buffer | undefined {
    this.#checkSize(to - from)
    if (this.#held === 0) {
      const first = bytes[from]
      return first === LF || first === CR ? undefined : bytes.subarray(from, to)
    }
    this.#append(bytes, from, to)
    const raw = this.#pending.subarray(0, this.#held)
    this.#pending = Buffer.alloc(0)
    this.#held = 0
    return raw
  }

  #keep(bytes: Buffer, from: number, line: number): void {
    if (line < bytes.length) {
      if (this.#lineBytes === 0) this.#lineFirst = bytes[line] ?? 0
      this.#lineBytes += bytes.length - line
    }
    if (from === bytes.length) return
    this.#checkSize(bytes.length - from)
    this.#append(bytes, from, bytes.length)
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const needed = this.#held + to - from
    if (needed > this.#pending.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(needed * 2, 1024), this.#bytesMax))
      this.#pending.copy(larger, 0, 0, this.#held)
      this.#pending = larger
    }
    bytes.copy(this.#pending, this.#held, from, to)
    this.#held = needed
  }

  #checkSize(more: number): void {
    if (this.#held + more <= this.#bytesMax) return
    const message = `An event of the server has over ${this.#bytesMax} bytes; its stream was ended.`
    throw new Fault('answer_too_large', message, {
      facts: { reason: 'event', bytesMax: this.#bytesMax },
    })
  }
}

type Field = 'blank' | 'skipped' | 'data' | 'id' | 'event' | 'retry'

interface Line {
  readonly field: Field
  /** The value is [from, to), the line with its end [start, next). */
  readonly start: number
  readonly from: number
  readonly to: number
  readonly next: number
}

/** The lines of one event. */
function* linesOf(raw: Buffer): Generator<Line> {
  let start = 0
  let lf = raw.indexOf(LF)
  let cr = raw.indexOf(CR)
  while (start < raw.length) {
    if (lf !== -1 && lf < start) lf = raw.indexOf(LF, start)
    if (cr !== -1 && cr < start) cr = raw.indexOf(CR, start)
    const end = nearest(lf, cr)
    const to = end === -1 ? raw.length : end
    const next = to === cr && raw[to + 1] === LF ? to + 2 : Math.min(to + 1, raw.length)
    yield lineOf(raw, start, to, next)
    start = next
  }
}

/** The smaller of two offsets, of which either may be -1 for none. */
function nearest(one: number, other: number): number {
  if (one === -1) return other
  return other === -1 ? one : Math.min(one, other)
}

function lineOf(raw: Buffer, start: number, to: number, next: number): Line {
  if (start === to) return { field: 'blank', start, from: to, to, next }
  // No field we know has a name of more than five letters: a colon further on does not matter.
  const reach = Math.min(to, start + 6)
  let colon = start
  while (colon < reach && raw[colon] !== COLON) colon++
  let from = Math.min(colon + 1, to)
  if (raw[from] === 0x20 && from < to) from++
  return { field: fieldOf(raw, start, colon, from, to), start, from, to, next }
}

function fieldOf(raw: Buffer, start: number, colon: number, from: number, to: number): Field {
  if (isName('data', raw, start, colon)) return 'data'
  if (isName('event', raw, start, colon)) return 'event'
  if (isName('id', raw, start, colon)) return raw.subarray(from, to).includes(0) ? 'skipped' : 'id'
  if (!isName('retry', raw, start, colon)) return 'skipped'
  return /^[0-9]+$/.test(raw.toString('latin1', from, to)) ? 'retry' : 'skipped'
}

function isName(name: string, raw: Buffer, start: number, end: number): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (raw[start + i] !== name.charCodeAt(i)) return false
  return true
}

/** Copies raw[start, end) to `to` at `at`; returns the bytes copied. Short lines without a call. */
function copy(raw: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > 32) return raw.copy(to, at, start, end)
  for (let i = start; i < end; i++) to[at + i - start] = raw[i] ?? 0
  return end - start
}

function parse(raw: Buffer): SseEvent {
  let data: Buffer | undefined
  let joined: Buffer | undefined // Where a second data line and those after it are put together.
  let length = 0
  let id: string | undefined
  let event: string | undefined
  let retry: string | undefined
  let hasComment = false
  for (const { field, from, to } of linesOf(raw)) {
    if (field === 'data') {
      if (data === undefined) data = raw.subarray(from, to)
      else {
        if (joined === undefined) {
          joined = Buffer.allocUnsafeSlow(raw.length)
          length = data.copy(joined)
        }
        joined[length++] = LF
        length += copy(raw, from, to, joined, length)
      }
    } else if (field === 'id') id = raw.toString('utf8', from, to)
    else if (field === 'event') event = raw.toString('utf8', from, to)
    else if (field === 'retry') retry = raw.toString('latin1', from, to)
    else if (field === 'skipped') hasComment = true
  }
  return { raw, data: joined?.subarray(0, length) ?? data, id, event, retry, hasComment }
}

/**
 * The event's lines without those of one field, in the place of whose first comes `instead`. Text
 * that clients skip is emptied down to a colon; everything else stays byte for byte.
 */
function rewrite(
  event: SseEvent,
  dropped: 'data' | 'id' | 'none',
  instead: (end: Uint8Array) => Uint8Array,
): Uint8Array {
  const { buffer, byteOffset, length } = event.raw
  const raw = Buffer.from(buffer, byteOffset, length)
  const kept = Buffer.allocUnsafeSlow(length) // No line grows but for the one that is replaced.
  let size = 0
  let place = -1
  let put: Uint8Array = Buffer.alloc(0)
  for (const { field, start, to, next } of linesOf(raw)) {
    if (field === dropped) {
      if (place !== -1) continue
      place = size
      put = instead(raw.subarray(to, next))
    } else if (field === 'skipped') {
      kept[size++] = COLON
      size += copy(raw, to, next, kept, size)
    } else size += copy(raw, start, next, kept, size)
  }
  if (place === -1) return kept.subarray(0, size)
  return Buffer.concat([kept.subarray(0, place), put, kept.subarray(place, size)])
}

/**
 * The same event with other data. Its other fields keep their bytes and order; text that clients
 * skip (comments, unknown fields) is emptied down to its colon.
 * @param event one that has data.
 * @param data LF, CR and CRLF in it begin a new data line, which clients join with LF.
 */
export function withData(event: SseEvent, data: Uint8Array): Uint8Array {
  assert(event.data !== undefined, 'only an event that has data can be given other data')
  return rewrite(event, 'data', (end) => dataLines(data, end))
}

/** The same event without the text that clients skip: each such line is just a colon. */
export function withoutComments(event: SseEvent): Uint8Array {
  return event.hasComment ? rewrite(event, 'none', () => newline) : event.raw
}

/**
 * The same event under another id, which comes first; comments are emptied as in `withData`.
 * @param id without NUL, CR and LF.
 */
export function withId(event: SseEvent, id: string): Uint8Array {
  const rest = rewrite(event, 'id', () => Buffer.alloc(0))
  return Buffer.concat([fieldLine('id', id), rest])
}

/** One event of our own, lines ended by LF. */
export function writeSse(event: {
  readonly data: Uint8Array
  readonly id?: string | undefined
  readonly event?: string | undefined
  readonly retry?: string | undefined
}): Uint8Array {
  const parts: Uint8Array[] = []
  if (event.event !== undefined) parts.push(fieldLine('event', event.event))
  if (event.id !== undefined) parts.push(fieldLine('id', event.id))
  if (event.retry !== undefined) parts.push(fieldLine('retry', event.retry))
  parts.push(dataLines(event.data, newline), newline)
  return Buffer.concat(parts)
}

function fieldLine(name: string, value: string): Buffer {
  assert(!/[\0\r\n]/.test(value), 'the value of an event field is one line')
  return Buffer.from(`${name}: ${value}\n`)
}

function dataLines(data: Uint8Array, end: Uint8Array): Uint8Array {
  const raw = Buffer.from(data.buffer, data.byteOffset, data.length)
  const parts: Uint8Array[] = []
  let from = 0
  while (from <= raw.length) {
    const lf = raw.indexOf(LF, from)
    const line = raw.subarray(from, lf === -1 ? raw.length : lf)
    const cr = line.indexOf(CR)
    const to = cr === -1 ? from + line.length : from + cr
    parts.push(field, raw.subarray(from, to), end)
    from = raw[to] === CR && raw[to + 1] === LF ? to + 2 : to + 1
  }
  return Buffer.concat(parts)
}

const field = Buffer.from('data: ')
