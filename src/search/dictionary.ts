/** Names that stand once in a month's index: what they are numbered, and which a pattern means. */
import { BlockList, isIP } from 'node:net'
import { assert } from '../base/assert.ts'
import { wordKinds } from './schema.ts'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Draft } from './fold.ts'
import type { Pattern } from './query.ts'
import type { WordKind } from './schema.ts'

/** Numbers known by heart; beyond, all are forgotten and read again. */
const knownMax = 20_000
/** SQLite's integers have 64 bits, ours in JavaScript 53. */
const typesMax = 50

export class Dictionary {
  readonly #db: DatabaseSync
  readonly #known = new Map<string, number>()
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** The number of a word, given to it now if it has none; null of none. */
  number(kind: WordKind, text: string | undefined): number | null {
    if (text === undefined) return null
    const key = `${kind} ${text}`
    return this.#known.get(key) ?? this.#learn(key, () => this.#addWord(kind, text))
  }

  /** The number of somebody. */
  whoNumber(who: Draft['principal']): number | null {
    if (!who) return null
    const { issuer, kind, name = '', subject } = who
    const key = JSON.stringify([issuer, subject, name, kind])
    return this.#known.get(key) ?? this.#learn(key, () => this.#addWho(who))
  }

  /** A number with the bits of these types set. */
  typeBits(types: Iterable<string>): number {
    let bits = 0
    for (const type of types) {
      const key = `type ${type}`
      // Bits are distinct, so adding them is setting them, beyond 32 of them too.
      bits += this.#known.get(key) ?? this.#learn(key, () => this.#addType(type))
    }
    return bits
  }

  /** Forgets what a transaction told that was rolled back. */
  forget(): void {
    this.#known.clear()
  }

  word(number: unknown): string | undefined {
    if (typeof number !== 'number') return undefined
    return textIn(this.#one('SELECT text FROM word WHERE id = ?', number))
  }

  who(number: unknown): Draft['principal'] {
    if (typeof number !== 'number') return undefined
    const row = this.#one('SELECT issuer, subject, name, kind FROM who WHERE id = ?', number)
    const { issuer, kind, name, subject } = row ?? {}
    if (typeof issuer !== 'string' || typeof subject !== 'string') return undefined
    const known = typeof name === 'string' && name !== '' ? name : undefined
    return { issuer, subject, name: known, kind: String(kind) }
  }

  types(bits: unknown): string[] {
    const rows = this.#prepared('SELECT text FROM type WHERE bit & ?').all(Number(bits))
    return rows.map((row) => textIn(row) ?? '').toSorted()
  }

  /** The numbers of all words of a kind that fit one of the patterns. */
  find(kind: WordKind, any: readonly Pattern[]): number[] {
    return any.flatMap((pattern) => {
      const range = kind === 'ip' ? rangeOf(pattern) : undefined
      if (range) return this.#addressesIn(range)
      const { sign, value } = sqlPattern(pattern)
      const sql = `SELECT id FROM word WHERE kind = ? AND folded ${sign} ?`
      return numbersIn(this.#prepared(sql).all(wordKinds.indexOf(kind), value))
    })
  }

  /** The numbers of all whose issuer, subject or name fits one of the patterns. */
  findWho(any: readonly Pattern[]): number[] {
    return any.flatMap((pattern) => {
      const { sign, value } = sqlPattern(pattern)
      const columns = ['issuer_folded', 'subject_folded', 'name_folded']
      const fits = columns.map((column) => `${column} ${sign} ?1`).join(' OR ')
      return numbersIn(this.#prepared(`SELECT id FROM who WHERE ${fits}`).all(value))
    })
  }

  /** The bits of all types that fit one of the patterns. */
  findTypes(any: readonly Pattern[]): number {
    let found = 0
    for (const { bit, text } of this.#prepared('SELECT bit, text FROM type').all()) {
      if (any.some((pattern) => fits(pattern, String(text)))) found += Number(bit)
    }
    return found
  }

  /** Words of a kind that begin with `start`, at most `limit`, in order. */
  beginning(kind: WordKind, start: string, limit: number): string[] {
    const sql = 'SELECT text FROM word WHERE kind = ? AND folded GLOB ? ORDER BY folded LIMIT ?'
    const glob = sqlPattern([start, '']).value
    const rows = this.#prepared(sql).all(wordKinds.indexOf(kind), glob, limit)
    return rows.map((row) => textIn(row) ?? '')
  }

  #addressesIn({ list, version }: Range): number[] {
    const sql = 'SELECT id, text FROM word WHERE kind = ?'
    const rows = this.#prepared(sql).all(wordKinds.indexOf('ip'))
    // `::/0` would take in the addresses of version 4 as well.
    const inside = rows.filter(({ text }) => {
      return isIP(String(text)) === version && list.check(String(text), familyOf(version))
    })
    return numbersIn(inside)
  }

  #addWord(kind: WordKind, text: string): number {
    const at = wordKinds.indexOf(kind)
    const found = this.#one('SELECT id FROM word WHERE kind = ? AND text = ?', at, text)?.['id']
    if (typeof found === 'number') return found
    const sql = 'INSERT INTO word(kind, text, folded) VALUES (?, ?, ?)'
    return Number(this.#prepared(sql).run(at, text, text.toLowerCase()).lastInsertRowid)
  }

  #addWho(who: NonNullable<Draft['principal']>): number {
    const { issuer, kind, name = '', subject } = who
    const is = 'subject = ? AND issuer = ? AND name = ? AND kind = ?'
    const found = this.#one(`SELECT id FROM who WHERE ${is}`, subject, issuer, name, kind)?.['id']
    if (typeof found === 'number') return found
    const folded = [issuer, subject, name].map((text) => text.toLowerCase())
    const sql = 'INSERT INTO who VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)'
    return Number(this.#prepared(sql).run(issuer, subject, name, kind, ...folded).lastInsertRowid)
  }

  #addType(text: string): number {
    const found = this.#one('SELECT bit FROM type WHERE text = ?', text)?.['bit']
    if (typeof found === 'number') return found
    const count = Number(this.#one('SELECT count(*) AS count FROM type')?.['count'])
    assert(count < typesMax, 'there are fewer types of entries than bits')
    this.#prepared('INSERT INTO type VALUES (?, ?)').run(2 ** count, text)
    return 2 ** count
  }

  #learn(key: string, add: () => number): number {
    if (this.#known.size >= knownMax) this.#known.clear()
    const number = add()
    this.#known.set(key, number)
    return number
  }

  #one(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined {
    return this.#prepared(sql).get(...values)
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** Whether a text fits a pattern, upper and lower case being the same. */
function fits(pattern: Pattern, text: string): boolean {
  const folded = text.toLowerCase()
  const pieces = pattern.map((piece) => piece.toLowerCase())
  const [first = '', ...others] = pieces
  const last = others.pop()
  if (last === undefined) return folded === first
  if (!folded.startsWith(first) || !folded.endsWith(last)) return false
  let at = first.length // Invariant: the pieces so far lie in folded[0, at).
  for (const piece of others) {
    const found = folded.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at + last.length <= folded.length
}

/** A pattern for a folded column. GLOB knows `*`, `?` and `[`; in brackets they are themselves. */
export function sqlPattern(pattern: Pattern): { sign: '=' | 'GLOB'; value: string } {
  const pieces = pattern.map((piece) => piece.toLowerCase())
  if (pieces.length === 1) return { sign: '=', value: pieces[0] ?? '' }
  return { sign: 'GLOB', value: pieces.map((piece) => piece.replace(/[*?[]/g, '[$&]')).join('*') }
}

/** Addresses of IP version 4 or 6. */
interface Range {
  readonly list: BlockList
  readonly version: number
}

/** The addresses that `10.0.0.0/8` means; undefined when the pattern is no such range. */
function rangeOf([text = '', more]: Pattern): Range | undefined {
  const [, address = '', prefix] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(text) ?? []
  const version = isIP(address)
  const bits = Number(prefix)
  if (more !== undefined || version === 0 || bits > (version === 6 ? 128 : 32)) return undefined
  const list = new BlockList()
  list.addSubnet(address, bits, familyOf(version))
  return { list, version }
}

function familyOf(version: number): 'ipv4' | 'ipv6' {
  return version === 6 ? 'ipv6' : 'ipv4'
}

function textIn(row: Record<string, unknown> | undefined): string | undefined {
  const text = row?.['text']
  return typeof text === 'string' ? text : undefined
}

function numbersIn(rows: readonly Record<string, unknown>[]): number[] {
  return rows.map(({ id }) => Number(id))
}
