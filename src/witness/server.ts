/**
 * A witness: an HTTP server that cosigns the checkpoints of the logs it knows (C2SP tlog-witness).
 *
 *     POST <prefix>/add-checkpoint               200, 400, 403, 404, 409, 413, 422, 503
 *     GET  <prefix>/<hex SHA-256(origin)>/checkpoint
 *     GET  /healthz
 *
 * It is public by design: what a log may have is decided by its signature alone.
 */
import type { KeyObject } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import { listen } from '../listener/listener.ts'
import { takeLock } from '../record/lock.ts'
import { Unproven } from '../tlog/unproven.ts'
import { formatSize, parseRequest, sizeMediaType } from '../tlog/witness.ts'
import { Ledger } from './ledger.ts'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Incoming } from '../listener/incoming.ts'
import type { ListenerLimits } from '../listener/listener.ts'
import type { ListenerTls } from '../listener/tls.ts'
import type { Release } from '../record/lock.ts'
import type { LedgerAnswer } from './ledger.ts'

/** Where a witness tells what it does: origins, sizes and statuses. */
export interface WitnessLog {
  info(facts: object, what: string): void
  warn(facts: object, what: string): void
  error(facts: object, what: string): void
}

export interface WitnessOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Before the paths of the protocol, such as `/log`; empty unless given. */
  readonly prefix?: string
  readonly tls?: ListenerTls
  readonly limits?: Partial<ListenerLimits>
  /** vkeys of the logs; a key's name is the log's origin. */
  readonly logs: readonly string[]
  /** Ed25519; `openWitnessKey` keeps one in the state folder. */
  readonly key: KeyObject
  /** The witness's name: a URL without scheme, as for origins. */
  readonly name: string
  /** Made when it is missing; no two witnesses share one. */
  readonly stateDir: string
  readonly disk: Disk
  readonly clock: Clock
  readonly log: WitnessLog
}

export interface Witness {
  readonly host: string
  readonly port: number
  /** What logs and verifiers need: `name+key ID+base64`. */
  readonly vkey: string
  /** Lets running requests end, for two seconds, and gives the state folder back. */
  close(): Promise<void>
}

/** 63 hashes and a checkpoint with a dozen post-quantum lines; the protocol names no bound. */
const bodyBytesMax = 65_536
const closeGraceMs = 2_000
/** Of a checkpoint that does not fit, in the witness's log: text and a few signatures. */
const evidenceCharsMax = 4096

const limits: Partial<ListenerLimits> = {
  headerBytesMax: 8192,
  headersMax: 50,
  headersMs: 5_000,
  requestMs: 15_000,
  writeStallMs: 15_000,
  socketsMax: 256,
}

/**
 * Starts a witness.
 * @throws {Fault} `config_bad` for an address that is taken or a name or vkey that is none;
 *   `record_down` when another process has the state folder or a state is not this witness's.
 */
export async function startWitness(options: WitnessOptions): Promise<Witness> {
  const { disk, host, log, port, stateDir, tls } = options
  await disk.makeFolder(stateDir)
  const release = await lockOf(disk, stateDir)
  try {
    const ledger = await openLedger(options)
    const prefix = options.prefix ?? ''
    const door = await listen({
      host,
      port,
      ...(tls === undefined ? {} : { tls }),
      limits: { ...limits, ...options.limits },
      serve: (incoming) => serve(incoming, { ledger, log, prefix }),
      onDefect: (error) => {
        log.error({ kind: error instanceof Error ? error.constructor.name : 'unknown' }, 'defect')
      },
    })
    const close = async (): Promise<void> => {
      await door.close(closeGraceMs)
      await release()
    }
    return { host: door.host, port: door.port, vkey: ledger.vkey, close }
  } catch (error) {
    await release()
    throw error
  }
}

async function lockOf(disk: Disk, stateDir: string): Promise<Release> {
  try {
    return await takeLock(disk, stateDir)
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.facts['reason'] !== 'locked') throw cause
    const message =
      "Another process has the witness's state folder. Two with one key could sign two histories, " +
      'so this one did not start. Stop the other one first.'
    throw new Fault('record_down', message, { cause, facts: cause.facts })
  }
}

async function openLedger(options: WitnessOptions): Promise<Ledger> {
  try {
    return await Ledger.open(options)
  } catch (cause) {
    if (!(cause instanceof Unproven)) throw cause
    throw new Fault('config_bad', `The witness cannot start: ${cause.message}`, { cause })
  }
}

interface Served {
  readonly ledger: Ledger
  readonly log: WitnessLog
  readonly prefix: string
}

async function serve(incoming: Incoming, at: Served): Promise<void> {
  const { method, path } = incoming
  const isSubmission = path === `${at.prefix}/add-checkpoint`
  const origin = originHashIn(path, at.prefix)
  if (!isSubmission && origin === undefined && path !== '/healthz') return plain(incoming, 404)
  const allowed = isSubmission ? 'POST' : 'GET'
  if (method !== allowed) return send(incoming, 405, { allow: allowed })
  if (isSubmission) return await addCheckpoint(incoming, at)
  if (origin === undefined) return plain(incoming, at.ledger.isWell ? 200 : 503)
  const note = at.ledger.noteOf(origin)
  if (note === undefined) return plain(incoming, 404)
  send(incoming, 200, { 'content-type': textType, 'cache-control': 'no-cache' }, note)
}

const textType = 'text/plain; charset=utf-8'

function originHashIn(path: string, prefix: string): string | undefined {
  if (!path.startsWith(`${prefix}/`)) return undefined
  return /^([0-9a-f]{64})\/checkpoint$/.exec(path.slice(prefix.length + 1))?.[1]
}

async function addCheckpoint(incoming: Incoming, { ledger, log }: Served): Promise<void> {
  const body = await bodyOf(incoming)
  if (typeof body === 'number') return plain(incoming, body)
  const answer = await ledger.answer(body)
  tell(answer, body, log)
  if (answer.status === 200) send(incoming, 200, { 'content-type': textType }, answer.lines)
  else if (answer.status === 409) {
    send(incoming, 409, { 'content-type': sizeMediaType }, formatSize(answer.size))
  } else plain(incoming, answer.status)
}

/** The body, or the status that says why there is none. */
async function bodyOf(incoming: Incoming): Promise<Uint8Array | number> {
  try {
    return await incoming.body(bodyBytesMax)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (error.code === 'too_large') return 413
    return error.code === 'too_slow' ? 408 : 400
  }
}

/** Other answers are not told: anybody can have them by the thousand. */
function tell(answer: LedgerAnswer, body: Uint8Array, log: WitnessLog): void {
  const { origin, status } = answer
  if (status === 200) log.info({ origin, size: answer.size }, 'cosigned')
  else if (status === 409) log.info({ origin, size: answer.size }, 'another size')
  else if (status === 503) log.error({ origin }, 'not remembered, so not cosigned')
  else if (status === 422) {
    // The log's own signature stands under it: this may be the proof that it forked.
    const checkpoint = parseRequest(body).checkpoint.slice(0, evidenceCharsMax)
    log.warn({ origin, checkpoint }, 'inconsistent')
  }
}

const words: Readonly<Record<number, string>> = {
  200: 'well\n',
  400: 'This is no request to a witness.\n',
  403: 'No key that is trusted for this log has signed the checkpoint.\n',
  404: 'There is nothing here.\n',
  408: 'The request took too long.\n',
  413: 'The request is too large.\n',
  422: 'The checkpoint does not continue the one that was cosigned last.\n',
  503: 'The witness cannot remember more just now.\n',
}

function plain(incoming: Incoming, status: number): void {
  const later = status === 503 ? { 'retry-after': '60' } : {}
  send(incoming, status, { 'content-type': textType, ...later }, words[status])
}

function send(
  incoming: Incoming,
  status: number,
  headers: Readonly<Record<string, string>>,
  body = '',
): void {
  incoming.begin(status, headers).end(Buffer.from(body))
}
