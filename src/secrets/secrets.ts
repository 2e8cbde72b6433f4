/** References to values: read at start-up, read again when their file changes. */
import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { SecretRef } from '../config/types.ts'
import { redactBytes, spellings } from './redactor.ts'
import { Secret } from './secret.ts'

/** What the value is for: `header` values hold no control characters, `pem` may have lines. */
export type SecretForm = 'header' | 'pem'

/** A secret that follows its file. */
export interface LiveSecret {
  /** The value in force. Looks at the file at most once a second; while a changed file cannot be
   *  read, the last good value stays. */
  read(): Secret
}

export interface Secrets {
  /**
   * @param where the key of the configuration that names it, for the message.
   * @throws {Fault} `secret_missing` when there is no such value, others can read its file, or it
   *   has not the form asked for.
   */
  open(ref: SecretRef, form: SecretForm, where: string): LiveSecret
  /** Takes one more value out from now on, such as a header made from a secret. */
  hide(value: string): void
  /** `bytes` without any live secret; the very same array where there is none. */
  redact(bytes: Uint8Array): Uint8Array
  /** The same for a text. */
  redactText(text: string): string
}

export interface SecretsOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Told when a changed file cannot be used. */
  readonly onTrouble?: (fault: Fault) => void
}

const pollMs = 1_000
const bytesMax = 64 * 1024
/** Values are taken out for a while after they were replaced: calls in flight still use them. */
const hiddenMax = 1_000

export function createSecrets(options: SecretsOptions): Secrets {
  const hidden = new Map<string, readonly Buffer[]>()
  let needles: readonly Buffer[] = []
  const hide = (value: string): void => {
    if (hidden.has(value)) return
    hidden.set(value, spellings(value))
    for (const oldest of hidden.keys()) {
      if (hidden.size <= hiddenMax) break
      hidden.delete(oldest)
    }
    needles = [...hidden.values()].flat()
  }
  return {
    open(ref: SecretRef, form: SecretForm, where: string): LiveSecret {
      if (ref.from === 'file') return liveFile(ref.path, form, where, { ...options, hide })
      const found = Object.hasOwn(options.env, ref.name) ? options.env[ref.name] : undefined
      const value = checkForm(found, form, where, 'environment variable')
      hide(value)
      const secret = new Secret(value)
      return { read: () => secret }
    },
    hide,
    redact: (bytes) => redactBytes(bytes, needles),
    redactText(text: string): string {
      const bytes = Buffer.from(text)
      const clean = redactBytes(bytes, needles)
      return clean === bytes ? text : Buffer.from(clean).toString()
    },
  }
}

interface FileOptions extends SecretsOptions {
  hide: (value: string) => void
}

function liveFile(path: string, form: SecretForm, where: string, options: FileOptions): LiveSecret {
  const { clock, hide, onTrouble } = options
  const read = (): { secret: Secret; stamp: string } => {
    const { text, stamp } = readSecretFile(path, where)
    const value = checkForm(text, form, where, 'file')
    hide(value)
    return { secret: new Secret(value), stamp }
  }
  let { secret, stamp } = read()
  let seen = stamp // The last stamp looked at, usable or not: trouble is told once.
  let lookedMs = clock.monotonicMs()
  const look = (): void => {
    const now = stampOf(statSync(path, { throwIfNoEntry: false }))
    if (now === seen) return
    seen = now
    try {
      ;({ secret, stamp } = read())
      seen = stamp
    } catch (error) {
      // Going on is safe: the value in force was good, and the server decides whether it still is.
      if (error instanceof Fault) onTrouble?.(error)
    }
  }
  return {
    read(): Secret {
      if (clock.monotonicMs() - lookedMs >= pollMs) {
        lookedMs = clock.monotonicMs()
        look()
      }
      return secret
    },
  }
}

/** Mounted secrets are swapped by turning a symbolic link: time and inode change, the path does not. */
function stampOf(stats: Stats | undefined): string {
  if (stats === undefined) return 'gone'
  return [stats.dev, stats.ino, stats.mtimeMs, stats.ctimeMs, stats.size].join(':')
}

/**
 * The text of a file that only its owner can read, without one line break at its end, and a stamp
 * that differs once the file was changed. One descriptor for looking and reading, so that both are
 * of one file.
 * @throws {Fault} `secret_missing` when there is none, others can read it, or it is over 64 KiB.
 */
export function readSecretFile(path: string, where: string): { text: string; stamp: string } {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (cause) {
    throw missing(where, 'its file is not there or cannot be opened', cause)
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw missing(where, 'its path is no file')
    if ((stats.mode & 0o077) !== 0) {
      throw missing(where, 'its file can be read by others than its owner; chmod it to 600 or 400')
    }
    if (stats.size > bytesMax) throw missing(where, `its file is larger than ${bytesMax} bytes`)
    const text = readFileSync(descriptor, 'utf8').replace(/\r?\n$/, '')
    return { text, stamp: stampOf(stats) }
  } finally {
    closeSync(descriptor)
  }
}

function checkForm(
  value: string | undefined,
  form: SecretForm,
  where: string,
  what: string,
): string {
  if (value === undefined) throw missing(where, `its ${what} is not set`)
  if (value === '') throw missing(where, `its ${what} is empty`)
  // Header values: RFC 9110 §5.5. A line break would be a header of its own.
  if (form === 'header' && !/^[\u0021-\u007e](?:[\u0020-\u007e\t]*[\u0021-\u007e])?$/.test(value)) {
    throw missing(where, `its ${what} holds line breaks, outer blanks or characters outside ASCII`)
  }
  if (form === 'pem' && !value.includes('-----BEGIN ')) {
    throw missing(where, `its ${what} is not in PEM form`)
  }
  return value
}

function missing(where: string, why: string, cause?: unknown): Fault {
  const message = `The secret of ${where} cannot be used: ${why}. Nothing is sent without it.`
  return new Fault('secret_missing', message, { cause, facts: { where } })
}
