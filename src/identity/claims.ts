/** Reading claims: by name or pointer, as words, and as a frozen copy for conditions of grants. */
import type { JWTPayload } from 'jose'

const wordsMax = 1000
const wordCharactersMax = 256
const membersMax = 100
const textCharactersMax = 1024
const depthMax = 6

/** Whether a text may name somebody: 1 to 256 well-formed characters, none of control. */
export function isWord(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= wordCharactersMax &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  )
}

/** The first of some claims that is a word. */
export function wordAt(claims: JWTPayload, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (isWord(value)) return value
  }
  return undefined
}

/** The client a token was given to: `azp` (OpenID Connect), `client_id` (RFC 9068), `appid`. */
export function clientOf(claims: JWTPayload): string | undefined {
  return wordAt(claims, 'azp', 'client_id', 'appid')
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether a value is a GUID as Entra writes its ids. */
export function isGuid(value: unknown): value is string {
  return typeof value === 'string' && guid.test(value)
}

/** The audiences of a token; none where the claim has another form (RFC 7519 §4.1.3). */
export function audiencesOf({ aud }: JWTPayload): readonly string[] {
  if (typeof aud === 'string') return [aud]
  return Array.isArray(aud) && aud.every((one) => typeof one === 'string') ? aud : []
}

/** Equal but for one slash at the end: address libraries put one behind a bare origin. */
export function isSameAudience(audience: string, wanted: string): boolean {
  if (audience === wanted) return true
  const [longer, shorter] =
    audience.length > wanted.length ? [audience, wanted] : [wanted, audience]
  return longer.length === shorter.length + 1 && longer.endsWith('/') && longer.startsWith(shorter)
}

/** A claim by its exact name, or by a JSON pointer (RFC 6901) when the name begins with a slash. */
export function claimAt(claims: JWTPayload, name: string): unknown {
  let value: unknown = claims
  for (const part of partsOf(name)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = Reflect.get(value, part)
  }
  return value
}

function partsOf(name: string): readonly string[] {
  if (!name.startsWith('/')) return [name]
  const parts = name.slice(1).split('/')
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Grants only ever give, so a list we cannot read in full gives nothing rather than a part. */
export function wordsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] =
    typeof value === 'string' ? [value] : Array.isArray(value) ? value : []
  return list.length <= wordsMax && list.every(isWord) ? Object.freeze([...new Set(list)]) : []
}

/**
 * A frozen copy of claims, for conditions: 100 members at most on a level, texts of 1,024 characters,
 * six levels; what is beyond is left out.
 * @param without names or pointers of claims that are kept elsewhere: groups, of which some may be
 *   lost while the token still names them.
 */
export function frozenClaims(
  claims: Readonly<Record<string, unknown>>,
  without: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const left = new Set(without.map((name) => partsOf(name).join('\0')))
  const copy = (value: unknown, path: string, depth: number): unknown => {
    if (typeof value === 'string') return value.length <= textCharactersMax ? value : undefined
    if (typeof value !== 'object' || value === null) return value
    if (depth >= depthMax) return undefined
    if (Array.isArray(value)) {
      const all: readonly unknown[] = value.length <= wordsMax ? value : []
      return Object.freeze(all.map((one) => copy(one, `${path}\0`, depth + 1)))
    }
    const members = Object.entries(value)
      .slice(0, membersMax)
      .flatMap(([name, each]) => {
        const at = depth === 0 ? name : `${path}\0${name}`
        // A member of this name would change what the copy inherits in a library that assigns it.
        const found = left.has(at) || name === '__proto__' ? undefined : copy(each, at, depth + 1)
        return found === undefined ? [] : [[name, found] as const]
      })
    return Object.freeze(Object.fromEntries(members))
  }
  const made = copy(claims, '', 0)
  return isRecord(made) ? made : {}
}

/** Whether a value is an object with members. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
