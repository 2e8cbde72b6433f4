/** `sallyport.yaml` from text to a checked configuration. The only reader of that file. */
import { createHash } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import { Fault } from '../base/fault.ts'
import { crossMistakes } from './cross.ts'
import { namesOf } from './cross-rules.ts'
import type { Draft } from './draft.ts'
import { fromIssue, positionOf, showPath } from './mistakes.ts'
import type { KnownKeys, Mistake, Path, Source } from './mistakes.ts'
import type { FilePlace } from './policy-types.ts'
import { readProfile } from './profile.ts'
import type { ReadProfile } from './profile.ts'
import { knownKeys } from './publish.ts'
import { openReading } from './reading.ts'
import type { Reading } from './reading.ts'
import { fileSchema } from './schema.ts'
import { serviceIssuerName } from './service-issuer.ts'
import { settle } from './settle.ts'
import type { Config } from './types.ts'
import { inOrder, readYaml } from './yaml-file.ts'

export type * from './policy-types.ts'
export type * from './types.ts'
export type { Mistake, Path } from './mistakes.ts'

class Checked {
  /** Absolute path of the file. */
  readonly file: string
  /** SHA-256 of the file's text, hexadecimal: names this configuration in the record. */
  readonly sha256: string
  readonly config: Config
  /** Files of rules that it takes in, absolute. */
  readonly profileFiles: readonly string[]
  readonly #draft: Draft
  readonly #source: Source
  readonly #profiles: ReadonlyMap<string, ReadProfile>

  constructor(
    file: string,
    draft: Draft,
    source: Source,
    profiles: ReadonlyMap<string, ReadProfile>,
  ) {
    this.file = file
    this.sha256 = createHash('sha256').update(source.text).digest('hex')
    this.profileFiles = [...profiles.values()].flatMap((profile) => profile.file ?? [])
    this.#draft = draft
    this.#source = source
    this.#profiles = profiles
    this.config = this.#settle(draft)
  }

  #settle(draft: Draft): Config {
    const places = draft.rules.map((_, i): FilePlace => {
      return { file: basename(this.file), ...positionOf(this.#source, ['rules', i]) }
    })
    return settle(draft, this.#profiles, places)
  }

  /** The same configuration with the ports really taken, where the file says 0 for "any". What
   *  follows from a port (`public_url`, the local issuer) follows it. */
  withPorts(gatewayPort: number, consolePort: number): Config {
    const { gateway, console } = this.#draft.listen
    return this.#settle({
      ...this.#draft,
      listen: {
        ...this.#draft.listen,
        gateway: { ...gateway, port: gatewayPort },
        console: { ...console, port: consolePort },
      },
    })
  }

  /** Where a value stands in the file (or the nearest mapping above it): `12:5`, from 1. */
  place(path: Path): { line: number; column: number; path: string } {
    return { ...positionOf(this.#source, path), path: showPath(path) }
  }
}

/** A configuration in which no mistake was found. Made here and nowhere else. */
export type CheckedConfig = Checked

/**
 * Reads and checks a configuration.
 * @param text the file's text.
 * @param file its path: relative paths in the file start at its folder.
 * @throws {Fault} `config_bad` with every mistake, one a line, `file:line:column path message`; the
 *   lines also stand in `facts.mistakes`.
 */
export function readConfig(text: string, file: string): CheckedConfig {
  const { checked, mistakes } = checkConfig(text, file)
  if (checked !== undefined) return checked
  const lines = mistakes.map((mistake) => showMistake(mistake, file))
  const count = `${lines.length} mistake${lines.length === 1 ? '' : 's'}`
  const message = `${basename(file)} has ${count}; nothing of it was used.\n${lines.join('\n')}`
  throw new Fault('config_bad', message, { facts: { mistakes: lines } })
}

/** `sallyport.yaml:12:5 connections[0].url must be …` */
export function showMistake(mistake: Mistake, file: string): string {
  const { column, line, message, path } = mistake
  return `${basename(mistake.file ?? file)}:${line}:${column} ${path === '' ? '' : `${path} `}${message}`
}

/** The same as `readConfig` without a fault: either the configuration, or all mistakes in order. */
export function checkConfig(
  text: string,
  file: string,
): { checked?: CheckedConfig; mistakes: readonly Mistake[] } {
  const path = resolve(file)
  const read = readYaml(text, '`sallyport init` writes a first one')
  if ('mistakes' in read) return read
  const { plain, source } = read
  const schema = fileSchema((relative) => resolve(dirname(path), relative))
  const { data, error } = schema.safeParse(plain)
  const known: KnownKeys = (at) => knownKeys(at, plain)
  const shape = error?.issues.flatMap((issue) => fromIssue(source, issue, known)) ?? []
  const reading = openReading(source, plain)
  const { profiles, mistakes: inProfiles } = readProfiles(reading, dirname(path))
  const taken = [...profiles.values()].flatMap(({ rules }) => rules.map(({ name }) => name))
  const own = inOrder([...shape, ...crossMistakes(reading, new Set(taken))])
  const mistakes = [...own, ...inProfiles]
  if (data === undefined || mistakes.length > 0) return { mistakes }
  return { checked: new Checked(path, data, source, profiles), mistakes }
}

/** The profiles that connections name, each read once. */
function readProfiles(
  reading: Reading,
  folder: string,
): { profiles: ReadonlyMap<string, ReadProfile>; mistakes: readonly Mistake[] } {
  const profiles = new Map<string, ReadProfile>()
  const failed = new Set<string>()
  const mistakes: Mistake[] = []
  for (const [index] of reading.list('connections').entries()) {
    const path: Path = ['connections', index, 'profile']
    const name = reading.at(...path) ?? 'pci'
    if (typeof name !== 'string' || profiles.has(name) || failed.has(name)) continue
    const found = readProfile(name, folder, namesOf(reading, serviceIssuerName))
    mistakes.push(...found.mistakes)
    if (found.profile) profiles.set(name, found.profile)
    else failed.add(name)
    if (!found.profile && found.mistakes.length === 0) {
      reading.tell(path, 'names a file that cannot be read; paths start at the folder of this one')
    }
  }
  return { profiles, mistakes }
}
