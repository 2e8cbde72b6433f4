/** Whom and what an entry about identities and access is about, by its `details`. */
import { isObject } from '../record/unfinished.ts'
import type { EntryType } from '../record/entry.ts'

export interface About {
  /** Issuers, subjects and ids of people and programs: whom it is about, and by whom it was asked. */
  readonly people: readonly string[]
  /** Whom and what it is about: people, stops, clients, tokens, sign-ins, keys, groups. */
  readonly things: readonly string[]
}

type Details = Readonly<Record<string, unknown>>

/** Details that name one thing or several; other details are words about them. */
const thingKeys =
  'id revocation client token signIn grant passkey group key keys connection connections ref repository run_id workflow sha256'.split(
    ' ',
  )
const peopleKeys = 'person account ofIssuer ofSubject subject'.split(' ')
/** What `of` names when it is nobody. */
const notPeople: ReadonlySet<unknown> = new Set([
  'client',
  'token',
  'sign-in',
  'connection',
  'everything',
])
/** So many names of one entry are kept. */
const namesMax = 64

/** Empty for an entry that has no details. */
export function aboutOf(type: EntryType, fields: Details): About {
  const { details } = fields
  if (!isObject(details)) return { people: [], things: [] }
  const isPerson = !notPeople.has(details['what'])
  const whom = [
    ...peopleKeys.flatMap((key) => wordsIn(details[key])),
    ...(isPerson ? wordsIn(details['of']) : []),
    // The people a group gained and lost; of a change of grants these are the grants.
    ...(type === 'scim.changed' ? ['added', 'removed'] : []).flatMap((key) =>
      wordsIn(details[key]),
    ),
    ...(details['what'] === 'owner' ? ['before', 'after'] : []).flatMap((key) =>
      wordsIn(details[key]),
    ),
  ].flatMap(partsOf)
  const by = wordsIn(details['by']).flatMap(partsOf)
  const other = [...(isPerson ? [] : wordsIn(details['of'])), ...thingsIn(details)]
  return { people: bounded([...whom, ...by]), things: bounded([...whom, ...other]) }
}

function thingsIn(details: Details): string[] {
  return thingKeys.flatMap((key) => wordsIn(details[key]))
}

/** The words of all details, a line for each: what is searched as text. */
export function detailText({ details }: Details): string {
  if (!isObject(details)) return ''
  return Object.values(details).flatMap(wordsIn).join('\n')
}

function wordsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value === 'number') return [String(value)]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** `issuer subject` as a whole and in its two parts; no issuer has a blank. */
function partsOf(word: string): string[] {
  const blank = word.indexOf(' ')
  if (blank <= 0 || !/^(https?:|urn:|[\w.-]+ )/.test(word)) return [word]
  return [word, word.slice(0, blank), word.slice(blank + 1)]
}

function bounded(words: readonly string[]): string[] {
  return [...new Set(words)].slice(0, namesMax)
}
