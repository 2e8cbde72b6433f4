/**
 * What needs two places of the file at once. Works on the plain values, before anything is known to
 * be right, so that these mistakes are told together with all others.
 */
import { patternsMax } from '../cards/also/pattern.ts'
import { checkDecisionPoint, checkHolds, checkNotices, checkRules, namesOf } from './cross-rules.ts'
import type { Names } from './cross-rules.ts'
import type { Mistake, Path } from './mistakes.ts'
import { checkTwins, checkWho, child, matches, unknownName } from './reading.ts'
import type { Reading } from './reading.ts'
import { serviceIssuerName } from './service-issuer.ts'
import { isLoopbackHost, parseDuration, parseHostPort, parseSize, showHostPort } from './units.ts'

/** All mistakes between places. @param taken names of rules of the profiles that are used. */
export function crossMistakes(reading: Reading, taken: ReadonlySet<string>): Mistake[] {
  const names = namesOf(reading, serviceIssuerName)
  checkListeners(reading)
  checkIssuers(reading)
  checkSignIn(reading)
  checkConnections(reading)
  checkPatterns(reading)
  checkGrants(reading, names)
  checkRules(reading, names, taken)
  checkDecisionPoint(reading, names.connections)
  checkHolds(reading, names.issuers)
  checkNotices(reading)
  checkLimits(reading)
  checkRetention(reading)
  return reading.mistakes
}

function checkListeners(reading: Reading): void {
  const gateway = parseHostPort(reading.text('listen', 'gateway') ?? '127.0.0.1:4100')
  const console = parseHostPort(reading.text('listen', 'console') ?? '127.0.0.1:4101')
  if (gateway && console && gateway.port !== 0 && showHostPort(gateway) === showHostPort(console)) {
    reading.tell(['listen', 'console'], 'is the gateway’s own address; give it another port')
  }
  const publicUrl = reading.at('public_url')
  if (publicUrl === undefined && gateway && !isLoopbackHost(gateway.host)) {
    const why = 'is missing: listen.gateway is not a loopback address, so say how clients reach it'
    reading.tell(['public_url'], why)
  }
  if (
    reading.at('console', 'public_url') === undefined &&
    console &&
    !isLoopbackHost(console.host)
  ) {
    const why = 'is missing: listen.console is not a loopback address, so say how people reach it'
    reading.tell(['console', 'public_url'], why)
  }
  const isTls = reading.at('listen', 'tls') !== undefined
  if (isTls && typeof publicUrl === 'string' && publicUrl.startsWith('http://')) {
    reading.tell(['public_url'], 'must begin with https, since listen.tls is set')
  }
}

function checkIssuers(reading: Reading): void {
  const list = ['identity', 'issuers']
  checkTwins(reading, list, 'name', 'another issuer has this name')
  checkTwins(
    reading,
    list,
    'issuer',
    'another entry has this issuer, and `iss` must name one entry',
  )
  const locals = localsOf(reading)
  for (const index of locals.slice(1)) {
    reading.tell([...list, index, 'type'], 'is the second local issuer; there is one key, so one')
  }
  for (const [index, item] of reading.list(...list).entries()) {
    if (child(item, 'type') !== 'github-actions') continue
    const rules = ['repositories', 'allow'].map((key) => child(item, key))
    if (rules.some((rule) => rule !== undefined)) continue
    reading.tell([...list, index], 'lets in no repository; give allow, or repositories')
  }
}

function localsOf(reading: Reading): readonly number[] {
  return reading
    .list('identity', 'issuers')
    .flatMap((item, i) => (child(item, 'type') === 'local' ? [i] : []))
}

/** Issuers and sign-ins of the file, by name, with their types. */
function typesOf(reading: Reading, key: 'issuers' | 'sign_in'): readonly [string, unknown][] {
  return reading.list('identity', key).flatMap((item) => {
    const name = child(item, 'name')
    return typeof name === 'string' ? [[name, child(item, 'type')] as [string, unknown]] : []
  })
}

function checkSignIn(reading: Reading): void {
  const list: Path = ['identity', 'sign_in']
  checkTwins(reading, list, 'name', 'another way to sign in has this name')
  const issuers = typesOf(reading, 'issuers')
  const hasLocal = localsOf(reading).length > 0
  for (const [index, item] of reading.list(...list).entries()) {
    if (child(item, 'type') === 'accounts' && !hasLocal) {
      reading.tell(
        [...list, index, 'type'],
        'needs an issuer of type local, whose people these are',
      )
    }
    const sameAs = child(item, 'same_as')
    const entra = issuers.flatMap(([name, type]) => (type === 'entra' ? [name] : []))
    if (typeof sameAs === 'string' && !entra.includes(sameAs)) {
      reading.tell([...list, index, 'same_as'], unknownName(sameAs, 'entra issuer', entra))
    }
  }
  checkServer(reading, issuers, hasLocal)
  const names = [...issuers, ...typesOf(reading, 'sign_in')].map(([name]) => name)
  const scim = reading.text('identity', 'scim', 'issuer')
  if (scim !== undefined && !names.includes(scim)) {
    reading.tell(['identity', 'scim', 'issuer'], unknownName(scim, 'issuer', names))
  }
}

function checkServer(
  reading: Reading,
  issuers: readonly (readonly [string, unknown])[],
  hasLocal: boolean,
): void {
  const server: Path = ['identity', 'authorization_server']
  if (reading.at(...server) === undefined) return
  if (!hasLocal) {
    reading.tell(server, 'needs an issuer of type local, whose key signs its tokens')
  }
  if (reading.list('identity', 'sign_in').length === 0) {
    reading.tell(server, 'needs identity.sign_in: a way for people to sign in')
  }
  const fit = issuers.flatMap(([name, type]) => (type === 'oidc' || type === 'entra' ? [name] : []))
  const wanted: Path = [...server, 'assertion_issuers']
  for (const [index] of reading.list(...wanted).entries()) {
    const name = reading.text(...wanted, index)
    if (name === undefined || fit.includes(name)) continue
    reading.tell([...wanted, index], unknownName(name, 'oidc or entra issuer', fit))
  }
}

function checkConnections(reading: Reading): void {
  checkTwins(reading, ['connections'], 'name', 'another connection has this name')
  for (const [index] of reading.list('connections').entries()) {
    const tls: Path = ['connections', index, 'tls']
    const hasCert = reading.at(...tls, 'cert') !== undefined
    const hasKey = reading.at(...tls, 'key') !== undefined
    if (hasCert && !hasKey) reading.tell(tls, 'has a cert but no key; give both or none')
    if (hasKey && !hasCert) reading.tell(tls, 'has a key but no cert; give both or none')
    const url = reading.text('connections', index, 'url')
    if (url?.startsWith('http://') && Object.keys(asObject(reading.at(...tls))).length > 0) {
      reading.tell(tls, 'has no meaning for a plain http address; use https or take it out')
    }
  }
}

/** A connection has the patterns of `masking` and its own, all under one roof. */
function checkPatterns(reading: Reading): void {
  const shared: Path = ['masking', 'patterns']
  checkTwins(reading, shared, 'name', 'another pattern has this name')
  const names = new Set(reading.list(...shared).map((_, i) => reading.text(...shared, i, 'name')))
  for (const [index] of reading.list('connections').entries()) {
    const own: Path = ['connections', index, 'mask', 'patterns']
    checkTwins(reading, own, 'name', 'another pattern has this name')
    const list = reading.list(...own)
    for (const [i] of list.entries()) {
      const name = reading.text(...own, i, 'name')
      if (name === undefined || !names.has(name)) continue
      reading.tell([...own, i, 'name'], 'is taken: a pattern of `masking` has this name')
    }
    const count = reading.list(...shared).length + list.length
    if (list.length > 0 && list.length <= patternsMax && count > patternsMax) {
      const why = `are ${count} with those of \`masking\`; a connection has ${patternsMax} at most`
      reading.tell(own, why)
    }
  }
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

function checkGrants(reading: Reading, { connections, issuers }: Names): void {
  for (const role of ['admin', 'approver', 'analyst', 'compliance', 'auditor']) {
    checkWho(reading, ['console', 'roles', role], issuers)
  }
  checkTwins(reading, ['access'], 'name', 'another line has this name, and the record tells by it')
  for (const [index] of reading.list('access').entries()) {
    checkWho(reading, ['access', index, 'who'], issuers)
    const path: Path = ['access', index, 'may', 'connection']
    const wanted = reading.text(...path)
    if (wanted === undefined || connections.some((name) => matches(wanted, name))) continue
    reading.tell(path, unknownName(wanted, 'connection', connections))
  }
}

/** What is not there or has another form is told elsewhere: NaN is below and above nothing. */
function checkRetention(reading: Reading): void {
  const whole: Path = ['record', 'retention']
  const content: Path = ['record', 'content_retention']
  const all = parseDuration(reading.text(...whole) ?? '400d')
  const part = parseDuration(reading.text(...content) ?? '400d')
  if (part > all && reading.text(...content) !== undefined) {
    reading.tell(content, 'is longer than record.retention, at whose end the content goes as well')
  }
  if (reading.at('record', 'allow_short_retention') === true) return
  const year = parseDuration('365d')
  for (const path of [whole, content]) {
    if (!(parseDuration(reading.text(...path) ?? '400d') < year)) continue
    const why = 'is under 365d, and PCI DSS v4.0.1 req. 10.5.1 asks for twelve months'
    reading.tell(path, `${why}; if it does not bind you, set record.allow_short_retention: true`)
  }
}

function checkLimits(reading: Reading): void {
  const bytes = (path: Path): number => {
    const value = reading.at(...path)
    return typeof value === 'number' ? value : parseSize(typeof value === 'string' ? value : '')
  }
  const inFlight = bytes(['limits', 'in_flight_bytes_max'])
  const room = Number.isNaN(inFlight) ? parseSize('512MiB') : inFlight
  const single: Path[] = [
    ['limits', 'request_bytes_max'],
    ['limits', 'answer_bytes_max'],
    ...reading.list('connections').map((_, i): Path => ['connections', i, 'answer_bytes_max']),
  ]
  for (const path of single) {
    if (bytes(path) > room) {
      reading.tell(path, 'is more than limits.in_flight_bytes_max; no such message would ever fit')
    }
  }
}
