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
import { createStops, recordMissed } from '../exchange/stop.ts'
import type { Stops } from '../exchange/stop.ts'
import type { Tickets } from '../hold/tickets.ts'
import type { Directory } from '../identity/directory.ts'
import type { LocalIssuer } from '../identity/local.ts'
import { allowedHosts } from '../listener/host.ts'
import type { Incoming } from '../listener/incoming.ts'
import { listen } from '../listener/listener.ts'
import type { Listening } from '../listener/listener.ts'
import { rolesOf as consoleRolesOf } from '../policy/roles.ts'
import { share } from '../record/entry.ts'
import type { Shared } from '../record/entry.ts'
import type { Recovered } from '../record/record.ts'
import type { Accounts } from '../signin/accounts.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { openBeside } from './beside.ts'
import type { Beside } from './beside.ts'
import { buildStations } from './build.ts'
import type { Built, StartOptions } from './build.ts'
import type { Front, FrontParts } from './front.ts'
import { isAllowedHost, serveConsole } from './console-page.ts'
import type { ConsoleCheck, ConsoleParts } from './console-page.ts'
import { keepLast, noteChange, readLast, rulesOf } from './in-force.ts'
import { noFront } from './no-front.ts'
import { openReload } from './reload.ts'
import type { Reload } from './reload.ts'
import { writer } from './record-parts.ts'
import { version } from './version.ts'

export interface Gateway {
  readonly gatewayUrl: string
  readonly consoleUrl: string
  readonly config: Config
  readonly recovered: Recovered
  /** The local issuer, where the configuration has one. */
  readonly local: LocalIssuer | undefined
  /** Who and what is stopped. */
  readonly stops: Stops
  /** Accounts of the gateway's own, where people sign in. */
  readonly accounts: Accounts | undefined
  readonly directory: Directory
  /** Held calls. */
  readonly tickets: Tickets
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
      trustedProxies: ask.trustedProxies,
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

/** What serves beside the way of a call. */
interface Around {
  readonly stops: Stops
  readonly front: Front
  readonly reload: Reload
  readonly beside: Beside
}

async function letServe(built: Built, setting: Setting): Promise<Gateway> {
  const { config, doors, log, options } = setting
  const { at, local, record } = built
  const { recovered } = record
  const own = share({})
  await recordStart(at, own, options.checked.sha256, built.named)
  const around = await openAround(built, setting)
  // What a crash left of held calls is told before anybody calls.
  await built.holding.tick()
  const { accounts } = around.front
  openTo(built, around, setting)
  built.watchIndex(() => around.beside.index.figures().lag)
  const timers = startTimers(built, around, own, log)
  const scheme = config.listen.tls === undefined ? 'http' : 'https'
  const gatewayUrl = `${scheme}://${showHost(config.listen.gateway.host)}:${doors.gateway.port}`
  const consoleUrl = config.console.publicUrl
  const where = { gateway: gatewayUrl, console: consoleUrl, publicUrl: config.publicUrl }
  writeWhere(options.dataDir, where)
  log.info({ gatewayUrl, consoleUrl, version, recovered }, 'started')
  let stopped: Promise<void> | undefined
  const stop = async (reason: string): Promise<void> => {
    for (const timer of timers) clearInterval(timer)
    await stopAll(reason, own, built, { ...setting, ...around })
  }
  return {
    gatewayUrl,
    consoleUrl,
    config,
    recovered,
    local,
    stops: around.stops,
    accounts,
    directory: at.directory,
    tickets: built.holding.tickets,
    stop: (reason) => (stopped ??= stop(reason)),
  }
}

async function openAround(built: Built, { config, doors, log, options }: Setting): Promise<Around> {
  const { checked, dataDir } = options
  const { at, known, live, make, note, record, place } = built
  const stops = createStops(at, note)
  await recordMissed(at, note)
  const rules = rulesOf(live.now)
  await noteChange(readLast(dataDir), rules, 'start', note)
  keepLast(dataDir, rules)
  const front = await openFrontOf({ config, dataDir, built, stops, log })
  const ports = { gateway: doors.gateway.port, console: doors.console.port }
  const { watch } = record
  const reload = openReload({ checked, dataDir, live, make, ports, stops, note, watch, log })
  const parts = { dataDir, config, at, record, place, log, pins: built.holding.pins }
  const beside = await openBeside({ ...parts, known, live, reload, stops, front, note })
  return { stops, front, reload, beside }
}

/** Half of what is loaded is for people who sign in: an installation without them goes without. */
async function openFrontOf(parts: FrontParts): Promise<Front> {
  const { scim, signIn } = parts.config.identity
  if (signIn.length === 0 && scim === undefined) return noFront(parts)
  const { openFront } = await import('./front.ts')
  return await openFront(parts)
}

/** From here on both listeners serve. */
function openTo(built: Built, { front }: Around, { config, doors }: Setting): void {
  const { at, local, metrics, place, vkeys } = built
  // The authorization server has documents of its own at these addresses.
  const documents = front.authorization ? {} : (local?.documents() ?? {})
  doors.serveGateway = async (incoming) => {
    // A call is not made to wait for doors that are never its own.
    const isCall = incoming.path.startsWith('/mcp/')
    if (!isCall && (await front.serveGateway(incoming))) return
    if (!serveAside(incoming, documents, at)) await serve(incoming, at)
  }
  const answersTo = consoleHosts(config)
  const logFolder = join(place.dir, writer)
  const rolesOf: ConsoleParts['rolesOf'] = (bearer) =>
    consoleRolesOf(bearer, built.live.now.config.console.roles)
  const resource = `${config.publicUrl}/console`
  const parts = { at, metrics, version, answersTo, resource, rolesOf, logFolder, vkeys, front }
  doors.serveConsole = (incoming) => serveConsole(incoming, parts)
  doors.onBad = ({ reason, status, source }) => noteBad(reason, status, source, at)
}

function startTimers(
  { at, holding }: Built,
  { front, stops }: Around,
  own: Shared,
  log: Logger,
): NodeJS.Timeout[] {
  const warn = (what: string) => (error: unknown) => log.warn({ code: codeOf(error) }, what)
  const everySecond = (): void => {
    at.exposure.tick()
    Promise.all([stops.tick(), front.tick()]).catch(warn('stops'))
    holding.tick().catch(warn('held calls'))
  }
  return [
    setInterval(() => void sweep(own, at).catch(warn('sweep')), sweepMs),
    setInterval(everySecond, 1000),
  ]
}

async function stopAll(
  reason: string,
  own: Shared,
  built: Built,
  { beside, config, doors, front, log, options, reload }: Setting & Around,
): Promise<void> {
  const { at, known, record, replays, secrets, state } = built
  built.stopping()
  reload.close()
  await Promise.all([doors.gateway.close(config.limits.stopGraceMs), abortLate(config, at)])
  await beside.close()
  await doors.console.close(0)
  await front.close()
  await built.holding.tick().catch(() => undefined) // The record may be down; the next start tells it.
  await built.holding.close()
  await closeSessions('gateway_stopped', at).catch(() => undefined)
  await recordSeal(own, at, true).catch(() => undefined) // The record may be down; the stop goes on.
  const entry = { type: 'gateway.stopped' as const, reason }
  await at.recorder.append('stop', own, [{ entry }]).catch(() => undefined)
  await record.close()
  for (const connection of at.connections.values()) await connection.upstream.close()
  at.exposure.close()
  known.close()
  replays.close()
  secrets.close()
  state.close()
  rmSync(join(options.dataDir, 'gateway.json'), { force: true })
  log.info({ reason }, 'stopped')
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
  for (const { work } of at.underway) work.abort()
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
