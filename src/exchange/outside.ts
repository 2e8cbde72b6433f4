/**
 * What a server says outside of its messages: headers, and the fields of events. A client gets of
 * them what may hold no card number; what it sends back leaves as an alias.
 */
import { encodeMirror } from '../wire/mirrors.ts'
import { writeSse } from '../wire/sse.ts'
import type { SseEvent } from '../wire/sse.ts'
import type { Stations } from './stations.ts'
import type { Known, Way } from './way.ts'

/** The server's headers for its client. */
export function shownHeaders(
  headers: Readonly<Record<string, string>>,
  known: Known,
  at: Stations,
): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name] ?? ''
    const isId = name === 'mcp-session-id'
    shown[name] = isId ? at.masker.seal(value, known.binding) : at.masker.word(value).value
  }
  return shown
}

/** Ten digits of milliseconds are a hundred days: more is no time, and could be anything. */
const retryDigitsMax = 10

/**
 * An event whose fields may leave. Those that clients skip, since a later one counts, are left out
 * of it; its data is not looked at.
 */
export function shownEvent(event: SseEvent, known: Known, at: Stations): SseEvent {
  const id = event.id === undefined ? undefined : at.masker.seal(event.id, known.binding)
  const name = event.event?.includes('\0') === true ? undefined : event.event
  const shownName = name === undefined ? undefined : at.masker.word(name).value
  const retry = (event.retry?.length ?? 0) > retryDigitsMax ? undefined : event.retry
  const isSame = id === event.id && shownName === event.event && retry === event.retry
  if (isSame && isPlain(event)) return event
  const clean = { ...event, id, event: shownName, retry, hasComment: false }
  return { ...clean, raw: written(clean) }
}

/** Room for other line ends; a line that holds a card number takes more. */
const spareBytes = 8

/** Whether an event has no more lines than its fields need. */
function isPlain({ raw, data, id, event, retry }: SseEvent): boolean {
  const fields = [id, event, retry].filter((value) => value !== undefined)
  let bytes = spareBytes
  for (const value of fields) bytes += 'event: \n'.length + Buffer.byteLength(value)
  if (data === undefined) return raw.length <= bytes
  bytes += 'data: \n'.length + data.length
  if (raw.length <= bytes) return true
  for (const byte of data) if (byte === 0x0a) bytes += 'data: '.length
  return raw.length <= bytes
}

function written({ data, id, event, retry }: SseEvent): Uint8Array {
  if (data !== undefined) return writeSse({ data, id, event, retry })
  const lines = Object.entries({ event, id, retry }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\n`],
  )
  return Buffer.from(`${lines.join('')}\n`)
}

/**
 * A client's headers as its server knows them: the ids that left as aliases, and the name in
 * `Mcp-Name`, where the body it repeats held an alias.
 */
export function* sentHeaders(way: Way, known: Known, at: Stations): Iterable<[string, string]> {
  const target = way.isUndone ? way.legs[0]?.target : undefined
  for (const [name, value] of way.incoming.headers.entries()) {
    if (name === 'last-event-id') yield [name, at.masker.unseal(value, known.binding)]
    else if (name === 'mcp-session-id') yield [name, way.sid ?? value]
    else if (name === 'mcp-name' && target !== undefined && target.kind !== 'none') {
      yield [name, encodeMirror(target.name)]
    } else yield [name, value]
  }
}
