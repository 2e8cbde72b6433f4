/** What needs two places at once in rules, holds and notices. Works on plain values, as `cross.ts`. */
import type { Path } from './mistakes.ts'
import { checkTwins, checkWho, child, matches, namesIn, unknownName } from './reading.ts'
import type { Reading } from './reading.ts'
import { isLoopbackHost, parseDuration } from './units.ts'

/** Names that rules refer to. */
export interface Names {
  readonly connections: readonly string[]
  /** The service accounts' own included. */
  readonly issuers: readonly string[]
}

/**
 * The `rules` of the configuration or of a profile.
 * @param names connections are not looked at where they are missing.
 * @param taken names of other rules that are asked on the same connections.
 */
export function checkRules(
  reading: Reading,
  names: Pick<Names, 'issuers'> & Partial<Names>,
  taken: ReadonlySet<string>,
): void {
  checkTwins(reading, ['rules'], 'name', 'another rule has this name, and the record tells by it')
  for (const [index, rule] of reading.list('rules').entries()) {
    const path: Path = ['rules', index]
    const name = reading.text(...path, 'name')
    if (name !== undefined && taken.has(name)) {
      reading.tell([...path, 'name'], 'is taken: a rule of the profile has this name')
    }
    if (names.connections) checkConnection(reading, [...path, 'connection'], names.connections)
    checkReviewers(reading, [...path, 'reviewers'], names.issuers)
    checkMeaning(reading, path, rule)
  }
}

function checkConnection(reading: Reading, path: Path, connections: readonly string[]): void {
  const wanted = reading.text(...path)
  if (wanted === undefined || connections.some((name) => matches(wanted, name))) return
  reading.tell(path, unknownName(wanted, 'connection', connections))
}

function checkReviewers(reading: Reading, path: Path, issuers: readonly string[]): void {
  const reviewers = reading.at(...path)
  if (typeof reviewers !== 'object' || reviewers === null) return
  if (child(reviewers, 'all') === undefined) return checkWho(reading, path, issuers)
  if (Object.keys(reviewers).length > 1) {
    reading.tell(path, 'names people beside `all`; put them into its list')
  }
  for (const [index, each] of reading.list(...path, 'all').entries()) {
    const keys = typeof each === 'object' && each !== null ? Object.keys(each) : []
    if (keys.length === 1 && keys[0] === 'quorum') {
      reading.tell([...path, 'all', index], 'names nobody')
    } else checkWho(reading, [...path, 'all', index], issuers)
  }
}

const ofHolds = ['reviewers', 'quorum', 'expires', 'signature']
const ofAnswers = ['mask', 'limit']

/** A key that could never do anything is told: its writer meant something by it. */
function checkMeaning(reading: Reading, path: Path, rule: unknown): void {
  const effect = child(rule, 'effect')
  const without = (keys: readonly string[], why: string): void => {
    for (const key of keys) {
      if (child(rule, key) !== undefined) reading.tell([...path, key], why)
    }
  }
  if (effect === 'allow' || effect === 'deny') {
    without(ofHolds, `has no meaning for effect ${effect}; it is for held calls`)
  }
  if (effect === 'deny') without(ofAnswers, 'has no meaning for effect deny: there is no answer')
}

export function checkDecisionPoint(reading: Reading, connections: readonly string[]): void {
  for (const [index] of reading.list('decision_point', 'connections').entries()) {
    checkConnection(reading, ['decision_point', 'connections', index], connections)
  }
}

export function checkHolds(reading: Reading, issuers: readonly string[]): void {
  checkWho(reading, ['holds', 'emergency', 'who'], issuers)
  const time = (key: string, usual: string): number =>
    parseDuration(reading.text('holds', key) ?? usual)
  if (time('remind_after', '0s') >= time('expires', '15m')) {
    const why = 'is not before `expires`: nobody would ever be reminded'
    reading.tell(['holds', 'remind_after'], why)
  }
}

export function checkNotices(reading: Reading): void {
  checkTwins(reading, ['notify'], 'name', 'another notice has this name')
  for (const [index, notice] of reading.list('notify').entries()) {
    if (child(notice, 'type') !== 'email') continue
    const path: Path = ['notify', index]
    const host = reading.text(...path, 'host')
    if (child(notice, 'security') === 'none' && host !== undefined && !isLoopbackHost(host)) {
      reading.tell([...path, 'security'], 'is none, and the server is not on this machine')
    }
    if ((child(notice, 'username') === undefined) === (child(notice, 'password') === undefined)) {
      continue
    }
    reading.tell(path, 'has one of username and password; give both or none')
  }
}

/** The names of a configuration's connections and issuers. @param own the service accounts' issuer. */
export function namesOf(reading: Reading, own: string): Names {
  const issuers = [
    ...namesIn(reading, 'identity', 'issuers'),
    ...namesIn(reading, 'identity', 'sign_in'),
  ]
  return { connections: namesIn(reading, 'connections'), issuers: [...new Set([...issuers, own])] }
}
