/** `/metrics` in the Prometheus text format. Labels are names of ours, never what somebody sent. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Meters } from '../exchange/stations.ts'
import type { NoticeFigures } from '../notify/lane.ts'
import type { RecorderFigures, RecorderState } from '../record/record.ts'

export interface Metrics extends Meters {
  /** The whole page. */
  page(): Promise<string>
  readonly contentType: string
}

/** What is read when the page is asked for. */
export interface Gauges {
  record(): {
    state: RecorderState
    figures: RecorderFigures
    tree: { readonly size: number; readonly signedAtMs: number | undefined }
  }
  /** Entries that are not in the index yet. */
  indexLag(): number
  underway(): number
  sessions(): number
  inFlightBytes(): number
  /** Calls that wait for a person. */
  held(): number
  /** Of each receiver of notices. */
  notices(): readonly NoticeFigures[]
}

/** Counted in plain maps, since there are several counts a call; handed over when asked for. */
export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const received = counter(registers, {
    name: 'sallyport_calls_received_total',
    help: 'Messages of clients that were let in, by connection.',
    labels: ['connection'],
  })
  const finished = counter(registers, {
    name: 'sallyport_calls_finished_total',
    help: 'Exchanges that ended, by connection and outcome.',
    labels: ['connection', 'outcome'],
  })
  const refused = counter(registers, {
    name: 'sallyport_refused_total',
    help: 'Requests refused before anything was sent, by reason.',
    labels: ['reason'],
  })
  const masked = counter(registers, {
    name: 'sallyport_masked_total',
    help: 'Card data masked in answers, by kind.',
    labels: ['kind'],
  })
  const seconds = new Histogram({
    name: 'sallyport_call_seconds',
    help: 'Time from the first byte of a request to the end of its exchange.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers,
  })
  addGauges(gauges, registers)
  addNotices(gauges, registers)
  return {
    received: (connection) => received(connection, 1),
    finished: (connection, outcome, durationUs) => {
      finished(`${connection}\n${outcome}`, 1)
      seconds.observe(durationUs / 1e6)
    },
    refused: (reason) => refused(reason, 1),
    masked: (kind, count) => masked(kind, count),
    page: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

/** A counter by label values joined with line ends. */
function counter(
  registers: Registry[],
  of: { name: string; help: string; labels: readonly string[] },
): (values: string, by: number) => void {
  const counts = new Map<string, number>()
  const made: Counter = new Counter({
    name: of.name,
    help: of.help,
    labelNames: of.labels,
    registers,
    collect: () => {
      made.reset()
      for (const [values, count] of counts) {
        const parts = values.split('\n')
        made.inc(Object.fromEntries(of.labels.map((label, i) => [label, parts[i] ?? ''])), count)
      }
    },
  })
  return (values, by) => counts.set(values, (counts.get(values) ?? 0) + by)
}

function addGauges(gauges: Gauges, registers: Registry[]): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) })
  }
  gauge(
    'sallyport_record_open',
    '1 while the record takes entries, 0 when it is full or down.',
    () => (gauges.record().state === 'open' ? 1 : 0),
  )
  gauge(
    'sallyport_record_entries',
    'Entries written since the start.',
    () => gauges.record().figures.entries,
  )
  gauge(
    'sallyport_record_commits',
    'Commits since the start; each is one write and one sync.',
    () => gauges.record().figures.batches,
  )
  gauge(
    'sallyport_record_bytes',
    'Bytes written to the record since the start.',
    () => gauges.record().figures.bytes,
  )
  gauge(
    'sallyport_record_free_bytes',
    'Free bytes on the disk of the record; -1 when unknown.',
    () => gauges.record().figures.freeBytes ?? -1,
  )
  gauge('sallyport_record_unsigned_entries', 'Durable entries under no checkpoint yet.', () =>
    Math.max(0, gauges.record().figures.durableIndex - gauges.record().tree.size),
  )
  gauge(
    'sallyport_checkpoint_timestamp_seconds',
    'When the newest checkpoint was signed; 0 before the first of this process.',
    () => (gauges.record().tree.signedAtMs ?? 0) / 1000,
  )
  gauge('sallyport_index_lag_entries', 'Durable entries not in the search index yet.', () =>
    gauges.indexLag(),
  )
  gauge('sallyport_requests_underway', 'Requests being served.', () => gauges.underway())
  gauge('sallyport_sessions_open', 'Recorded sessions that are open.', () => gauges.sessions())
  gauge('sallyport_held_calls', 'Calls that wait for a person.', () => gauges.held())
  gauge('sallyport_in_flight_bytes', 'Bytes of messages held in memory.', () =>
    gauges.inFlightBytes(),
  )
  gauge('sallyport_resident_bytes', 'Resident memory of the process.', () =>
    process.memoryUsage.rss(),
  )
}

/** What became of notices, by the receiver's name in the configuration. */
function addNotices(gauges: Gauges, registers: Registry[]): void {
  const each = (name: string, help: string, read: (of: NoticeFigures) => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers,
      labelNames: ['receiver'],
      collect: () => {
        for (const of of gauges.notices()) made.set({ receiver: of.receiver }, read(of))
      },
    })
  }
  each('sallyport_notices_waiting', 'Notices that are still to be told.', ({ waiting }) => waiting)
  each('sallyport_notices_sent', 'Notices told since the start.', ({ sent }) => sent)
  each('sallyport_notices_failed', 'Notices given up since the start.', ({ failed }) => failed)
  each('sallyport_notices_dropped', 'Notices only counted: too many.', ({ dropped }) => dropped)
  each('sallyport_notice_failing', '1 while a receiver takes nothing.', ({ reason }) =>
    reason === undefined ? 0 : 1,
  )
}
