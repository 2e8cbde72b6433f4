/** Opens everything that a gateway is made of. `start.ts` lets it serve. */
import { hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { systemClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import type { Disk } from '../base/disk.ts'
import type { CheckedConfig, Config } from '../config/config.ts'
import { Budget, StreamCount } from '../exchange/budget.ts'
import { Floods } from '../exchange/floods.ts'
import { ToolMirrors } from '../exchange/mirrors.ts'
import type { Stations } from '../exchange/stations.ts'
import { createIdentity } from '../identity/identify.ts'
import { makeLocalKey, openLocalIssuer } from '../identity/local.ts'
import type { LocalIssuer } from '../identity/local.ts'
import { allowedHosts, allowedOrigins, checkHost } from '../listener/host.ts'
import { createMasker } from '../mask/masker.ts'
import { OutputSchemas } from '../mask/schemas.ts'
import { ExposureLedger } from '../policy/exposure.ts'
import { compileGrants } from '../policy/grants.ts'
import type { RecordPlace } from '../record/read.ts'
import { vkeysOf } from '../record/tree-keys.ts'
import { createSecrets } from '../secrets/secrets.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { ExposureStore } from '../session/exposure-store.ts'
import { Sessions } from '../session/sessions.ts'
import { SessionState } from '../session/state.ts'
import { openConnections } from './connections.ts'
import { maskerKeys, openKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import { createMetrics } from './meters.ts'
import type { Metrics } from './meters.ts'
import { bodyKeysOf, writer } from './record-parts.ts'
import { RecordWatch } from './record-watch.ts'
import { openSignedRecord } from './signed-record.ts'
import type { SignedRecord } from './signed-record.ts'

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

export interface Built {
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

/** @throws {Fault} as `startGateway`. */
export async function buildStations(
  options: StartOptions,
  config: Config,
  log: Logger,
): Promise<Built> {
  const { dataDir, env } = options
  const clock = systemClock()
  const keys = openKeys(dataDir)
  const onTrouble = (fault: { code: string }): void => log.warn({ code: fault.code }, 'secret')
  const secrets = createSecrets({ env, clock, onTrouble })
  const local = await openLocal(config, dataDir)
  const { issuers } = config.identity
  const identity = createIdentity({ issuers, publicUrl: config.publicUrl, clock, local })
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
