/** A file as plain values with its mistakes: what checks between places work on. */
import { mistakeAt, nearest } from './mistakes.ts'
import type { Mistake, Path, Source } from './mistakes.ts'

export interface Reading {
  readonly mistakes: Mistake[]
  at(...path: Path): unknown
  text(...path: Path): string | undefined
  list(...path: Path): readonly unknown[]
  tell(path: Path, message: string): void
}

/** @param plain the file as plain values. */
export function openReading(source: Source, plain: unknown): Reading {
  const mistakes: Mistake[] = []
  const at = (...path: Path): unknown => path.reduce(child, plain)
  return {
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
    tell: (path, message) => void mistakes.push(mistakeAt(source, path, message)),
  }
}

export function child(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  const own: unknown = Reflect.get(value, key)
  return own
}

/** Tells each value that stood earlier in the list, at its second place. */
export function checkTwins(reading: Reading, list: Path, key: string, what: string): void {
  const seen = new Set<string>()
  for (const [index] of reading.list(...list).entries()) {
    const value = reading.text(...list, index, key)
    if (value === undefined) continue
    if (seen.has(value)) reading.tell([...list, index, key], `is taken: ${what}`)
    seen.add(value)
  }
}

/** The `name` of each item of a list. */
export function namesIn(reading: Reading, ...list: Path): string[] {
  return reading.list(...list).flatMap((_, i) => reading.text(...list, i, 'name') ?? [])
}

export function unknownName(wanted: string, what: string, names: readonly string[]): string {
  const near = nearest(wanted, names)
  const help =
    near === undefined ? `known: ${names.join(', ') || 'none'}` : `did you mean "${near}"?`
  return `names no ${what} of this file; ${help}`
}

/** Literal text in which `*` stands for any run of characters. */
export function matches(pattern: string, name: string): boolean {
  const source = pattern.split('*').map((part) => RegExp.escape(part))
  return new RegExp(`^${source.join('.*')}$`, 's').test(name)
}

/** A line about people. @param issuers names of the file, the service accounts' own included. */
export function checkWho(reading: Reading, path: Path, issuers: readonly string[]): void {
  const who = reading.at(...path)
  if (typeof who !== 'object' || who === null) return
  if (Object.keys(who).length === 0) {
    const help = 'names nobody; for everyone an issuer vouches for, write { issuer: NAME }'
    return reading.tell(path, help)
  }
  const issuer = reading.text(...path, 'issuer')
  if (issuer !== undefined && !issuers.includes(issuer)) {
    reading.tell([...path, 'issuer'], unknownName(issuer, 'issuer', issuers))
  }
  const several = issuers.length > 2 // The service accounts' own is always there.
  if (issuer === undefined && several && reading.at(...path, 'subject') !== undefined) {
    // Two issuers may give one subject to two people.
    reading.tell([...path, 'subject'], 'needs an issuer beside it, since there are several issuers')
  }
}
