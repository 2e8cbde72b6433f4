/** Addresses that a server should not be sent to, in whatever clothes. */
import { hostKind, isSingle } from './addresses.ts'
import type { Piece, Sighting } from './piece.ts'
import { surer, wordsOf } from './prose.ts'

const urlsMax = 64
const schemes =
  'https?|ftps?|sftp|tftp|gopher|dict|file|ldaps?|jar|phar|netdoc|wss?|smb|redis|ssh|telnet|imap|smtp|rtsp|mongodb|postgres(?:ql)?|mysql|git|view-source|gophers|ogg|expect|php|zip|glob|data|vbscript|javascript|local_file|dns|rmi|iiop|corba|nis|url'
/** Slashes may be missing, too many or turned round: readers forgive it. */
const url = new RegExp(
  `(?:^|[^a-z\\d+.-])((?:url:\\s?)?(${schemes}):(?:[/\\\\]{1,6}|(?=[\\w[]))([^\\s"'<>\`{}|]{1,2048}))`,
  'gi',
)
const relative = /^\s{0,4}(?:[/\\]{2,4})([^\s"'<>`{}|/\\][^\s"'<>`{}|]{0,2048})/
const hint = /:|[/\\]{2}|localhost|\d\.\d|0x|\bmetadata\b|^\s*\[|^\d{8,11}$|internal/i

const foreign =
  /^(?:gophers?|dict|tftp|ldaps?|jar|phar|netdoc|expect|php|zip|glob|local_file|rmi|iiop|corba|nis|ogg|view-source)$/i
/** Ports of services which nobody browses. */
const innerPorts = new Set([
  '22',
  '23',
  '25',
  '111',
  '135',
  '139',
  '445',
  '873',
  '1433',
  '1521',
  '2049',
  '2181',
  '2375',
  '2376',
  '2379',
  '2380',
  '3306',
  '3389',
  '4444',
  '5000',
  '5432',
  '5601',
  '5672',
  '5900',
  '5984',
  '6379',
  '6443',
  '7001',
  '8001',
  '8500',
  '8200',
  '9000',
  '9090',
  '9092',
  '9200',
  '9300',
  '10250',
  '10255',
  '11211',
  '15672',
  '27017',
  '50070',
])
const innerPaths =
  /^\/(?:admin|actuator|internal|server-status|metrics|manager|console|_cat|_cluster|_search|v1\/agent|v1\/kv|latest\/meta-data|computeMetadata|metadata|debug|jolokia|api\/v1\/(?:namespaces|secrets|pods)|containers\/json|env\b|secrets?|shutdown|solr|jenkins|script)/i
const ports = /^:\d{1,5}(?:\/|$)/

/** @returns the surest sign that `text` names a place inside. */
export function ssrf(text: string, role: Piece['role']): Sighting | undefined {
  if (!hint.test(text)) return undefined
  let seen: Sighting | undefined
  let count = 0
  url.lastIndex = 0
  for (let found = url.exec(text); found !== null && count++ < urlsMax; found = url.exec(text)) {
    const [, whole = '', scheme = '', rest = ''] = found
    seen = surer(seen, amid(text, oneUrl(scheme.toLowerCase(), rest, whole, role)))
    if (seen?.confidence === 'certain') break
    url.lastIndex = found.index + Math.min(found[0].length, 12)
  }
  url.lastIndex = 0
  return surer(seen, bareHost(text, role))
}

/** In a sentence an address of one's own machine is spoken of as often as called. */
function amid(text: string, seen: Sighting | undefined): Sighting | undefined {
  if (seen?.confidence !== 'high' || !/^(?:loopback|private)_/.test(seen.what)) return seen
  return text.length < 4096 && wordsOf(text) >= 4 ? { ...seen, confidence: 'medium' } : seen
}

function oneUrl(
  scheme: string,
  rest: string,
  whole: string,
  role: Piece['role'],
): Sighting | undefined {
  if (scheme === 'data' || scheme === 'javascript' || scheme === 'vbscript' || scheme === 'url')
    return undefined
  if (!/^https?$/.test(scheme) && !/:[/\\]/.test(whole)) return undefined
  if (scheme === 'file') return local(whole, role)
  if (foreign.test(scheme)) {
    const isWritten =
      /^(?:view-source|zip|php|glob|ogg|nis|jar)$/.test(scheme) && !/:[/\\]{1,3}|!/.test(whole)
    return isWritten ? undefined : { what: 'scheme', confidence: 'high' }
  }
  const { host, kind, port, path, isDisguised } = placeOf(rest)
  if (kind !== undefined) return judged(kind, isDisguised, role)
  if (isSingle(host) && host !== '') {
    const isService = role === 'url' || innerPorts.has(port) || innerPaths.test(path)
    const isPlace = role === 'url' || role === 'value'
    if (isService && isPlace && /^https?$/.test(scheme))
      return { what: 'private_name', confidence: 'high' }
    return /^https?$/.test(scheme) && isPlace && port !== ''
      ? { what: 'private_name', confidence: 'medium' }
      : undefined
  }
  return undefined
}

interface Place {
  readonly host: string
  readonly kind: string | undefined
  readonly port: string
  readonly path: string
  /** Written so that it does not look like what it is. */
  readonly isDisguised: boolean
}

/** Reads host and port as the most forgiving of readers would. */
function placeOf(rest: string): Place {
  const clean = rest.replaceAll(/[\t\r\n]/g, '').replaceAll('\\', '/')
  const authority = /^[^/?#]{0,512}/.exec(clean)?.[0] ?? ''
  const path = clean.slice(authority.length)
  const at = authority.lastIndexOf('@')
  const readings = [authority.slice(at + 1)]
  // `http://good#@inner/`, `http://inner#@good/`, `http://good:80@inner`, `http://inner:80#@good`.
  const user = at > 0 ? authority.slice(0, at) : ''
  if (user !== '' && /[.:]/.test(user)) readings.push(user)
  const later = /^[#?][^/]{0,200}@([^/?#]{1,200})/.exec(path)
  if (later?.[1] !== undefined) readings.push(later[1])
  const second = /^([^\s,;&%]{1,200})[\s,;&]/.exec(authority)
  if (second?.[1] !== undefined) readings.push(second[1])
  const places = readings.map((reading) => ({ reading, ...hostOf(reading) }))
  const inner = places.find(({ kind }) => kind !== undefined) ?? places[0]
  if (inner === undefined) return { host: '', kind: undefined, port: '', path, isDisguised: false }
  const isPlain = inner.reading.toLowerCase().replace(/:\d{1,5}$/, '') === inner.host
  return {
    host: inner.host,
    kind: inner.kind,
    port: inner.port,
    path,
    isDisguised: !isPlain || inner !== places[0] || at > 0,
  }
}

/** The host as `URL` reads it: every spelling of an IPv4 address comes out in four parts. */
function hostOf(authority: string): { host: string; kind: string | undefined; port: string } {
  const port = /:(\d{1,5})\D{0,2}$/.exec(authority.replace(/^\[[^\]]*\]/, ''))?.[1] ?? ''
  const spelled = authority.replace(/:[^:\]]{0,8}$/, '')
  for (const one of [spelled, undot(spelled), octal(spelled)]) {
    if (one === '') continue
    try {
      const { hostname } = new URL(`http://${one}/`)
      const kind = hostKind(hostname)
      if (kind !== undefined || one === octal(spelled)) return { host: hostname, kind, port }
    } catch {
      // What `URL` refuses may still be a name for somebody else.
      const kind = hostKind(one)
      if (kind !== undefined) return { host: one, kind, port }
    }
  }
  return { host: spelled.toLowerCase(), kind: hostKind(spelled), port }
}

const undot = (host: string): string => host.replaceAll(/[\u3002\uff0e\uff61]/g, '.')
/** Parts of an IPv4 address that are too long for `URL`: `0000127.0.0.1`, `0x000007f.1`, `425.510.425.510`. */
const octal = (host: string): string =>
  /^[\da-fx.]{7,80}$/i.test(host)
    ? host
        .split('.')
        .map((part) => wrapped(part))
        .join('.')
    : host

function wrapped(part: string): string {
  const value = /^0x/i.test(part)
    ? parseInt(part, 16)
    : /^0[0-7]+$/.test(part)
      ? parseInt(part, 8)
      : Number(part)
  return Number.isFinite(value) && value > 255 && value < 1024 ? String(value % 256) : part
}

function judged(kind: string, isDisguised: boolean, role: Piece['role']): Sighting {
  const isText = role === 'prose' || role === 'code'
  if (kind === 'metadata_address') return { what: kind, confidence: isText ? 'high' : 'certain' }
  if (kind === 'callback_name') return { what: kind, confidence: 'medium' }
  const isPlace = !isText && role !== 'command'
  return { what: kind, confidence: isDisguised || isPlace ? 'high' : 'medium' }
}

/** `file:///etc/passwd`; editors name their files so as well: `file:///home/ada/project/a.ts`. */
function local(whole: string, role: Piece['role']): Sighting | undefined {
  const isProject =
    /\.(?:[cm]?[jt]sx?|py|go|rs|java|md|html?|css|pdf|docx?|png|jpe?g|txt|csv)$/i.test(whole) &&
    !/\.\.|\/(?:etc|proc|windows|root)\//i.test(whole)
  if (role === 'prose' || role === 'code') return { what: 'scheme', confidence: 'medium' }
  return { what: 'scheme', confidence: isProject ? 'medium' : 'high' }
}

/** A host without a scheme where an address is asked for: `169.254.169.254/latest/`, `//localhost/`. */
function bareHost(text: string, role: Piece['role']): Sighting | undefined {
  const trimmed = text.trim()
  if (trimmed.length > 512 || /\s/.test(trimmed)) {
    const isNamed =
      /(?:^|[^\d.])169\.254\.169\.254(?:$|[^\d.])|\bmetadata\.google\.internal\b|\/latest\/meta-data|\/computeMetadata\/v1/.test(
        text.slice(0, 65_536),
      )
    return isNamed
      ? { what: 'metadata_address', confidence: wordsOf(text) >= 5 ? 'medium' : 'high' }
      : undefined
  }
  const slashed = relative.exec(text)
  const isAddress =
    /^(?:[\d.]{7,15}|0x[\da-f.x]{8,40}|0\d[\d.]{8,40}|\d{9,10}|\[[\da-f:.%\w]{2,60}\]|localhost|metadata\.google\.internal|[\w.-]{1,80}\.(?:nip\.io|sslip\.io|localtest\.me|internal))(?=[:/?#]|$)/i.exec(
      trimmed,
    )?.[0]
  if (slashed === null && isAddress === undefined) return undefined
  const { kind, host, path, isDisguised } = placeOf(slashed?.[1] ?? trimmed)
  if (kind === undefined) return undefined
  const isNumber = /^\d+$/.test(isAddress ?? '')
  if (slashed === null && isNumber && role !== 'url') return undefined
  if (kind === 'metadata_address') return { what: kind, confidence: 'high' }
  const isPlace = role === 'url' || slashed !== null
  const isAsked = ports.test(trimmed.slice(host.length)) || path.length > 1
  if (isPlace) return judged(kind, isDisguised, role)
  return { what: kind, confidence: isAsked && role === 'value' ? 'high' : 'low' }
}
