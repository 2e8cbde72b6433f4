/** What can be wrong with an installation although its file has no mistake. */
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { CheckedConfig, Config, Path } from '../config/config.ts'
import type { OidcIssuerConfig } from '../config/types.ts'
import { discoveryAddresses, loadKeys } from '../identity/keys.ts'
import { localKeyFile, openLocalIssuer } from '../identity/local.ts'
import { readTls } from '../listener/tls.ts'
import { createSecrets } from '../secrets/secrets.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { createWrapper } from '../secrets/wrapper.ts'
import { greet } from './hello.ts'

/** One thing that was looked at. */
export interface Finding {
  /** `issuer company`, `connection payments`, `data folder`, … */
  readonly what: string
  readonly isGood: boolean
  readonly message: string
  /** The key of the configuration it is about, and where it stands. */
  readonly path?: string
  readonly line?: number
  readonly column?: number
}

export interface LiveOptions {
  readonly checked: CheckedConfig
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
}

interface Look {
  readonly what: string
  readonly path: Path
  look: () => Promise<string>
}

/** Looks at data folder, secrets, TLS, issuers, upstreams and clock, all at once; never throws. */
export async function liveFindings(options: LiveOptions): Promise<Finding[]> {
  const { checked } = options
  const secrets = createSecrets({ env: options.env, clock: systemClock() })
  const dates: string[] = []
  const looks = [
    dataLook(checked.config, options.dataDir),
    ...wrapperLooks(checked.config, secrets, options),
    ...tlsLooks(checked.config, secrets),
    ...issuerLooks(checked.config, options.dataDir, dates),
    ...connectionLooks(checked.config, secrets, dates),
  ]
  const found = await Promise.all(looks.map((look) => finding(look, checked)))
  return [...found, clockFinding(dates)]
}

async function finding({ what, path, look }: Look, checked: CheckedConfig): Promise<Finding> {
  const place = checked.place(path)
  try {
    return { what, isGood: true, message: await look(), ...place }
  } catch (error) {
    // Anything but a fault may hold what a server or file said.
    const message = error instanceof Fault ? error.message : `failed (${codeOf(error)})`
    return { what, isGood: false, message, ...place }
  }
}

/** Said by a look that finds something wrong. */
function wrong(message: string): Fault {
  return new Fault('config_bad', message)
}

function dataLook({ record }: Config, dataDir: string): Look {
  return {
    what: 'data folder',
    path: ['data_dir'],
    async look(): Promise<string> {
      let folder = dataDir // Or the nearest folder above it: serve makes what is missing.
      while (!existsSync(folder)) folder = dirname(folder)
      if (!statSync(folder).isDirectory()) throw wrong(`${folder} is no folder`)
      tryWriting(folder)
      const { bavail, bsize } = await statfs(folder)
      const free = bavail * bsize
      if (free < record.freeBytesMin) {
        const floor = `record.free_bytes_min asks for ${mebibytes(record.freeBytesMin)}`
        throw wrong(
          `${dataDir} has only ${mebibytes(free)} free, ${floor}: no call would be let through`,
        )
      }
      return `${dataDir} is writable, ${mebibytes(free)} are free`
    },
  }
}

/** A key in a vault is tried: wrapped by it, and unwrapped again. The file of ours is made by serve. */
function wrapperLooks({ record }: Config, secrets: Secrets, { env }: LiveOptions): Look[] {
  const { keyEncryptionKey: spec } = record
  if (spec.kind === 'file') return []
  return [
    {
      what: 'key-encryption key',
      path: ['record', 'key_encryption_key'],
      async look(): Promise<string> {
        const hide = (value: string): void => secrets.hide(value)
        const wrapper = createWrapper(spec, { env, clock: systemClock(), hide })
        // What comes back from `wrap` has been unwrapped once and was the same.
        const { by } = await wrapper.wrap(randomBytes(32), 'sallyport/check')
        return `${by} wraps and unwraps`
      },
    },
  ]
}

function tryWriting(folder: string): void {
  const file = join(folder, `.sallyport-check-${randomUUID().slice(0, 8)}`)
  try {
    const descriptor = openSync(file, 'wx', 0o600)
    try {
      writeSync(descriptor, 'x')
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw wrong(`${folder} cannot be written to (${codeOf(error)})`)
  } finally {
    rmSync(file, { force: true })
  }
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 ** 2).toLocaleString('en')} MiB`
}

function tlsLooks({ listen }: Config, secrets: Secrets): Look[] {
  const { tls } = listen
  if (tls === undefined) return []
  const look = async (): Promise<string> => {
    const key = secrets.open(tls.key, 'pem', 'listen.tls.key')
    readTls({ certFile: tls.certFile, key: { reveal: () => key.read().reveal() } })
    return 'certificate and key belong together'
  }
  return [{ what: 'TLS', path: ['listen', 'tls'], look }]
}

function issuerLooks({ identity }: Config, dataDir: string, dates: string[]): Look[] {
  return identity.issuers.map((row, index): Look => {
    const path = ['identity', 'issuers', index, 'issuer']
    const what = `issuer ${row.name}`
    if (row.type === 'oidc') return { what, path, look: () => askIssuer(row, dates) }
    const look = async (): Promise<string> => {
      if (!existsSync(localKeyFile(dataDir))) return 'has no key yet; the first start makes one'
      await openLocalIssuer({ dataDir, issuer: row.issuer, clock: systemClock() })
      return 'has its key'
    }
    return { what, path, look }
  })
}

async function askIssuer(row: OidcIssuerConfig, dates: string[]): Promise<string> {
  const noting: typeof globalThis.fetch = async (address, options) => {
    const answer = await fetch(address, options)
    const date = answer.headers.get('date')
    if (date !== null) dates.push(date)
    return answer
  }
  const { keys } = await loadKeys(row, noting)
  const usable = keys.filter(({ alg }) => alg === undefined || isOneOf(alg, row.algorithms))
  if (usable.length === 0) {
    throw wrong(`publishes no key for the algorithms ${row.algorithms.join(', ')}; add its own`)
  }
  const from = row.jwksUri ?? discoveryAddresses(row.issuer)[0] ?? row.issuer
  return `publishes ${usable.length} usable ${usable.length === 1 ? 'key' : 'keys'} (${from})`
}

function isOneOf(word: string, words: readonly string[]): boolean {
  return words.includes(word)
}

function connectionLooks({ connections }: Config, secrets: Secrets, dates: string[]): Look[] {
  return connections.map((connection, index) => ({
    what: `connection ${connection.name}`,
    path: ['connections', index, 'url'],
    async look(): Promise<string> {
      const { isUp, message, date } = await greet(connection, `connections[${index}]`, secrets)
      if (date !== undefined) dates.push(date)
      if (!isUp) throw wrong(message)
      return message
    },
  }))
}

const skewMsMax = 30_000

/** Tokens are good for minutes and the record's times are evidence: compare with whoever answered. */
function clockFinding(dates: readonly string[]): Finding {
  const what = 'clock'
  if (Date.now() < Date.UTC(2026, 0)) {
    return { what, isGood: false, message: 'stands before 2026; set the clock (NTP)' }
  }
  const skews = dates.map((date) => Date.parse(date) - Date.now()).filter(Number.isFinite)
  const least = skews.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0]
  if (least === undefined) {
    return { what, isGood: true, message: 'nobody answered whose clock it could be compared with' }
  }
  const seconds = Math.round(Math.abs(least) / 1000)
  if (Math.abs(least) > skewMsMax) {
    const message = `is ${seconds} s ${least > 0 ? 'behind' : 'ahead of'} the nearest server asked; set the clock (NTP)`
    return { what, isGood: false, message }
  }
  return { what, isGood: true, message: `agrees with the servers asked within ${seconds + 1} s` }
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : 'unknown'
}
