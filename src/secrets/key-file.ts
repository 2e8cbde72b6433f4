/**
 * A file of key-encryption keys, oldest first; the last one is in use. Text, 64 KiB at most:
 *
 *   sallyport key-encryption keys v1
 *   1 2026-11-21T07:48:00.123456Z base64 of 32 bytes
 *   2 2027-11-20T10:00:00.000000Z base64 of 32 bytes
 *
 * Versions ascend, perhaps with gaps where old ones were taken out. Each line ends in a line feed.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { basename, dirname } from 'node:path'
import { isoMicros } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { commitWhole, errorCode } from '../base/disk.ts'
import type { Disk } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { readSecretFile } from './file-secret.ts'
import { decodeExact, keyBytes, wrapFault } from './wrapping.ts'
import type { WrapReason } from './wrapping.ts'

/** One key-encryption key. */
export interface FileKey {
  readonly version: number
  /** RFC 3339 in UTC, as the file has it. */
  readonly made: string
  readonly key: Buffer
  /** `file/VERSION/FINGERPRINT`: the fingerprint tells two files apart and says nothing of the key. */
  readonly id: string
}

export interface KeyFileParts {
  readonly disk: Disk
  readonly clock: Clock
}

const firstLine = 'sallyport key-encryption keys v1'
const line = /^([1-9]\d{0,5}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([A-Za-z0-9+/]{43}=)$/
const where = 'the key-encryption key'

/**
 * All keys of a file, oldest first, at least one.
 * @throws {Fault} `secret_missing` when the file is not there, others can read it (its mode must be
 *   0600 or 0400), or any line of it is not as above.
 */
export function readKeyFile(path: string): readonly FileKey[] {
  const [first, ...lines] = readOwn(path).split('\n')
  const keys = lines.map((text, i) => keyOf(text, i + 2))
  if (first !== firstLine || keys.length === 0) throw bad(`its line 1 is not "${firstLine}"`)
  if (keys.some(({ version }, i) => version <= (keys[i - 1]?.version ?? 0))) {
    throw bad('its versions do not ascend')
  }
  return keys
}

/**
 * Makes the file with one key, and its folder.
 * @returns the key's id.
 * @throws {Fault} `secret_missing` when there is such a file: nothing is ever written over keys.
 */
export async function makeKeyFile(path: string, parts: KeyFileParts): Promise<string> {
  await parts.disk.makeFolder(dirname(path))
  const [made] = await replace(path, parts, async () => {
    const names = await parts.disk.list(dirname(path))
    if (names.includes(basename(path))) throw bad('its file is there already')
    return [newKey(1, parts.clock)]
  })
  return made?.id ?? ''
}

/**
 * Adds a key, which wraps from now on; the older ones still unwrap. Then wrap anew what they wrap.
 * @returns the new key's id.
 * @throws {Fault} `secret_missing` as for reading, or when somebody else is changing the file.
 */
export async function rotateFile(path: string, parts: KeyFileParts): Promise<string> {
  const keys = await replace(path, parts, async () => {
    const old = readKeyFile(path)
    return [...old, newKey((old.at(-1)?.version ?? 0) + 1, parts.clock)]
  })
  return keys.at(-1)?.id ?? ''
}

/**
 * Takes keys out that wrap nothing any more: until then an old copy of a wrapped key, in a backup
 * say, can be unwrapped. The newest stays in any case.
 * @param used the `by` of every wrapped key there is.
 * @returns the ids of what was taken out.
 * @throws {Fault} as for `rotateFile`; also when `used` names a key of the file kind that the file
 *   has not, for then the list is of another installation.
 */
export async function forgetUnused(
  path: string,
  used: ReadonlySet<string>,
  parts: KeyFileParts,
): Promise<readonly string[]> {
  let gone: readonly string[] = []
  await replace(path, parts, async () => {
    const old = readKeyFile(path)
    const ids = new Set(old.map(({ id }) => id))
    const isStrange = [...used].some((id) => id.startsWith('file/') && !ids.has(id))
    if (isStrange) throw bad('it is asked to keep a key which its file has not')
    const kept = old.filter(({ id }, i) => used.has(id) || i === old.length - 1)
    gone = old.filter((key) => !kept.includes(key)).map(({ id }) => id)
    return kept
  })
  return gone
}

function newKey(version: number, clock: Clock): FileKey {
  return withId(version, isoMicros(clock.nowUs()), randomBytes(keyBytes))
}

function withId(version: number, made: string, key: Buffer): FileKey {
  const hash = createHmac('sha256', key).update('sallyport key-encryption key').digest('hex')
  return { version, made, key, id: `file/${version}/${hash.slice(0, 16)}` }
}

function keyOf(text: string, number: number): FileKey {
  const [, version, made = '', base64] = line.exec(text) ?? []
  const key = decodeExact(base64, 'base64')
  if (version === undefined || key === undefined) {
    throw bad(`its line ${number} is not a version, a time and the base64 of ${keyBytes} bytes`)
  }
  return withId(Number(version), made, key)
}

/**
 * Writes the file anew. The part beside it is a lock as well: it can be made by one only, so two
 * rotations at once cannot lose each other's key.
 */
async function replace(
  path: string,
  { disk }: KeyFileParts,
  change: () => Promise<readonly FileKey[]>,
): Promise<readonly FileKey[]> {
  const part = `${path}.part`
  const file = await disk.create(part).catch((cause: unknown) => {
    if (errorCode(cause) !== 'EEXIST') throw unwritten(cause)
    const why = 'its file is being changed; if nobody does, a crash left FILE.part: remove that'
    throw bad(why, 'kek_settings', cause)
  })
  try {
    let keys: readonly FileKey[]
    try {
      keys = await change()
      const lines = keys.map(({ version, made, key }) => {
        return `${version} ${made} ${key.toString('base64')}\n`
      })
      await commitWhole(file, Buffer.from(`${firstLine}\n${lines.join('')}`))
    } finally {
      await file.close()
    }
    // A crash up to here leaves the old file in force, and a part which nobody reads.
    await disk.rename(part, path)
    // A crash here leaves either file. With the old one nothing is lost either: a new key counts
    // only once this has returned.
    await disk.syncFolder(dirname(path))
    return keys
  } catch (error) {
    await disk.remove(part).catch(() => {}) // It may have been renamed; else the next one tells.
    throw error instanceof Fault ? error : unwritten(error)
  }
}

function readOwn(path: string): string {
  try {
    return readSecretFile(path, where).text
  } catch (error) {
    if (!(error instanceof Fault)) throw bad('its file cannot be read', 'kek_unknown', error)
    const facts = { reason: 'kek_unknown', kind: 'file', isTransient: false }
    throw new Fault(error.code, error.message, { cause: error, facts })
  }
}

function unwritten(cause: unknown): Fault {
  return bad('its file cannot be written', 'kek_down', cause)
}

function bad(why: string, reason: WrapReason = 'kek_unfit', cause?: unknown): Fault {
  return wrapFault(reason, why, { kind: 'file', cause })
}
