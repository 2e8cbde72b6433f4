/** Finds the principal that somebody means on the command line. */
import { Fault } from '../base/fault.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import { isWord } from '../identity/principal.ts'
import { serviceIssuer } from '../identity/service-accounts.ts'
import { oneLine } from '../replay/plain.ts'
import type { PeopleDesk } from './people-desk.ts'

/** Somebody, whether they were ever seen or not. */
export interface Whom {
  readonly issuer: string
  readonly subject: string
  readonly name?: string | undefined
  /** What the directory knows. */
  readonly known?: KnownPrincipal | undefined
}

type Places = Pick<PeopleDesk, 'directory' | 'serviceAccounts' | 'issuers' | 'masker'>

const guidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const listedMax = 20

/**
 * @param text an id, subject, `issuer subject`, name or e-mail of the directory, the name of a service
 *   account, or `ISSUERNAME/SUBJECT` for anybody, seen or not.
 * @throws {Fault} `path_unknown` where nobody is meant, or more than one could be: the message lists
 *   them, masked.
 */
export function findWhom(text: string, at: Places): Whom {
  const found = candidates(text, at)
  const [first, ...others] = found
  if (first !== undefined && others.length === 0) return first
  if (first !== undefined) throw ambiguous(found, at)
  return spelled(text, at)
}

/** The same for a person that the directory must know. @throws {Fault} `path_unknown`. */
export function findKnown(text: string, at: Places): KnownPrincipal {
  const { known } = findWhom(text, at)
  if (known !== undefined) return known
  const message =
    'The directory does not know this principal yet: it was never seen, and nobody told of it. List them with "sallyport people list".'
  throw new Fault('path_unknown', message)
}

function candidates(text: string, { directory, serviceAccounts }: Places): Whom[] {
  const known: Whom[] = directory.search(text).map(whomOf)
  const isKnown = known.some(({ issuer, subject }) => issuer === serviceIssuer && subject === text)
  const isAccount = serviceAccounts.list().some(({ name }) => name === text)
  return isAccount && !isKnown ? [...known, { issuer: serviceIssuer, subject: text }] : known
}

function whomOf(known: KnownPrincipal): Whom {
  const { issuer, name, subject } = known
  return { issuer, subject, name, known }
}

/** `ISSUERNAME/SUBJECT`, or `ISSUER SUBJECT` by the identifier. The subject may hold slashes. */
function spelled(text: string, at: Places): Whom {
  const slash = text.indexOf('/')
  const [name, word] = [text.slice(0, slash), text.slice(slash + 1)]
  const named = slash > 0 ? at.issuers.filter((each) => each.name === name) : []
  const identified = at.issuers.filter(({ issuer }) => text.startsWith(`${issuer} `))
  const [issuer] = named.length === 1 ? named : identified
  if (named.length > 1 && identified.length === 0) {
    const all = named.map((each) => each.issuer).join(', ')
    const message = `This issuer has several identifiers: ${all}. Write the one you mean, a blank, and the subject.`
    throw new Fault('path_unknown', message)
  }
  if (issuer === undefined) throw nobody(at)
  const subject = named.length === 1 ? word : text.slice(issuer.issuer.length + 1)
  if (!isWord(subject)) throw nobody(at)
  const exact = issuer.isEntra && guidForm.test(subject) ? subject.toLowerCase() : subject
  const known = at.directory.find(issuer.issuer, exact)
  return known === undefined ? { issuer: issuer.issuer, subject: exact } : whomOf(known)
}

function nobody({ issuers }: Places): Fault {
  const names = [...new Set(issuers.map(({ name }) => name))].join(', ')
  const how =
    names === ''
      ? 'To name somebody who was never seen, name the configuration with -c too.'
      : `Name somebody who was never seen as ISSUER/SUBJECT, with one of these issuers: ${names}.`
  return new Fault('path_unknown', `Nobody is known by this text. ${how}`)
}

function ambiguous(found: readonly Whom[], { masker }: Places): Fault {
  const lines = found.slice(0, listedMax).map(({ issuer, known, name, subject }) => {
    const words = masker.words([known?.id ?? 'service account', issuer, subject, name ?? '']).value
    return `  ${oneLine(words.join('  ').trimEnd())}`
  })
  const more = found.length > listedMax ? [`  … and ${found.length - listedMax} more`] : []
  const message = ['Several principals are known by this text. Name one by its id:', ...lines]
  return new Fault('path_unknown', [...message, ...more].join('\n'))
}
