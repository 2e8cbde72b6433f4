/** What changed between two `access` lists, in words for the record (PCI DSS v4.0.1 req. 10.2.1.5). */
import { isDeepStrictEqual } from 'node:util'
import type { GrantConfig } from '../config/types.ts'
import { grantName } from './grants.ts'
import { windowWords } from './windows.ts'
import { whoWords } from './who.ts'

/** Each text is one word of an entry: 250 UTF-16 units at most; what is longer goes on in the next. */
export interface AccessChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

/** A grant without the name it has by its place, which changes when another comes ahead of it. */
interface Placed {
  readonly grant: GrantConfig
  readonly name: string
}

/**
 * Describes a change. Grants with a name are the same grant by that name; of the others those that
 * are equal are, wherever they stand, and then those for the same people on the same connection.
 * Only a change of order is none: grants add up.
 */
export function describeChange(
  before: readonly GrantConfig[],
  after: readonly GrantConfig[],
): AccessChange {
  const left = before.map(placed)
  const changed: string[] = []
  const added: string[] = []
  const pairings = [sameName, isEqual, sameAbout]
  let rest = after.map(placed)
  for (const isPair of pairings) {
    rest = rest.filter((now) => {
      const index = left.findIndex((was) => isPair(was, now))
      const [was] = index < 0 ? [] : left.splice(index, 1)
      if (was && !isEqual(was, now))
        changed.push(...wordPieces(now.name, differences(was.grant, now.grant)))
      return was === undefined
    })
  }
  for (const { grant, name } of rest) added.push(...wordPieces(name, grantWords(grant)))
  const removed = left.flatMap(({ grant, name }) => wordPieces(name, grantWords(grant)))
  return { added, removed, changed }
}

function placed(grant: GrantConfig, index: number): Placed {
  return { grant, name: grantName(grant, index) }
}

function sameName({ grant: was }: Placed, { grant: now }: Placed): boolean {
  return was.name !== undefined && was.name === now.name
}

function isEqual({ grant: was }: Placed, { grant: now }: Placed): boolean {
  return isSame(was, now)
}

/** Two named grants are never the same by accident; a name that is given or taken away is a change. */
function sameAbout({ grant: was }: Placed, { grant: now }: Placed): boolean {
  if (was.name !== undefined && now.name !== undefined) return false
  return isSame(was.who, now.who) && was.may.connection === now.may.connection
}

/** As JSON has them, whatever the order of their members and whoever made the objects. */
function isSame(one: object, other: object): boolean {
  const plain = (value: object): unknown => JSON.parse(JSON.stringify(value))
  return isDeepStrictEqual(plain(one), plain(other))
}

/** Parts of a grant in words, in the order in which they are told. */
export function grantWords(grant: GrantConfig): string[] {
  return Object.entries(partsOf(grant)).flatMap(([part, words]) =>
    words.length === 0 ? [] : [`${part} ${words.join(', ')}`],
  )
}

function partsOf(grant: GrantConfig): Record<string, readonly string[]> {
  const { expiresMs, may, networks, reveal, who, windows } = grant
  const { connection, methods, prompts, resources, tools } = may
  const isAll = [tools, resources, prompts, methods].every((names) => names === undefined)
  return {
    who: [whoWords(who)],
    connection: [connection],
    ...(isAll ? { gives: ['everything'] } : {}),
    tools: tools ?? [],
    resources: resources ?? [],
    prompts: prompts ?? [],
    methods: methods ?? [],
    reveal: reveal === undefined ? [] : [reveal],
    windows: windows?.map(windowWords) ?? [],
    networks: networks ?? [],
    expires: expiresMs === undefined ? [] : [timeWords(expiresMs)],
    name: grant.name === undefined ? [] : [grant.name],
  }
}

/** `2026-12-31T00:00Z`; a number out of a clock's range as it is. */
export function timeWords(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? `${new Date(ms).toISOString().slice(0, 16)}Z` : String(ms)
}

/** `tools: +drop_table, -list`, `reveal: none -> pan`. */
function differences(was: GrantConfig, now: GrantConfig): string[] {
  const [before, after] = [partsOf(was), partsOf(now)]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((part) => {
    const [old, fresh] = [before[part] ?? [], after[part] ?? []]
    if (isSame([...new Set(old)].toSorted(), [...new Set(fresh)].toSorted())) return []
    if (part === 'gives')
      return [fresh.length > 0 ? 'gives everything now' : 'gives no longer everything']
    if (old.length <= 1 && fresh.length <= 1) {
      return [`${part}: ${old[0] ?? 'none'} -> ${fresh[0] ?? 'none'}`]
    }
    const more = fresh.filter((word) => !old.includes(word)).map((word) => `+${word}`)
    const less = old.filter((word) => !fresh.includes(word)).map((word) => `-${word}`)
    return [`${part}: ${[...more, ...less].join(', ')}`]
  })
}

const pieceMax = 250

/** The name and the words, cut so that no word of an entry loses its end. */
export function wordPieces(name: string, words: readonly string[]): string[] {
  const text = words.join('; ')
  const room = Math.max(pieceMax - name.length - 4, 100)
  const parts: string[] = []
  for (let from = 0; from < text.length;) {
    // Not between the halves of a character.
    const isHalf = /[\ud800-\udbff]/.test(text[from + room - 1] ?? '')
    const to = from + room - (isHalf ? 1 : 0)
    parts.push(`${name}: ${text.slice(from, to)}${to < text.length ? '…' : ''}`)
    from = to
  }
  return parts
}
