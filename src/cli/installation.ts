/** Which installation a command means: `-c FILE`, `--data DIR`, or what lies in the working folder. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import { readConfig } from '../config/config.ts'
import type { CheckedConfig } from '../config/config.ts'

export interface Where {
  /** `-c FILE`. */
  readonly config?: string | undefined
  /** `--data DIR`; wins over the file's `data_dir`. */
  readonly data?: string | undefined
}

const defaultFile = 'sallyport.yaml'
const defaultData = '.sallyport'

/** @throws {Fault} `config_bad` when there is no such file, or it has mistakes. */
export function findConfig({ config }: Where): CheckedConfig {
  const file = resolve(config ?? defaultFile)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const hint = 'Make one with "sallyport init", or name yours with -c FILE.'
    throw new Fault('config_bad', `There is no configuration file ${file} to read. ${hint}`, {
      cause,
    })
  }
  return readConfig(text, file)
}

/**
 * The data folder: `--data`, else that of the configuration named or found, else `.sallyport/`.
 * @throws {Fault} `config_bad` as `findConfig`, where a configuration was named or found.
 */
export function findDataDir(where: Where): string {
  if (where.data !== undefined) return resolve(where.data)
  if (where.config !== undefined || existsSync(defaultFile)) return findConfig(where).config.dataDir
  return resolve(defaultData)
}
