/**
 * What needs two places of the file at once. Works on the plain values, before anything is known to
 * be right, so that these mistakes are told together with all others.
 */
import { patternsMax } from '../cards/also/pattern.ts'
import { mistakeAt, nearest } from './mistakes.ts'
import type { Mistake, Path, Source } from './mistakes.ts'
import { serviceIssuerName } from './service-issuer.ts'
import { isLoopbackHost, parseDuration, parseHostPort, parseSize, showHostPort } from './units.ts'

interface Reading {
  readonly source: Source
  readonly mistakes: Mistake[]
  at(...path: Path): unknown
  text(...path: Path): string | undefined
  list(...path: Path): readonly unknown[]
}

/** All mistakes between places. @param plain the file as plain values. */
export function crossMistakes(source: Source, plain: unknown): Mistake[] {
  const mistakes: Mistake[] = []
  const at = (...path: Path): unknown => path.reduce(child, plain)
  const reading: Reading = {
    source,
    mistakes,
    at,
    text: (...path) => {
      const value = at(...path)
      return typeof value === 'string' ? value : undefined
    },
    list: (...path) => {
      const value = at(...path)
      const list: readonly unknown[] = Array.isArray(value) ? value : []
      return list
    },
  }
  checkListeners(reading)
  checkIssuers(reading)
  checkSignIn(reading)
  checkConnections(reading)
  checkPatterns(reading)
  checkGrants(reading)
  checkLimits(reading)
  checkRetention(reading)
  return mistakes
}

function child(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  const own: unknown = Reflect.get(value, key)
  return own
}

function tell({ source, mistakes }: Reading, path: Path, message: string): void {
  mistakes.push(mistakeAt(source, path, message))
}

function checkListeners(reading: Reading): void {
  const gateway = parseHostPort(reading.text('listen', 'gateway') ?? '127.0.0.1:4100')
  const console = parseHostPort(reading.text('listen', 'console') ?? '127.0.0.1:4101')
  if (gateway && console && gateway.port !== 0 && showHostPort(gateway) === showHostPort(console)) {
    tell(reading, ['listen', 'console'], 'is the gateway’s own address; give it another port')
  }
  const publicUrl = reading.at('public_url')
  if (publicUrl === undefined && gateway && !isLoopbackHost(gateway.host)) {
    const why = 'is missing: listen.gateway is not a loopback address, so say how clients reach it'
    tell(reading, ['public_url'], why)
  }
  if (
    reading.at('console', 'public_url') === undefined &&
    console &&
    !isLoopbackHost(console.host)
  ) {
    const why = 'is missing: listen.console is not a loopback address, so say how people reach it'
    tell(reading, ['console', 'public_url'], why)
  }
  const isTls = reading.at('listen', 'tls') !== undefined
  if (isTls && typeof publicUrl === 'string' && publicUrl.startsWith('http://')) {
    tell(reading, ['public_url'], 'must begin with https, since listen.tls is set')
  }
}

/** Tells each value that stood earlier in the list, at its second place. */
function checkTwins(reading: Reading, list: Path, key: string, what: string): void {
  const seen = new Set<string>()
  for (const [index] of reading.list(...list).entries()) {
    const value = reading.text(...list, index, key)
    if (value === undefined) continue
    if (seen.has(value)) tell(reading, [...list, index, key], `is taken: ${what}`)
    seen.add(value)
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
    tell(reading, [...list, index, 'type'], 'is the second local issuer; there is one key, so one')
  }
  for (const [index, item] of reading.list(...list).entries()) {
    if (child(item, 'type') !== 'github-actions') continue
    const rules = ['repositories', 'allow'].map((key) => child(item, key))
    if (rules.some((rule) => rule !== undefined)) continue
    tell(reading, [...list, index], 'lets in no repository; give allow, or repositories')
  }
}

function localsOf(reading: Reading): readonly number[] {
  return reading
    .list('identity', 'issuers')
    .flatMap((item, i) => (child(item, 'type') === 'local' ? [i] : []))
}

/** Issuers and sign-ins of the file, by name, with their types. */
function namesOf(reading: Reading, key: 'issuers' | 'sign_in'): readonly [string, unknown][] {
  return reading.list('identity', key).flatMap((item) => {
    const name = child(item, 'name')
    return typeof name === 'string' ? [[name, child(item, 'type')] as [string, unknown]] : []
  })
}

function checkSignIn(reading: Reading): void {
  const list: Path = ['identity', 'sign_in']
  checkTwins(reading, list, 'name', 'another way to sign in has this name')
  const issuers = namesOf(reading, 'issuers')
  const hasLocal = localsOf(reading).length > 0
  for (const [index, item] of reading.list(...list).entries()) {
    if (child(item, 'type') === 'accounts' && !hasLocal) {
      tell(
        reading,
        [...list, index, 'type'],
        'needs an issuer of type local, whose people these are',
      )
    }
    const sameAs = child(item, 'same_as')
    const entra = issuers.flatMap(([name, type]) => (type === 'entra' ? [name] : []))
    if (typeof sameAs === 'string' && !entra.includes(sameAs)) {
      tell(reading, [...list, index, 'same_as'], unknownName(sameAs, 'entra issuer', entra))
    }
  }
  checkServer(reading, issuers, hasLocal)
  const names = [...issuers, ...namesOf(reading, 'sign_in')].map(([name]) => name)
  const scim = reading.text('identity', 'scim', 'issuer')
  if (scim !== undefined && !names.includes(scim)) {
    tell(reading, ['identity', 'scim', 'issuer'], unknownName(scim, 'issuer', names))
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
    tell(reading, server, 'needs an issuer of type local, whose key signs its tokens')
  }
  if (reading.list('identity', 'sign_in').length === 0) {
    tell(reading, server, 'needs identity.sign_in: a way for people to sign in')
  }
  const fit = issuers.flatMap(([name, type]) => (type === 'oidc' || type === 'entra' ? [name] : []))
  const wanted: Path = [...server, 'assertion_issuers']
  for (const [index] of reading.list(...wanted).entries()) {
    const name = reading.text(...wanted, index)
    if (name === undefined || fit.includes(name)) continue
    tell(reading, [...wanted, index], unknownName(name, 'oidc or entra issuer', fit))
  }
}

function checkConnections(reading: Reading): void {
  checkTwins(reading, ['connections'], 'name', 'another connection has this name')
  for (const [index] of reading.list('connections').entries()) {
    const tls: Path = ['connections', index, 'tls']
    const hasCert = reading.at(...tls, 'cert') !== undefined
    const hasKey = reading.at(...tls, 'key') !== undefined
    if (hasCert && !hasKey) tell(reading, tls, 'has a cert but no key; give both or none')
    if (hasKey && !hasCert) tell(reading, tls, 'has a key but no cert; give both or none')
    const url = reading.text('connections', index, 'url')
    if (url?.startsWith('http://') && Object.keys(asObject(reading.at(...tls))).length > 0) {
      tell(reading, tls, 'has no meaning for a plain http address; use https or take it out')
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
      tell(reading, [...own, i, 'name'], 'is taken: a pattern of `masking` has this name')
    }
    const count = reading.list(...shared).length + list.length
    if (list.length > 0 && list.length <= patternsMax && count > patternsMax) {
      const why = `are ${count} with those of \`masking\`; a connection has ${patternsMax} at most`
      tell(reading, own, why)
    }
  }
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

function checkGrants(reading: Reading): void {
  const names = (path: Path): string[] =>
    reading.list(...path).flatMap((_, i) => reading.text(...path, i, 'name') ?? [])
  const connections = names(['connections'])
  const own = [...names(['identity', 'issuers']), ...names(['identity', 'sign_in'])]
  const issuers = [...new Set([...own, serviceIssuerName])]
  for (const role of ['admin', 'approver', 'analyst', 'compliance', 'auditor']) {
    checkWho(reading, ['console', 'roles', role], issuers)
  }
  checkTwins(reading, ['access'], 'name', 'another line has this name, and the record tells by it')
  for (const [index] of reading.list('access').entries()) {
    checkWho(reading, ['access', index, 'who'], issuers)
    const path: Path = ['access', index, 'may', 'connection']
    const wanted = reading.text(...path)
    if (wanted === undefined || connections.some((name) => matches(wanted, name))) continue
    tell(reading, path, unknownName(wanted, 'connection', connections))
  }
}

function checkWho(reading: Reading, path: Path, issuers: readonly string[]): void {
  const who = reading.at(...path)
  if (typeof who !== 'object' || who === null) return
  if (Object.keys(who).length === 0) {
    const help = 'names nobody; for everyone an issuer vouches for, write { issuer: NAME }'
    return tell(reading, path, help)
  }
  const issuer = reading.text(...path, 'issuer')
  if (issuer !== undefined && !issuers.includes(issuer)) {
    tell(reading, [...path, 'issuer'], unknownName(issuer, 'issuer', issuers))
  }
  const several = issuers.length > 2 // The service accounts' own is always there.
  if (issuer === undefined && several && reading.at(...path, 'subject') !== undefined) {
    // Two issuers may give one subject to two people.
    tell(
      reading,
      [...path, 'subject'],
      'needs an issuer beside it, since there are several issuers',
    )
  }
}

function unknownName(wanted: string, what: string, names: readonly string[]): string {
  const near = nearest(wanted, names)
  const help =
    near === undefined ? `known: ${names.join(', ') || 'none'}` : `did you mean "${near}"?`
  return `names no ${what} of this file; ${help}`
}

/** Literal text in which `*` stands for any run of characters. */
function matches(pattern: string, name: string): boolean {
  const source = pattern.split('*').map((part) => RegExp.escape(part))
  return new RegExp(`^${source.join('.*')}$`, 's').test(name)
}

/** What is not there or has another form is told elsewhere: NaN is below and above nothing. */
function checkRetention(reading: Reading): void {
  const whole: Path = ['record', 'retention']
  const content: Path = ['record', 'content_retention']
  const all = parseDuration(reading.text(...whole) ?? '400d')
  const part = parseDuration(reading.text(...content) ?? '400d')
  if (part > all && reading.text(...content) !== undefined) {
    tell(reading, content, 'is longer than record.retention, at whose end the content goes as well')
  }
  if (reading.at('record', 'allow_short_retention') === true) return
  const year = parseDuration('365d')
  for (const path of [whole, content]) {
    if (!(parseDuration(reading.text(...path) ?? '400d') < year)) continue
    const why = 'is under 365d, and PCI DSS v4.0.1 req. 10.5.1 asks for twelve months'
    tell(reading, path, `${why}; if it does not bind you, set record.allow_short_retention: true`)
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
      tell(reading, path, 'is more than limits.in_flight_bytes_max; no such message would ever fit')
    }
  }
}
