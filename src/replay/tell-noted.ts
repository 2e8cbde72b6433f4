/** What entries about identities and access say, in words. */
import { countOf, textOf } from '../record/stored.ts'
import { isObject } from '../record/unfinished.ts'
import { counted } from './plain.ts'
import type { NotedType } from '../record/noted.ts'
import type { RecordedEntry } from '../record/read.ts'

type Details = Readonly<Record<string, unknown>>

/** How one type is told, and which of its details the words have used up. */
interface Telling {
  readonly used: readonly string[]
  readonly words: (details: Details, entry: RecordedEntry) => string
}

const word = (details: Details, key: string): string => textOf(details[key]) ?? ''
/** A word behind others, where it is there. */
const behind = (ahead: string, text: string): string => (text === '' ? '' : `${ahead}${text}`)
const who = ({ principal }: RecordedEntry): string =>
  principal?.name ?? principal?.subject ?? 'somebody'
const where = (details: Details): string =>
  ['at', 'where'].map((key) => behind(' at ', word(details, key).replaceAll('_', ' '))).join('')
/** Both of two words, of which most entries have one. */
const both = (details: Details, a: string, b: string): string =>
  [word(details, a), word(details, b)].filter(Boolean).join(', ')

const tellings: Readonly<Record<NotedType, Telling>> = {
  'principal.revoked': {
    used: ['what', 'of', 'by', 'source', 'reason', 'from'],
    words: (of) => {
      const [what, named] = [word(of, 'what'), word(of, 'of')]
      const whom = named === what ? what : `${what}${behind(' ', named)}`
      const from = behind(' from ', word(of, 'from'))
      const by = behind(' by ', word(of, 'by'))
      return `x stopped ${whom}${by}${behind(' over ', word(of, 'source'))}${from}${behind(': ', word(of, 'reason'))}`
    },
  },
  'revocation.cut': {
    used: ['id', 'calls', 'streams', 'sessions'],
    words: (of) => {
      const cut = (['call', 'stream', 'session'] as const).map((one) =>
        counted(countOf(of[`${one}s`]) ?? 0, one),
      )
      return `x cut by ${word(of, 'id')}: ${cut.join(', ')}`
    },
  },
  'revocation.lifted': {
    used: ['id', 'revocation', 'by', 'source', 'reason'],
    words: (of) => {
      const over = behind(' over ', word(of, 'source'))
      const by = behind(' by ', word(of, 'by'))
      return `lifted ${both(of, 'id', 'revocation')}${by}${over}${behind(': ', word(of, 'reason'))}`
    },
  },
  'signin.accepted': {
    used: ['at', 'where', 'method', 'isBreakGlass', 'isFresh'],
    words: (of, entry) => {
      const glass = of['isBreakGlass'] === true ? ', for an emergency' : ''
      const again = of['isFresh'] === true ? ', anew' : ''
      return `${who(entry)} signed in${where(of)}${behind(' by ', word(of, 'method'))}${again}${glass}`
    },
  },
  'signin.refused': {
    used: ['at', 'where', 'method', 'reason'],
    words: (of, entry) =>
      `x ${who(entry)} was not let in${where(of)}${behind(' by ', word(of, 'method'))}${behind(': ', word(of, 'reason'))}`,
  },
  'signin.ended': {
    used: ['at', 'where', 'reason', 'seconds'],
    words: (of, entry) => {
      const seconds = countOf(of['seconds'])
      const after = seconds === undefined ? '' : ` after ${counted(seconds, 'second')}`
      return `${who(entry)} was signed out${where(of)}${after}${behind(': ', word(of, 'reason'))}`
    },
  },
  'account.changed': changed('account', ['what', 'change', 'account', 'by', 'source']),
  'passkey.changed': {
    used: ['what', 'passkey', 'ofSubject'],
    words: (of, entry) =>
      `passkey ${word(of, 'passkey')} of ${word(of, 'ofSubject')} ${word(of, 'what')} by ${who(entry)}`,
  },
  'client.registered': {
    used: ['client', 'name', 'how'],
    words: (of) =>
      `client ${word(of, 'client')}${behind(', ', word(of, 'name'))}, made known${behind(' by ', word(of, 'how'))}`,
  },
  'consent.given': {
    used: ['client', 'name', 'connections'],
    words: (of, entry) =>
      `${who(entry)} let ${both(of, 'name', 'client')} act for them${behind(' on ', listed(of))}`,
  },
  'consent.refused': {
    used: ['client', 'name', 'connections'],
    words: (of, entry) =>
      `x ${who(entry)} did not let ${both(of, 'name', 'client')} act for them${behind(' on ', listed(of))}`,
  },
  'grant.ended': {
    used: ['grant', 'client', 'reason'],
    words: (of, entry) =>
      `what ${who(entry)} allowed ${word(of, 'client')} in ${word(of, 'grant')} has ended${behind(': ', word(of, 'reason'))}`,
  },
  'scim.changed': {
    used: ['resource', 'change', 'id'],
    words: (of) => `the directory ${word(of, 'change')} ${word(of, 'resource')} ${word(of, 'id')}`,
  },
  'config.changed': {
    used: ['from', 'to', 'by'],
    words: (of) =>
      `configuration ${word(of, 'to')} is in force by ${word(of, 'by')}${behind(', before it ', word(of, 'from'))}`,
  },
  'access.changed': {
    used: ['what', 'of', 'before', 'after', 'by', 'source'],
    words: (of) => {
      const to = `${behind(' from ', word(of, 'before'))}${behind(' to ', word(of, 'after'))}`
      return `changed ${word(of, 'what')}${behind(' of ', word(of, 'of'))}${to}${behind(' by ', word(of, 'by'))}${behind(' over ', word(of, 'source'))}`
    },
  },
  'access.reviewed': {
    used: ['by', 'from', 'to', 'reason'],
    words: (of) =>
      `access from ${word(of, 'from')} to ${word(of, 'to')} reviewed by ${word(of, 'by')}${behind(': ', word(of, 'reason'))}`,
  },
  'credential.rotated': {
    used: ['where', 'from'],
    words: (of) => `credential ${word(of, 'where')} renewed${behind(' from ', word(of, 'from'))}`,
  },
  'alert.raised': {
    used: ['what', 'reason', 'of'],
    words: (of, entry) => {
      const what = both(of, 'what', 'reason')
      const about = word(of, 'of') || (entry.principal ? who(entry) : '')
      return `! alert: ${what}${behind(', about ', about)}`
    },
  },
  'ticket.created': {
    used: ['ticket', 'tool', 'rules', 'reason', 'expires'],
    words: (of) =>
      `| ${word(of, 'tool')} is held as ${word(of, 'ticket')}${behind(' until ', word(of, 'expires'))}${by(of, 'rules')}${behind(': ', word(of, 'reason'))}`,
  },
  'ticket.decided': {
    used: ['ticket', 'decision', 'method', 'justification', 'onBehalfOf', 'reason'],
    words: (of, entry) => {
      const refused = word(of, 'reason')
      if (refused !== '')
        return `x a decision of ${who(entry)} on ${word(of, 'ticket')}${behind(', ', word(of, 'decision'))}${behind(' by ', word(of, 'method'))}${behind(' for ', word(of, 'onBehalfOf'))} does not count: ${refused}${behind('; ', word(of, 'justification'))}`
      const asked = behind(' for ', word(of, 'onBehalfOf'))
      const how = behind(' by ', word(of, 'method'))
      return `| ${who(entry)}${asked}: ${word(of, 'decision')} ${word(of, 'ticket')}${how}${behind(': ', word(of, 'justification'))}`
    },
  },
  'ticket.approved': {
    used: ['ticket', 'until'],
    words: (of) => `| ${word(of, 'ticket')} may run, once${behind(', until ', word(of, 'until'))}`,
  },
  'ticket.executed': {
    used: ['ticket', 'outcome'],
    words: (of) => `| ${word(of, 'ticket')} has run${behind(': ', word(of, 'outcome'))}`,
  },
  'ticket.ended': {
    used: ['ticket', 'state', 'why'],
    words: (of) =>
      `| ${word(of, 'ticket')} has ended: ${word(of, 'state')}${behind(', ', word(of, 'why'))}`,
  },
  'ticket.reminded': {
    used: ['ticket', 'expires'],
    words: (of) =>
      `| reviewers of ${word(of, 'ticket')} were reminded${behind('; it waits until ', word(of, 'expires'))}`,
  },
  'ticket.reviewed': {
    used: ['ticket', 'words'],
    words: (of, entry) =>
      `| ${who(entry)} reviewed ${word(of, 'ticket')}, which ran in an emergency${behind(': ', word(of, 'words'))}`,
  },
  'delegation.changed': {
    used: ['what', 'delegation', 'to', 'until'],
    words: (of, entry) =>
      `${who(entry)}: delegation ${word(of, 'delegation')}${behind(' to ', word(of, 'to'))} ${word(of, 'what')}${behind(', until ', word(of, 'until'))}`,
  },
  'inspect.found': {
    used: ['of', 'found'],
    words: (of) => `! seen in ${word(of, 'of') || 'the call'}:${by(of, 'found', ' ')}`,
  },
  'tool.changed': {
    used: ['tool', 'what', 'parts'],
    words: (of) =>
      `! tool ${word(of, 'tool')} ${word(of, 'what') || 'changed'}${by(of, 'parts', ': ')}`,
  },
  'tool.accepted': {
    used: ['tool', 'by', 'reason'],
    words: (of) =>
      `tool ${word(of, 'tool')} accepted as it is now${behind(' by ', word(of, 'by'))}${behind(': ', word(of, 'reason'))}`,
  },
  'notice.sent': {
    used: ['receiver', 'ticket', 'what'],
    words: (of) => `told ${word(of, 'receiver')} of ${both(of, 'ticket', 'what')}`,
  },
  'notice.failed': {
    used: ['receiver', 'ticket', 'what', 'reason'],
    words: (of) =>
      `x could not tell ${word(of, 'receiver')} of ${both(of, 'ticket', 'what')}${behind(': ', word(of, 'reason'))}`,
  },
}

/** The words of a list behind others. */
function by(details: Details, key: string, ahead = ' by '): string {
  const value = details[key]
  return isWords(value) ? behind(ahead, value.join(', ')) : ''
}

function changed(what: string, used: readonly string[]): Telling {
  return {
    used,
    words: (of) => {
      const change = word(of, 'change')
      const kind = change === '' ? what : word(of, 'what') || what
      const did = (change || word(of, 'what')).replaceAll('_', ' ')
      const over = behind(' over ', word(of, 'source'))
      return `${kind} ${word(of, 'account')}: ${did}${behind(' by ', word(of, 'by'))}${over}`
    },
  }
}

function listed({ connections }: Details): string {
  return isWords(connections) ? connections.join(', ') : ''
}

const byType: ReadonlyMap<string, Telling> = new Map(Object.entries(tellings))

/** One line on an entry with details; undefined for any other. */
export function notedWords(entry: RecordedEntry): string | undefined {
  const { details } = entry.fields
  return isObject(details) ? byType.get(entry.type)?.words(details, entry) : undefined
}

/** Details that the words did not say, by name; undefined where an entry has none. */
export function furtherDetails({ fields, type }: RecordedEntry): [string, unknown][] | undefined {
  const { details } = fields
  if (!isObject(details)) return undefined
  const used = new Set(byType.get(type)?.used)
  return Object.entries(details).filter(([name, value]) => !used.has(name) || !isSaid(name, value))
}

const listsSaid: ReadonlySet<string> = new Set(['connections', 'rules', 'found', 'parts'])
const counts: ReadonlySet<string> = new Set(['calls', 'streams', 'sessions', 'seconds'])

/** Whether a detail has the form in which the words say it; of another form it is shown by itself. */
function isSaid(name: string, value: unknown): boolean {
  if (typeof value === 'number') return counts.has(name) && countOf(value) !== undefined
  if (name.startsWith('is')) return typeof value === 'boolean'
  if (listsSaid.has(name)) return isWords(value)
  return typeof value === 'string' && !counts.has(name)
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
