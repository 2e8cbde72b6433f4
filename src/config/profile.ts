/** Files of rules: the built-in `pci`, and a user's own. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkRules } from './cross-rules.ts'
import type { Names } from './cross-rules.ts'
import type { DraftProfile } from './draft.ts'
import { field } from './fields.ts'
import { fromIssue, positionOf } from './mistakes.ts'
import type { KnownKeys, Mistake, Source } from './mistakes.ts'
import type { FilePlace } from './policy-types.ts'
import { knownProfileKeys } from './publish.ts'
import { openReading } from './reading.ts'
import { profileSchema } from './rule-schema.ts'
import { inOrder, readYaml } from './yaml-file.ts'

/** A profile without mistakes; its people are still those of the configuration. */
export interface ReadProfile extends DraftProfile {
  readonly name: string
  readonly sha256: string
  /** Of each rule. */
  readonly places: readonly FilePlace[]
  /** Absolute; undefined for `none`. */
  readonly file: string | undefined
}

const builtIn = fileURLToPath(new URL('../policy/profiles/pci.yaml', import.meta.url))

/** What is masked, recorded and counted without any rule. */
const none: ReadProfile = {
  name: 'none',
  sha256: '',
  otherwise: 'allow',
  suspicious: 'medium',
  exposureDays: 30,
  answers: { inspect: 'off', withhold: 'never' },
  rules: [],
  places: [],
  file: undefined,
}

/**
 * @param name as a connection's `profile` spells it; a path is relative to `folder`.
 * @returns the profile; mistakes of its file, which name that file; neither where it cannot be read.
 */
export function readProfile(
  name: string,
  folder: string,
  names: Names,
): { profile?: ReadProfile; mistakes: readonly Mistake[] } {
  if (name === 'none') return { profile: none, mistakes: [] }
  const file = name === 'pci' ? builtIn : resolve(folder, name)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return { mistakes: [] } // Told at the place which names it.
  }
  const { draft, mistakes, places = [] } = check(text, file, names)
  if (!draft || mistakes.length > 0) {
    return { mistakes: mistakes.map((mistake) => ({ ...mistake, file })) }
  }
  const sha256 = createHash('sha256').update(text).digest('hex')
  return { profile: { ...draft, name, sha256, places, file }, mistakes }
}

function check(
  text: string,
  file: string,
  { issuers }: Names,
): { draft?: DraftProfile; places?: readonly FilePlace[]; mistakes: readonly Mistake[] } {
  const read = file === builtIn ? (builtInShape ??= shapeOf(text, file)) : shapeOf(text, file)
  if (read.source === undefined) return read
  const { draft, mistakes: shape, plain, source } = read
  const reading = openReading(source, plain)
  // A profile may serve several configurations, and name a connection which this one has not.
  checkRules(reading, { issuers }, new Set())
  const mistakes = inOrder([...shape, ...reading.mistakes])
  if (draft === undefined) return { mistakes }
  const places = draft.rules.map((_, i) => ({
    file: basename(file),
    ...positionOf(source, ['rules', i]),
  }))
  return { draft, places, mistakes }
}

/** What a file says by itself. */
interface Shape {
  readonly source?: Source
  readonly plain?: unknown
  readonly draft?: DraftProfile
  readonly mistakes: readonly Mistake[]
}

/** It is part of the program: read once. */
let builtInShape: Shape | undefined

function shapeOf(text: string, file: string): Shape {
  const read = readYaml(text, 'write its `rules`')
  if ('mistakes' in read) return read
  const { plain, source } = read
  const schema = profileSchema(field((path) => resolve(dirname(file), path)))
  const { data, error } = schema.safeParse(plain)
  const known: KnownKeys = (at) => knownProfileKeys(at, plain)
  const mistakes = error?.issues.flatMap((issue) => fromIssue(source, issue, known)) ?? []
  return { source, plain, mistakes, ...(data === undefined ? {} : { draft: data }) }
}
