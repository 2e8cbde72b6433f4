/** Wires the stations together and starts the gateway. Every other file gets what it needs from here. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Logger } from 'pino'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Config } from '../config/config.ts'
import { isLoopbackHost } from '../config/units.ts'
import { serveAside } from '../exchange/asides.ts'
import { closeSessions, recordSeal, sweep, sweepMs } from '../exchange/closing.ts'
import { frames } from '../exchange/refuse.ts'
import { serve } from '../exchange/serve.ts'
import type { Stations } from '../exchange/stations.ts'
import type { LocalIssuer } from '../identity/local.ts'
import { allowedHosts } from '../listener/host.ts'
import type { Incoming } from '../listener/incoming.ts'
import { listen } from '../listener/listener.ts'
import type { Listening } from '../listener/listener.ts'
import { share } from '../record/entry.ts'
import type { Shared } from '../record/entry.ts'
import type { Recovered } from '../record/record.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { openBeside } from './beside.ts'
import { buildStations } from './build.ts'
import type { Built, StartOptions } from './build.ts'
import { isAllowedHost, serveConsole } from './console-page.ts'
import type { ConsoleCheck } from './console-page.ts'
import { writer } from './record-parts.ts'
import { version } from './version.ts'

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

interface Setting {
  readonly options: StartOptions
  readonly config: Config
  readonly doors: Doors
  readonly log: Logger
}

async function wire(options: StartOptions, doors: Doors, log: Logger): Promise<Gateway> {
  const { checked } = options
  const config = checked.withPorts(doors.gateway.port, doors.console.port)
  const built = await buildStations(options, config, log)
  try {
    return await letServe(built, { options, config, doors, log })
  } catch (error) {
    // Its thread would keep the process alive.
    await built.record.close()
    throw error
  }
}

async function letServe(built: Built, { config, doors, log, options }: Setting): Promise<Gateway> {
  const { checked, dataDir } = options
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
