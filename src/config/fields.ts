/** The single values of `sallyport.yaml`: each with its form, its bounds and what to do otherwise. */
import { z } from 'zod'
import { patternCharsMax, patternMistake } from '../cards/also/re2.ts'
import { ruleFlaw } from '../cel/call-facts.ts'
import { conditionFlaw } from '../cel/condition.ts'
import type { Flaw } from '../cel/language.ts'
import type { Algorithm, HostPort, SecretRef } from './types.ts'
import {
  durationForm,
  hostOf,
  hostPortForm,
  isAddressRange,
  isLoopbackHost,
  parseDuration,
  parseHostPort,
  parseSecretRef,
  parseSize,
  secretForm,
  sizeForm,
} from './units.ts'

export type Schema<T> = z.ZodType<T, unknown>
type Field<T> = Schema<T>

/** Every kind of value the file knows. */
export interface Fields {
  readonly text: Field<string>
  readonly name: Field<string>
  readonly path: Field<string>
  /** `pci`, `none`, or a path: `./rules.yaml`. */
  readonly profile: Field<string>
  readonly pattern: Field<string>
  readonly re2: Field<string>
  /** CEL that is true or false of a principal. */
  readonly condition: Field<string>
  /** CEL that is true or false of a call. */
  readonly rule: Field<string>
  readonly contextWord: Field<string>
  readonly claim: Field<string>
  readonly username: Field<string>
  readonly secret: Field<SecretRef>
  readonly algorithm: Field<Algorithm>
  readonly oneOrMore: Field<readonly string[]>
  readonly publicUrl: Field<string>
  readonly issuerUrl: Field<string>
  readonly upstreamUrl: Field<string>
  readonly origin: Field<string>
  readonly hostHeader: Field<string>
  readonly addressRange: Field<string>
  readonly host: Field<string>
  readonly email: Field<string>
  readonly timezone: Field<string>
  /** Where something is sent; an address that is a secret is referred to. */
  readonly addressOrSecret: Field<SecretRef | string>
  /** How many people: 1 to 10. */
  readonly few: Field<number>
  readonly allowedHeader: Field<string>
  readonly credentialHeader: Field<string>
  hostPort(usual: string): Field<HostPort>
  duration(usual: string, min: string, max: string): Field<number>
  durationOf(min: string, max: string): Field<number>
  size(usual: string, min: string, max: string): Field<number>
  sizeOf(min: string, max: string): Field<number>
  /** A text of so many characters at most. */
  words(max: number): Field<string>
  count(usual: number, min: number, max: number): Field<number>
}

// Header names: RFC 9110 §5.1.
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Never let through by an allow-list: credentials, framing, and what the gateway itself sets. */
const keptHeaders =
  /^(authorization|cookie|set-cookie2?|host|connection|keep-alive|te|trailer|upgrade|forwarded|transfer-encoding|content-(length|encoding)|accept-encoding|mcp-session-id|www-authenticate|expect|x-forwarded-.*|proxy-.*)$/i
/** What a credential may not be called: these frame or steer the message. */
const framingHeaders =
  /^(host|connection|keep-alive|te|trailer|upgrade|transfer-encoding|content-.*|accept(-.*)?|mcp-.*|expect|last-event-id|cookie)$/i

const text = z
  .string()
  .min(1)
  .max(1024)
  // oxlint-disable-next-line no-control-regex -- these are what is refused
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'holds control characters; take them out')

const secretHelp =
  'must be a reference, ${env:NAME}, ${file:path}, ${keyvault:vault/name} or ${vault:mount/path#key}. A secret itself never stands in this file'

/**
 * The values of one file.
 * @param absolute makes a path of the file absolute.
 */
export function field(absolute: (path: string) => string): Fields {
  return {
    text,
    name: z
      .string()
      .regex(
        /^[a-z][a-z0-9-]{0,62}$/,
        'must begin with a letter and hold only a-z, 0-9 and "-", 63 characters at most',
      ),
    path: text.transform(absolute),
    profile: text.refine((name) => /^(pci|none)$|\.ya?ml$/.test(name), { error: profileHelp }),
    pattern: text,
    re2: z.string().min(1).max(patternCharsMax).check(re2Mistake),
    condition: z.string().min(1).max(4096).check(mistakeOf(conditionFlaw)),
    rule: z.string().min(1).max(4096).check(mistakeOf(ruleFlaw)),
    contextWord: text
      .max(64)
      .regex(/[\p{L}\p{N}]/u, 'must hold a letter or a digit: it is looked for as a word'),
    claim: text,
    username: text.regex(/^[^:]*$/, 'must not hold a colon (RFC 7617 §2)'),
    secret: secret(absolute),
    addressOrSecret: text
      .refine((value) => secretForm.test(value) || (isPlainUrl(value) && isPrivate(value)), {
        error: addressHelp,
      })
      .transform((value) => parseSecretRef(value, absolute) ?? value),
    algorithm: z.enum([
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
    ]),
    oneOrMore: z
      .union([text, z.array(text).min(1)], { error: 'must be a text or a list of texts' })
      .transform((value) => (typeof value === 'string' ? [value] : value)),
    publicUrl: text.refine(isOrigin, { error: originHelp }).refine(isPrivate, { error: httpsHelp }),
    issuerUrl: text
      .refine(isPlainUrl, { error: plainHelp })
      .refine(isPrivate, { error: httpsHelp }),
    upstreamUrl: text.refine(isPlainUrl, { error: plainHelp }).refine((url) => !isLinkLocal(url), {
      error: 'is a link-local or metadata address, which no connection may reach',
    }),
    origin: text.refine((value) => isOrigin(value.replace(/:\*$/, '')), { error: originHelp }),
    hostHeader: text.regex(
      /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/,
      'must be a host with or without a port, such as mcp.example.com:8443',
    ),
    addressRange: text.refine(isAddressRange, {
      error: 'must be an IP address or a range such as 10.0.0.0/8',
    }),
    allowedHeader: headerName(keptHeaders, 'is a header the gateway keeps to itself; take it out'),
    credentialHeader: headerName(
      framingHeaders,
      'cannot carry a credential; choose another header',
    ),
    host: text.regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)$/, 'must be a host name or address'),
    email: text.regex(/^[^\s@<>,;]+@[^\s@<>,;]+$/, 'must be an e-mail address alone'),
    timezone: text.refine(isTimeZone, { error: 'is no time zone, such as Europe/Berlin or UTC' }),
    few: z.int().min(1).max(10),
    words: (max) =>
      text.refine((value) => value.length <= max, { error: `is over ${max} characters` }),
    ...numbers,
  }
}

function secret(absolute: (path: string) => string): Field<SecretRef> {
  return z
    .string()
    .regex(secretForm, secretHelp)
    .transform((ref, context) => {
      const parsed = parseSecretRef(ref, absolute)
      if (parsed) return parsed
      context.issues.push({ code: 'custom', message: secretHelp, input: undefined })
      return z.NEVER
    })
}

const numbers: Pick<Fields, 'hostPort' | 'duration' | 'durationOf' | 'size' | 'sizeOf' | 'count'> =
  {
    hostPort: (usual) =>
      z
        .string()
        .regex(hostPortForm, 'must be host:port, such as 127.0.0.1:4100 or [::1]:4100')
        .prefault(usual)
        .transform((value, context) => {
          const parsed = parseHostPort(value)
          if (parsed) return parsed
          context.issues.push({
            code: 'custom',
            message: 'has no usable address or a port above 65535',
            input: undefined,
          })
          return z.NEVER
        }),
    duration: (usual, min, max) => duration(min, max).prefault(usual).transform(parseDuration),
    durationOf: (min, max) => duration(min, max).transform(parseDuration),
    size: (usual, min, max) => size(min, max).prefault(usual).transform(toBytes),
    sizeOf: (min, max) => size(min, max).transform(toBytes),
    count: (usual, min, max) => z.int().min(min).max(max).prefault(usual),
  }

const durationHelp = 'must be a time with its unit, such as 500ms, 30s, 15m, 2h or 7d'

function duration(min: string, max: string): z.ZodType<string, string> {
  return z
    .string({ error: durationHelp })
    .regex(durationForm, durationHelp)
    .refine((value) => within(parseDuration(value), parseDuration(min), parseDuration(max)), {
      error: `must lie between ${min} and ${max}`,
    })
}

function size(min: string, max: string): z.ZodType<string | number, string | number> {
  return z
    .union([z.int(), z.string().regex(sizeForm, sizeHelp)], { error: sizeHelp })
    .refine((value) => within(toBytes(value), parseSize(min), parseSize(max)), {
      error: `must lie between ${min} and ${max}`,
    })
}

function toBytes(value: string | number): number {
  return typeof value === 'number' ? value : parseSize(value)
}

/** NaN, from a value of wrong form, passes: that mistake is told already. */
function within(value: number, min: number, max: number): boolean {
  return !(value < min || value > max)
}

/** RE2 syntax is not that of JavaScript: only its own reader knows. */
function re2Mistake(context: z.core.ParsePayload<string>): void {
  const message = patternMistake(context.value)
  if (message !== undefined) context.issues.push({ code: 'custom', message, input: undefined })
}

/** Compiled and type-checked here, so that a mistake is told with its line. `mistakes.ts` reads `at`. */
function mistakeOf(
  flawIn: (text: string) => Flaw | undefined,
): (context: z.core.ParsePayload<string>) => void {
  return (context) => {
    const flaw = flawIn(context.value)
    if (flaw === undefined) return
    const { at, words: message } = flaw
    context.issues.push({ code: 'custom', message, input: undefined, params: { at } })
  }
}

function headerName(refused: RegExp, why: string): Field<string> {
  return text
    .regex(token, 'is no header name (RFC 9110 §5.1)')
    .refine((name) => !refused.test(name), { error: why })
    .transform((name) => name.toLowerCase())
}

const profileHelp =
  'must be pci, none, or the path of a .yaml file of rules, such as ./payments.yaml'
const sizeHelp = 'must be a number of bytes or a size such as 64KiB, 16MiB or 1GiB'
const originHelp = 'must be an origin: scheme, host and port alone, such as https://mcp.example.com'
const plainHelp = 'must be a complete http or https address without user name, password or fragment'
const httpsHelp = 'must begin with https: tokens would travel in clear. Plain http is for loopback'

function isOrigin(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === value
}

function isPlainUrl(value: string): boolean {
  const url = URL.parse(value)
  if (url === null || !/^https?:\/\//.test(value)) return false
  return url.username === '' && url.password === '' && !value.includes('#')
}

const addressHelp =
  'must be an https address (http is for loopback) or a reference to one, such as ${env:NAME}'

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== ''
  } catch {
    return false // Intl knows no such zone.
  }
}

function isPrivate(value: string): boolean {
  const url = URL.parse(value)
  return url === null || url.protocol !== 'http:' || isLoopbackHost(hostOf(url))
}

/** Cloud metadata services hand credentials to whoever asks from this machine. */
function isLinkLocal(value: string): boolean {
  const url = URL.parse(value)
  if (url === null) return false
  const host = hostOf(url)
  return /^(169\.254\.|fe[89ab][0-9a-f]:|fd00:ec2::254$|metadata\.google\.internal$)/i.test(host)
}
