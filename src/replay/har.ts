/**
 * A replay as an HTTP archive: HAR 1.2 (softwareishard.com/blog/har-12-spec). One HAR entry is one
 * exchange, a client's message with its answers; a page is a session. Members of our own begin with
 * `_`, as the format asks for.
 */
import { fromText, whoText } from './tell.ts'
import { HarExchange } from './har-exchange.ts'
import { odd, spelt } from './plain.ts'
import { Ranges } from './shown.ts'
import { Tally, endOf } from './summary.ts'
import type { Frame, Shown } from './shown.ts'
import type { SessionSummary } from './summary.ts'

/**
 * One JSON object: exchanges in the order in which they ended, then those without an end, then the
 * sessions, and in `_shown` which entries these were. Kept in memory: the exchanges that are open,
 * a line for each session, and the entries that belong to no exchange.
 */
export async function* har(shown: AsyncIterable<Shown>, frame: Frame): AsyncGenerator<string> {
  const archive = new Archive()
  let isBegun = false
  for await (const one of shown) {
    if (!isBegun) yield opening(frame)
    isBegun = true
    yield* archive.take(one)
  }
  yield* archive.end(frame)
}

class Archive {
  readonly #open = new Map<string, HarExchange>()
  readonly #tally = new Tally()
  readonly #ranges = new Ranges()
  readonly #others: unknown[] = []
  #isFirst = true
  /** The exchange of the entry before. */
  #last: string | undefined;

  /** What stands in the log behind an end still belongs to it when it is of the same exchange: so
   *  an exchange is over when the first entry of another comes. */
  *take(shown: Shown): Generator<string> {
    const { entry } = shown
    this.#ranges.add(entry.index)
    this.#tally.take(entry)
    yield* this.#ended(entry.exchange)
    if (entry.exchange === undefined) this.#others.push(otherOf(shown))
    else this.#exchangeOf(entry.exchange).take(shown)
  }

  *end({ origin, title }: Frame): Generator<string> {
    for (const exchange of this.#open.values()) yield this.#written(exchange)
    const shown = { title, origin, count: this.#ranges.count, entries: this.#ranges.toString() }
    const pages = this.#tally.sessions.map(pageOf)
    const others = this.#others.length === 0 ? undefined : this.#others
    const tail = json({ pages, comment: title, _shown: shown, _entries: others })
    yield `\n],${tail.slice(1)}}\n`
  }

  *#ended(now: string | undefined): Generator<string> {
    // Only the exchange of the entry before can have come to its end with it.
    if (this.#last === undefined || this.#last === now) return
    const exchange = this.#open.get(this.#last)
    if (exchange?.isOver !== true) return
    this.#open.delete(this.#last)
    yield this.#written(exchange)
  }

  #exchangeOf(name: string): HarExchange {
    this.#last = name
    const known = this.#open.get(name)
    if (known) return known
    const exchange = new HarExchange()
    this.#open.set(name, exchange)
    return exchange
  }

  #written(exchange: HarExchange): string {
    const text = `${this.#isFirst ? '' : ','}\n${json(exchange.entry())}`
    this.#isFirst = false
    return text
  }
}

function opening({ version }: Frame): string {
  const creator = json({ name: 'Sallyport', version })
  return `{"log":{"version":"1.2","creator":${creator},"entries":[`
}

/** An entry of the log that belongs to no exchange: a session opened or closed, a start, a seal.
 *  Parsed and written canonically (RFC 8785) `entry` is the log's own bytes. */
function otherOf({ entry, proof }: Shown): unknown {
  return { entry: entry.fields, proof }
}

function pageOf(of: SessionSummary): unknown {
  const { calls, client, closedBy, connections, durationUs, era, maskings } = of
  return {
    startedDateTime: of.openedAt,
    id: of.session,
    title: `${whoText(of.principal)}, from ${fromText(of.source)}`,
    pageTimings: {},
    _principal: of.principal,
    _source: of.source,
    _client: client,
    _userAgent: of.userAgent,
    _era: era,
    _version: of.version,
    _connections: connections,
    _endedDateTime: endOf(of),
    _endedBy: closedBy,
    _durationUs: durationUs,
    _calls: calls,
    _open: of.open,
    _outcomes: of.outcomes,
    _masked: maskings,
  }
}

/** JSON whose invisible characters are escaped, so that printing it harms no terminal. */
function json(value: unknown): string {
  return JSON.stringify(value).replace(odd, spelt)
}
