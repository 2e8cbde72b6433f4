/** What opens the record of a data folder: where it is, and the keys of its bodies. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import type { Config, KeyEncryptionKey } from '../config/types.ts'
import type { BodyKeys } from '../record/months.ts'
import type { RecordPlace } from '../record/read.ts'
import type { Log } from '../search/follow.ts'
import { makeKeyFile } from '../secrets/key-file.ts'
import { createWrapper } from '../secrets/wrapper.ts'
import { findConfig, findDataDir } from './installation.ts'
import type { Where } from './installation.ts'

/** One process writes to a data folder, so there is one writer. */
export const writer = 'w1'

export interface KeyParts {
  readonly key: KeyEncryptionKey
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Told every token that was used to reach a vault. */
  readonly hide: (value: string) => void
}

/** What unwraps the keys of bodies. Makes the file of the key-encryption key where that is ours and
 *  not there yet. */
export async function bodyKeysOf(dataDir: string, { key, ...parts }: KeyParts): Promise<BodyKeys> {
  const file = join(dataDir, 'keys', 'months.kek')
  if (key.kind === 'file' && !existsSync(file)) {
    await makeKeyFile(file, { disk: realDisk, clock: parts.clock })
  }
  return { dir: monthsDir(dataDir), wrapper: wrapperOf(dataDir, { key, ...parts }) }
}

/** The same for a reader, which makes nothing. */
export function recordPlace(dataDir: string, parts: KeyParts): RecordPlace {
  const bodyKeys = { dir: monthsDir(dataDir), wrapper: wrapperOf(dataDir, parts) }
  return { disk: realDisk, dir: join(dataDir, 'record'), writer, bodyKeys }
}

/** What a command needs of the configuration, where there is one for the folder it works on. */
export interface Settings {
  readonly key: KeyEncryptionKey
  readonly indexOutputs: boolean
  readonly cardSearch: boolean
  readonly retention: { readonly retentionMs: number; readonly contentRetentionMs: number }
  /** The configuration of this folder, where there is one. */
  readonly config: Config | undefined
}

export function settingsOf(where: Where): Settings {
  const isNamed = where.config !== undefined || existsSync('sallyport.yaml')
  const config = isNamed ? findConfig(where).config : undefined
  // Another folder than the one of the file is a copy, or the demo's.
  const own = config && findDataDir(where) === config.dataDir ? config : undefined
  const record = own?.record
  const usualMs = 400 * 86_400_000
  return {
    key: record?.keyEncryptionKey ?? { kind: 'file' },
    indexOutputs: record?.indexOutputs ?? false,
    cardSearch: record?.cardSearch ?? false,
    retention: {
      retentionMs: record?.retentionMs ?? usualMs,
      contentRetentionMs: record?.contentRetentionMs ?? usualMs,
    },
    config: own,
  }
}

/** The record as the index reads it. */
export function indexLog({ bodyKeys, dir, disk }: RecordPlace): Log {
  const keysDir = bodyKeys && dirname(bodyKeys.dir)
  return {
    disk,
    dir,
    ...(bodyKeys && keysDir !== undefined
      ? { bodyKeys: (of: string) => ({ ...bodyKeys, dir: join(keysDir, of) }) }
      : {}),
  }
}

function wrapperOf(dataDir: string, { key, ...deps }: KeyParts): BodyKeys['wrapper'] {
  const file = join(dataDir, 'keys', 'months.kek')
  return createWrapper(key.kind === 'file' ? { kind: 'file', file } : key, deps)
}

function monthsDir(dataDir: string): string {
  return join(dataDir, 'keys', 'months', writer)
}
