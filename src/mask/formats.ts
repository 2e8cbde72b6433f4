/**
 * The values of `format` that clients check (JSON Schema 2020-12 validation §7.3, OpenAPI formats)
 * and that masking can break. Each check is lax where clients differ: it is asked whether a form
 * will do that was chosen by us, not whether a server wrote well.
 */
import { isIPv4, isIPv6 } from 'node:net'

const day = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/
const hour = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(z|[+-]\d\d(:?\d\d)?)?$/i
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i
const mailbox = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+$/i
const uuid = /^(urn:uuid:)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const scheme = /^[a-z][a-z0-9+.-]*:/i
const uriFree = /[\s<>"{}|\\^`[\]]/
const base64 = /^[a-z0-9+/]*={0,2}$/i
const duration = /^P[0-9WYMDTHS.]+$/

function isMoment(text: string): boolean {
  const [date = '', time = ''] = text.split(/[t ]/i, 2)
  return day.test(date) && hour.test(time)
}

function isHost(text: string): boolean {
  return text.length <= 253 && text.split('.').every((part) => label.test(part))
}

function isMail(text: string): boolean {
  const at = text.lastIndexOf('@')
  return at > 0 && mailbox.test(text.slice(0, at)) && isHost(text.slice(at + 1))
}

/** A URI may be in IPv6 brackets at its host, and nowhere else. */
const isReference = (text: string): boolean =>
  !uriFree.test(text.replace(/^([a-z][a-z0-9+.-]*:)?\/\/([^/?#]*@)?\[[0-9a-f:.]*\]/i, '$1//h'))

const isUri = (text: string): boolean => scheme.test(text) && isReference(text)

const checks: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['date', (text: string) => day.test(text)],
  ['time', (text: string) => hour.test(text)],
  ['iso-time', (text: string) => hour.test(text)],
  ['date-time', isMoment],
  ['iso-date-time', isMoment],
  ['duration', (text: string) => duration.test(text)],
  ['email', isMail],
  ['hostname', isHost],
  ['ipv4', isIPv4],
  ['ipv6', isIPv6],
  ['uri', isUri],
  ['url', isUri],
  ['uri-reference', isReference],
  ['uuid', (text: string) => uuid.test(text)],
  ['byte', (text: string) => base64.test(text)],
])

/** The check of a format; undefined for one that says nothing to clients, or nothing of ours. */
export function formatCheck(name: string): ((text: string) => boolean) | undefined {
  return checks.get(name)
}
