/** Wires the stations together and starts the gateway. Every other file gets what it needs from here. */
import { hash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Logger } from 'pino'
import { systemClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import type { Disk } from '../base/disk.ts'
import type { CheckedConfig, Config } from '../config/config.ts'
import { isLoopbackHost } from '../config/units.ts'
import { serveAside } from '../exchange/asides.ts'
import { Budget, StreamCount } from '../exchange/budget.ts'
import { closeSessions, recordSeal, sweep, sweepMs } from '../exchange/closing.ts'
import { Floods } from '../exchange/floods.ts'
import { ToolMirrors } from '../exchange/mirrors.ts'
import { frames } from '../exchange/refuse.ts'
import { serve } from '../exchange/serve.ts'
import type { Stations } from '../exchange/stations.ts'
import { createIdentity } from '../identity/identify.ts'
import { makeLocalKey, openLocalIssuer } from '../identity/local.ts'
import type { LocalIssuer } from '../identity/local.ts'
import { allowedHosts, allowedOrigins, checkHost } from '../listener/host.ts'
import type { Incoming } from '../listener/incoming.ts'
import { listen } from '../listener/listener.ts'
import type { Listening } from '../listener/listener.ts'
import { createMasker } from '../mask/masker.ts'
import { OutputSchemas } from '../mask/schemas.ts'
import { ExposureLedger } from '../policy/exposure.ts'
import { compileGrants } from '../policy/grants.ts'
import { share } from '../record/entry.ts'
import type { Shared } from '../record/entry.ts'
import type { RecordPlace } from '../record/read.ts'
import type { Recovered } from '../record/record.ts'
import { vkeysOf } from '../record/tree-keys.ts'
import { createSecrets } from '../secrets/secrets.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { ExposureStore } from '../session/exposure-store.ts'
import { Sessions } from '../session/sessions.ts'
import { SessionState } from '../session/state.ts'
import { openBeside } from './beside.ts'
import { openConnections } from './connections.ts'
import { isAllowedHost, serveConsole } from './console-page.ts'
import type { ConsoleCheck } from './console-page.ts'
import { maskerKeys, openKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import { bodyKeysOf, writer } from './record-parts.ts'
import { RecordWatch } from './record-watch.ts'
import { openSignedRecord } from './signed-record.ts'
import type { SignedRecord } from './signed-record.ts'
import { version } from './version.ts'
import { createMetrics } from './meters.ts'
import type { Metrics } from './meters.ts'

export interface StartOptions {
  readonly checked: CheckedConfig
  /** In place of the file's ports; 0 takes any free one. */
  readonly gatewayPort?: number | undefined
  readonly consolePort?: number | undefined
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the record is written; the machine's disk unless told otherwise. */
  readonly disk?: Disk
  /** Where the own log goes; standard error unless told otherwise. */
  readonly log?: Logger
}

export interface Gateway {
  readonly gatewayUrl: string
  readonly consoleUrl: string
  readonly config: Config
  readonly recovered: Recovered
  /** The local issuer, where the configuration has one. */
  readonly local: LocalIssuer | undefined
  /** Lets running calls end for the configured grace, cancels the rest, closes the record. */
  stop(reason: string): Promise<void>
}

/**
 * Starts both listeners on a data folder.
 * @throws {Fault} `config_bad` for an address that is taken, `record_down` for a data folder in use
 *   or damaged, `secret_missing` for a secret or key that is not there.
 */
export async function startGateway(options: StartOptions): Promise<Gateway> {
  const { checked, dataDir } = options
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  chmodSync(dataDir, 0o700)
  const log = options.log ?? pino({ level: checked.config.log.level }, pino.destination(2))
  const doors = await openDoors(options, log)
  try {
    return await wire(options, doors, log)
  } catch (error) {
    await Promise.all([doors.gateway.close(0), doors.console.close(0)])
    throw error
  }
}

type Serve = (incoming: Incoming) => Promise<void>

/** Both listeners, before there is anything to serve: the ports taken decide addresses. */
interface Doors {
  readonly gateway: Listening
  readonly console: Listening
  serveGateway: Serve
  serveConsole: Serve
  onBad: (bad: { reason: string; status: number; source: { ip: string; port: number } }) => void
}

async function openDoors(options: StartOptions, log: Logger): Promise<Doors> {
  const { listen: ask, limits } = options.checked.config
  const early: Serve = (incoming) => {
    incoming.begin(503, { 'retry-after': '1' }).end()
    return Promise.resolve()
  }
  const doors: Pick<Doors, 'serveGateway' | 'serveConsole' | 'onBad'> = {
    serveGateway: early,
    serveConsole: early,
    onBad: () => undefined,
  }
  const onDefect = (error: unknown): void => {
    const kind = error instanceof Error ? error.constructor.name : typeof error
    log.error({ kind, stack: error instanceof Error ? frames(error) : [] }, 'defect')
  }
  const tls = ask.tls === undefined ? undefined : tlsOf(ask.tls, options)
  const gateway = await listen({
    host: ask.gateway.host,
    port: options.gatewayPort ?? ask.gateway.port,
    ...(tls === undefined ? {} : { tls }),
    limits: { headerBytesMax: limits.headerBytesMax, requestMs: limits.requestMs },
    trustedProxies: ask.trustedProxies,
    serve: (incoming) => doors.serveGateway(incoming),
    onBad: (bad) => doors.onBad(bad),
    onDefect,
  })
  try {
    const console = await listen({
      host: ask.console.host,
      port: options.consolePort ?? ask.console.port,
      serve: (incoming) => doors.serveConsole(incoming),
      onDefect,
    })
    return Object.assign(doors, { gateway, console })
  } catch (error) {
    await gateway.close(0)
    throw error
  }
}

function tlsOf(
  tls: NonNullable<Config['listen']['tls']>,
  { env }: StartOptions,
): { certFile: string; key: { reveal(): string } } {
  const secrets = createSecrets({ env, clock: systemClock() })
  const key = secrets.open(tls.key, 'pem', 'listen.tls.key')
  return { certFile: tls.certFile, key: { reveal: () => key.read().reveal() } }
}

async function wire(options: StartOptions, doors: Doors, log: Logger): Promise<Gateway> {
  const { checked, dataDir } = options
  const config = checked.withPorts(doors.gateway.port, doors.console.port)
  const built = await buildStations(options, config, log)
  const { at, local, metrics, state, record, place } = built
  const { recovered } = record
  const own = share({})
  await recordStart(at, own, checked.sha256, built.named)
  const documents = local?.documents() ?? {}
  doors.serveGateway = (incoming) =>
    serveAside(incoming, documents, at) ? Promise.resolve() : serve(incoming, at)
  const answersTo = consoleHosts(config)
  const { roles } = config.console
  const logFolder = join(place.dir, writer)
  doors.serveConsole = (incoming) =>
    serveConsole(incoming, {
      at,
      metrics,
      version,
      answersTo,
      roles,
      logFolder,
      vkeys: built.vkeys,
    })
  doors.onBad = ({ reason, status, source }) => noteBad(reason, status, source, at)
  const beside = await openBeside({ dataDir, config, at, record, place, log })
  built.watchIndex(() => beside.index.figures().lag)
  const sweeper = setInterval(() => {
    sweep(own, at).catch((error: unknown) => log.warn({ code: codeOf(error) }, 'sweep'))
  }, sweepMs)
  const counting = setInterval(() => at.exposure.tick(), 1000)
  const scheme = config.listen.tls === undefined ? 'http' : 'https'
  const gatewayUrl = `${scheme}://${showHost(config.listen.gateway.host)}:${doors.gateway.port}`
  const consoleUrl = config.console.publicUrl
  writeWhere(dataDir, { gateway: gatewayUrl, console: consoleUrl, publicUrl: config.publicUrl })
  log.info({ gatewayUrl, consoleUrl, version, recovered }, 'started')
  let stopped: Promise<void> | undefined
  const stopOnce = (reason: string): Promise<void> => (stopped ??= stop(reason))
  const stop = async (reason: string): Promise<void> => {
    clearInterval(sweeper)
    clearInterval(counting)
    built.stopping()
    await Promise.all([doors.gateway.close(config.limits.stopGraceMs), abortLate(config, at)])
    await beside.close()
    await doors.console.close(0)
    await closeSessions('gateway_stopped', at).catch(() => undefined)
    await recordSeal(own, at, true).catch(() => undefined) // The record may be down; the stop goes on.
    const entry = { type: 'gateway.stopped' as const, reason }
    await at.recorder.append('stop', own, [{ entry }]).catch(() => undefined)
    await record.close()
    for (const connection of at.connections.values()) await connection.upstream.close()
    at.exposure.close()
    state.close()
    rmSync(join(dataDir, 'gateway.json'), { force: true })
    log.info({ reason }, 'stopped')
  }
  return { gatewayUrl, consoleUrl, config, recovered, local, stop: stopOnce }
}

/** @throws {Fault} `record_full`: the gateway does not start on a disk without room. */
async function recordStart(
  at: Stations,
  own: Shared,
  configHash: string,
  keys: readonly string[],
): Promise<void> {
  const entry = { type: 'gateway.started' as const, version, configHash, keys }
  try {
    await at.recorder.append('start', own, [{ entry }])
  } catch (cause) {
    await at.recorder.close()
    if (!(cause instanceof Fault) || cause.code !== 'record_full') throw cause
    const message =
      'The gateway cannot start: the disk of data_dir has less room than record.free_bytes_min. Free space or move data_dir, then start it again.'
    throw new Fault('record_full', message, { cause })
  }
}

/** On loopback a page that rebinds its name must not read the console; elsewhere scrapers come by
 *  addresses of their own choice. */
function consoleHosts({ listen: { console }, console: { publicUrl } }: Config): ConsoleCheck {
  const isOpen = !isLoopbackHost(console.host)
  const hosts = allowedHosts({ bound: console.host, publicUrl })
  return (headers) => isOpen || isAllowedHost(headers, hosts)
}

interface Built {
  readonly at: Stations
  readonly local: LocalIssuer | undefined
  readonly metrics: Metrics
  readonly state: SessionState
  readonly record: SignedRecord
  readonly place: RecordPlace
  /** Public keys of the log. */
  readonly vkeys: readonly string[]
  /** Those and its witnesses', which the log names itself. */
  readonly named: readonly string[]
  stopping(): void
  /** Tells the metrics how far the index is behind. */
  watchIndex(lag: () => number): void
}

async function buildStations(options: StartOptions, config: Config, log: Logger): Promise<Built> {
  const { dataDir, env } = options
  const clock = systemClock()
  const keys = openKeys(dataDir)
  const onTrouble = (fault: { code: string }): void => log.warn({ code: fault.code }, 'secret')
  const secrets = createSecrets({ env, clock, onTrouble })
  const local = await openLocal(config, dataDir)
  const identity = createIdentity({
    issuers: config.identity.issuers,
    publicUrl: config.publicUrl,
    clock,
    local,
  })
  const connections = openConnections(config.connections, config.publicUrl, secrets)
  const { place, record } = await openOwnRecord(options, config, { clock, keys, secrets, log })
  const { recorder, recovered } = record
  const state = new SessionState(join(dataDir, 'state.sqlite'), keys.state)
  const exposure = openExposure(dataDir, state, clock, log)
  const sessions = new Sessions({ state, clock, idleMs: config.record.sessionIdleMs })
  const budget = new Budget(config.limits.inFlightBytesMax)
  const underway = new Set<AbortController>()
  const metrics = createMetrics({
    record: () => ({
      state: recorder.state(),
      figures: recorder.figures(),
      tree: record.figures(),
    }),
    indexLag: () => indexLag(),
    underway: () => underway.size,
    sessions: () => sessions.openCount,
    inFlightBytes: () => budget.usedBytes,
  })
  let indexLag = (): number => 0 // Until the index is open.
  const { gateway } = config.listen
  const rules = { bound: gateway.host, publicUrl: config.publicUrl, ...config.listen }
  const [hosts, origins] = [allowedHosts(rules), allowedOrigins(rules)]
  let isStopping = false
  const at: Stations = {
    connections,
    checkHost: (headers) => checkHost(headers, hosts, origins),
    identity,
    access: compileGrants(config.access),
    sessions,
    state,
    masker: createMasker(maskerKeys(keys, config.record.cardSearch)),
    exposure,
    recorder,
    clock,
    digest: digester(),
    redact: (bytes) => secrets.redact(bytes),
    limits: config.limits,
    budget,
    streams: new StreamCount(config.limits.streamsPerPrincipalMax),
    floods: new Floods(clock, config.limits.refusalsPerMinuteMax),
    sealed: { atMs: clock.monotonicMs() },
    pending: new Map(),
    mirrors: new ToolMirrors(),
    schemas: new OutputSchemas(),
    underway,
    isStopping: () => isStopping,
    meters: metrics,
    log,
  }
  const vkeys = vkeysOf(recovered.origin, keys.signing)
  const named = [...vkeys, ...config.record.witnesses.map(({ vkey }) => vkey)]
  const stopping = (): void => void (isStopping = true)
  const watchIndex = (lag: () => number): void => void (indexLag = lag)
  return { at, local, metrics, state, record, place, vkeys, named, stopping, watchIndex }
}

async function openOwnRecord(
  { dataDir, disk = realDisk, env }: StartOptions,
  { record: config }: Config,
  { clock, keys, log, secrets }: { clock: Clock; keys: Keys; log: Logger; secrets: Secrets },
): Promise<{ place: RecordPlace; record: SignedRecord }> {
  const hide = (value: string): void => secrets.hide(value)
  const key = config.keyEncryptionKey
  const bodyKeys = await bodyKeysOf(dataDir, { key, env, clock, hide })
  const dir = join(dataDir, 'record')
  const parts = { dir, disk, clock, config, bodyKeys, log, watch: new RecordWatch() }
  const record = await openSignedRecord({ ...parts, signing: keys.signing })
  return { place: { disk: realDisk, dir, writer, bodyKeys }, record }
}

function openExposure(
  dataDir: string,
  state: SessionState,
  clock: Clock,
  log: Logger,
): ExposureLedger {
  const store = ExposureStore.open(join(dataDir, 'state.sqlite'))
  const onTrouble = (why: string): void => log.warn({ why }, 'exposure not written')
  return new ExposureLedger({ store, clock, hash: (id) => state.hash(id), onTrouble })
}

async function openLocal(config: Config, dataDir: string): Promise<LocalIssuer | undefined> {
  const row = config.identity.issuers.find(({ type }) => type === 'local')
  if (row === undefined) return undefined
  await makeLocalKey(dataDir)
  return await openLocalIssuer({ dataDir, issuer: row.issuer, clock: systemClock() })
}

/**
 * SHA-256 between two keys that never leave this process, like the digest itself: arguments may hold
 * a card number. One call of `hash` costs a fifth of an HMAC, and there is one for each request.
 */
function digester(): Stations['digest'] {
  const before = randomBytes(32)
  const after = randomBytes(32)
  return (connection, verb, sid, body) => {
    const head = Buffer.from(`${connection}\n${verb}\n${sid}\n`)
    return hash('sha256', Buffer.concat([before, head, body, after]), 'base64')
  }
}

/** What was refused below HTTP requests: recorded, or counted when there is much of it. */
function noteBad(
  reason: string,
  status: number,
  source: { ip: string; port: number },
  at: Stations,
): void {
  at.meters.refused(reason)
  if (!at.floods.admit(source.ip, reason)) return
  const entry = { type: 'call.denied' as const, reason, code: 'bad_http', status }
  at.recorder.append('bad', share({ source }), [{ entry }]).catch((error: unknown) => {
    // Nothing was let in; the state of the record is told where it can be seen.
    at.log.warn({ code: codeOf(error) }, 'unrecorded')
  })
}

/** At the end of the grace, what still runs is cancelled. */
async function abortLate(config: Config, at: Stations): Promise<void> {
  const deadline = Date.now() + config.limits.stopGraceMs
  while (at.underway.size > 0 && Date.now() < deadline - 250) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  for (const work of at.underway) work.abort()
}

/** Says where the running gateway is, for the commands that look for it. */
function writeWhere(dataDir: string, where: Record<string, string>): void {
  const text = `${JSON.stringify({ ...where, pid: process.pid }, null, 2)}\n`
  writeFileSync(join(dataDir, 'gateway.json'), text, { mode: 0o600 })
}

function showHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
