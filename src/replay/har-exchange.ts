/** One exchange as an entry of an HTTP archive. */
import { STATUS_CODES } from 'node:http'
import { isIP } from 'node:net'
import { unreadable } from './body.ts'
import { utf8 } from './jsonl.ts'
import { meaningOf } from './tell.ts'
import { countOf, textOf } from '../record/stored.ts'
import type { RecordedEntry } from '../record/read.ts'
import type { Shown } from './shown.ts'

/** A message, or why it cannot be read. */
interface Message {
  readonly index: number
  readonly time: string
  readonly bytes: Uint8Array | undefined
  readonly why: string | undefined
}

interface Proven {
  readonly entry: unknown
  readonly proof: string | null
}

const noEnd = 'no end of this exchange is among the entries shown'
/** A message can be delivered once more after the end, when a stream is resumed. */
const noBeginning = 'its beginning is not shown, or stands in an entry before with the same _id'

/** Gathers the entries of one exchange. It holds their messages, so let it go when it is over. */
export class HarExchange {
  #first: RecordedEntry | undefined
  #lastUs = 0
  #callsOpen = 0
  /** Bytes of the client's messages as they came; undefined when some are not known. */
  #bytesIn: number | undefined = 0
  readonly #asked: Message[] = []
  readonly #answered: Message[] = []
  #asks: RecordedEntry | undefined
  #host: string | undefined
  #dispatchedUs: number | undefined
  #answeredUs: number | undefined
  readonly #ends: RecordedEntry[] = []
  #masked = 0
  readonly #maskings: unknown[] = []
  readonly #indexes: number[] = []
  readonly #proofs: Proven[] = []

  /** Whether it has an end, and every call that began here has its own. */
  get isOver(): boolean {
    return this.#ends.length > 0 && this.#callsOpen <= 0
  }

  take({ entry, proof }: Shown): void {
    const { fields, index, timeUs } = entry
    this.#first ??= entry
    this.#lastUs = timeUs
    this.#indexes.push(index)
    if (proof !== undefined) this.#proofs.push({ entry: fields, proof })
    const { type } = entry
    if (type === 'call.received') {
      this.#callsOpen++
      this.#takeAsked(entry)
    } else if (type === 'call.denied') {
      // Refused at the door, or after it had been received.
      if (this.#callsOpen > 0) this.#callsOpen--
      else this.#takeAsked(entry)
      this.#ends.push(entry)
    } else if (type === 'call.dispatched') {
      this.#host ??= textOf(fields['host'])
      this.#dispatchedUs ??= timeUs
    } else if (type === 'response.event') {
      this.#answeredUs ??= timeUs
      this.#answered.push(messageOf(entry))
    } else if (type === 'call.finished') {
      this.#callsOpen--
      this.#ends.push(entry)
    } else if (type === 'mask.applied') this.#takeMaskings(fields)
  }

  /** The entry of the archive. Members that are undefined are left out by JSON. */
  entry(): unknown {
    const first = this.#first
    const { connection, exchange, principal, session, source, time } = first ?? {}
    const last = this.#ends.at(-1)
    const timings = this.#timings()
    return {
      pageref: session,
      startedDateTime: time,
      time: (timings.blocked + timings.wait + timings.receive) / 1000,
      request: this.#request(),
      response: this.#response(),
      cache: {},
      timings: {
        blocked: timings.blocked / 1000,
        send: 0,
        wait: timings.wait / 1000,
        receive: timings.receive / 1000,
      },
      serverIPAddress: addressOf(this.#host),
      comment: last ? meaningOf(last) : this.#asks ? noEnd : noBeginning,
      _id: exchange,
      _connection: connection,
      _principal: principal,
      _source: source,
      _sentTo: this.#host,
      _decision: this.#asks?.fields['decision'] ?? (last ? last.outcome : undefined),
      _rule: this.#asks?.fields['rule'],
      _outcome: last?.outcome ?? (this.#asks ? 'open' : undefined),
      _outcomes: this.#ends.length > 1 ? this.#ends.map(({ outcome }) => outcome) : undefined,
      _reason: last?.fields['reason'],
      _masked: this.#masked,
      _maskings: this.#maskings.length === 0 ? undefined : this.#maskings,
      _entries: this.#indexes,
      _proof: this.#proofs.length === 0 ? undefined : this.#proofs,
    }
  }

  #takeAsked(entry: RecordedEntry): void {
    this.#asks ??= entry
    this.#asked.push(messageOf(entry))
    const bytes = countOf(entry.fields['bytes'])
    this.#bytesIn =
      bytes === undefined || this.#bytesIn === undefined ? undefined : this.#bytesIn + bytes
  }

  #takeMaskings(fields: RecordedEntry['fields']): void {
    this.#masked += countOf(fields['count']) ?? 0
    const { delivered, groups, of, seq } = fields
    this.#maskings.push({ of, seq, delivered, groups })
  }

  /** In microseconds; whole numbers, so that their sum is exact. Waiting for a decision or for the
   *  record is `blocked`; the time of a call is that of its monotonic clock. */
  #timings(): { blocked: number; wait: number; receive: number } {
    const startUs = this.#first?.timeUs ?? 0
    // Of a call that a crash cut off nobody knows how long it took: its end bears 0.
    const took = this.#ends.map(({ fields }) => countOf(fields['durationUs']) ?? 0)
    const totalUs = took.length > 0 ? Math.max(...took) : this.#lastUs - startUs
    const within = (us: number, most: number): number => Math.min(Math.max(us, 0), most)
    const blocked = within((this.#dispatchedUs ?? startUs) - startUs, totalUs)
    const answered = (this.#answeredUs ?? startUs + totalUs) - startUs - blocked
    const wait = within(answered, totalUs - blocked)
    return { blocked, wait, receive: totalUs - blocked - wait }
  }

  #request(): unknown {
    const kind = textOf(this.#asks?.fields['rpcKind'])
    const method = kind === 'stream' ? 'GET' : kind === 'end' ? 'DELETE' : 'POST'
    const body = joined(this.#asked)
    const { text, why } = body
    return {
      method,
      url: `sallyport://connection/${encodeURIComponent(this.#first?.connection ?? '')}`,
      httpVersion: 'unknown',
      cookies: [],
      headers: [],
      queryString: [],
      postData:
        text === undefined
          ? undefined
          : { mimeType: 'application/json', text: text.text, _encoding: text.encoding },
      headersSize: -1,
      // What frames the members of a batch is not recorded.
      bodySize: this.#asked.length === 1 ? (this.#bytesIn ?? -1) : -1,
      comment: why,
      _rpcKind: kind,
      _rpcMethod: this.#asks?.fields['method'],
      _target: this.#asks?.fields['target'],
    }
  }

  #response(): unknown {
    const last = this.#ends.at(-1)
    const status = countOf(last?.fields['httpStatus'] ?? last?.fields['status']) ?? 0
    const { size, text, why } =
      this.#answered.length > 1 ? streamed(this.#answered) : joined(this.#answered)
    const isEmpty = this.#answered.length === 0
    const mimeType = isEmpty
      ? 'x-unknown'
      : this.#answered.length > 1
        ? 'text/event-stream'
        : 'application/json'
    const events = this.#answered.map(({ index, time }) => ({ time, entry: index }))
    return {
      status,
      statusText: STATUS_CODES[status] ?? '',
      httpVersion: 'unknown',
      cookies: [],
      headers: [],
      content: { size, mimeType, ...text, comment: why },
      redirectURL: '',
      headersSize: -1,
      // How the messages were framed on their way, as JSON or as a stream, is not recorded.
      bodySize: -1,
      _bytesOut: countOf(last?.fields['bytesOut']),
      _events: isEmpty ? undefined : events,
    }
  }
}

interface Content {
  /** In bytes. */
  readonly size: number
  readonly text: { readonly text: string; readonly encoding?: 'base64' } | undefined
  /** Why it, or a part of it, cannot be read. */
  readonly why: string | undefined
}

function messageOf(entry: RecordedEntry): Message {
  const bytes = entry.body()
  return { index: entry.index, time: entry.time, bytes, why: unreadable[entry.bodyState] }
}

/** One message as it is; several as the JSON array of a batch. */
function joined(messages: readonly Message[]): Content {
  const bodies = messages.flatMap(({ bytes }) => (bytes ? [bytes] : []))
  const comma = Buffer.from(',')
  const array = bodies.flatMap((body, i) => (i === 0 ? [body] : [comma, body]))
  const bytes = bodies.length > 1 ? [Buffer.from('['), ...array, Buffer.from(']')] : bodies
  return content(bytes, messages)
}

/** Messages as Server-Sent Events (HTML, 9.2.6): a line of data for each line of the message. */
function streamed(messages: readonly Message[]): Content {
  const bytes = messages.flatMap((message) => {
    if (!message.bytes) return []
    const lines = Buffer.from(message.bytes)
      .toString('latin1')
      .split(/\r\n|\r|\n/)
    const event = `${lines.map((line) => `data: ${line}\n`).join('')}\n`
    return [Buffer.from(event, 'latin1')]
  })
  return content(bytes, messages)
}

function content(parts: readonly Uint8Array[], messages: readonly Message[]): Content {
  const why = messages.find((message) => message.why !== undefined)?.why
  if (parts.length === 0) return { size: 0, text: undefined, why }
  const bytes = Buffer.concat(parts)
  const text = utf8(bytes)
  const base64 = { text: bytes.toString('base64'), encoding: 'base64' as const }
  return { size: bytes.length, text: text === undefined ? base64 : { text }, why }
}

/** The address that a host with its port names; undefined when it is a name. */
function addressOf(host: string | undefined): string | undefined {
  const bare = host?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return bare !== undefined && isIP(bare) > 0 ? bare : undefined
}
