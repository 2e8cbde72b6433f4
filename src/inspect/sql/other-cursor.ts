/**
 * A place in the tokens of a text, with what one reading of it must not exceed and what it noticed on
 * its way. Everything that reads grammar moves this one cursor.
 */
import type { Expr, TableName } from './statement.ts'
import { clauses, reserved } from './other-words.ts'
import { type Other, type Token, type Tokens, Unread } from './other-tokens.ts'

const nestingMax = 150
/** Trying a second reading may double the work at each level, so the whole is bounded. */
const stepsPerToken = 60
const stepsLeast = 20_000

/** Effects of the statement under the cursor, set by whatever part has them. They are only ever added:
 *  a reading that was given up leaves its notes, which errs to the safe side. */
export interface Notes {
  locks: boolean
  files: boolean
  exports: boolean
  writes: boolean
  session: boolean
  dynamic: boolean
  opaque: boolean
  /** Tables and expressions that have no place in the tree. */
  readonly reads: TableName[]
  readonly expressions: Expr[]
}

export function freshNotes(): Notes {
  const flags = { locks: false, files: false, exports: false, writes: false }
  return { ...flags, session: false, dynamic: false, opaque: false, reads: [], expressions: [] }
}

const end: Token = { kind: 'end', text: '', name: '' }

export class Cursor {
  readonly dialect: Other
  readonly mysql: boolean
  /** Whether a condition is read: there `||` of MySQL is an OR. */
  condition = false
  notes: Notes = freshNotes()
  /** Names of CTEs in sight, with the tables each stands on. */
  readonly ctes: Map<string, readonly TableName[]> = new Map()
  readonly #tokens: readonly Token[]
  readonly #stepsMax: number
  #at = 0
  #depth = 0
  #steps = 0

  constructor(tokens: Tokens, dialect: Other) {
    this.#tokens = tokens.tokens
    this.dialect = dialect
    this.mysql = dialect === 'mysql' || dialect === 'mariadb'
    this.#stepsMax = stepsLeast + stepsPerToken * tokens.tokens.length
  }

  get at(): number {
    return this.#at
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? end
  }

  next(): Token {
    const token = this.peek()
    this.#at += 1
    this.#steps += 1
    if (this.#steps > this.#stepsMax) throw new Unread('too_slow')
    return token
  }

  atEnd(): boolean {
    return this.peek().kind === 'end'
  }

  /** The words stand here, one after the other. */
  is(...words: readonly string[]): boolean {
    return words.every((word, i) => this.peek(i).kind === 'word' && this.peek(i).text === word)
  }

  isAny(words: ReadonlySet<string>, ahead = 0): boolean {
    return this.peek(ahead).kind === 'word' && words.has(this.peek(ahead).text)
  }

  eat(...words: readonly string[]): boolean {
    const found = this.is(...words)
    if (found) for (const _ of words) this.next()
    return found
  }

  expect(...words: readonly string[]): void {
    if (!this.eat(...words)) throw new Unread('syntax')
  }

  isSign(sign: string, ahead = 0): boolean {
    return this.peek(ahead).kind === 'sign' && this.peek(ahead).text === sign
  }

  eatSign(sign: string): boolean {
    const found = this.isSign(sign)
    if (found) this.next()
    return found
  }

  expectSign(sign: string): void {
    if (!this.eatSign(sign)) throw new Unread('syntax')
  }

  /** A name may stand here: a quoted one, or a bare word that opens no clause and no statement. */
  isName(ahead = 0): boolean {
    const token = this.peek(ahead)
    if (token.kind === 'name' || (token.kind === 'double' && this.mysql)) return true
    return token.kind === 'word' && !reserved(token.text, this.dialect)
  }

  /** A value begins here, if no sign does. */
  isOperand(ahead = 0): boolean {
    const { kind } = this.peek(ahead)
    return kind === 'number' || kind === 'text' || kind === 'parameter' || this.isName(ahead)
  }

  name(): string {
    if (!this.isName()) throw new Unread('syntax')
    return this.next().name
  }

  /** A name that needs no AS before it: no word that goes on with the query either. */
  isAlias(): boolean {
    return this.isName() && !(this.peek().kind === 'word' && clauses.has(this.peek().text))
  }

  /** Comma separated; at least one. */
  list<T>(read: () => T): T[] {
    const items = [read()]
    while (this.eatSign(',')) items.push(read())
    return items
  }

  inParens<T>(read: () => T): T {
    this.expectSign('(')
    const value = read()
    this.expectSign(')')
    return value
  }

  /** @throws {Unread} `too_deep` past the bound: what reads trees calls itself for each level. */
  deeper<T>(read: () => T): T {
    this.#depth += 1
    if (this.#depth > nestingMax) throw new Unread('too_deep')
    const value = read()
    this.#depth -= 1
    return value
  }

  /** Reads, or goes back to where it stood and gives undefined where the grammar was another. */
  attempt<T>(read: () => T): T | undefined {
    const [at, depth, condition] = [this.#at, this.#depth, this.condition]
    try {
      return read()
    } catch (error) {
      if (!(error instanceof Unread) || error.problem !== 'syntax') throw error
      this.#at = at
      this.#depth = depth
      this.condition = condition
      return undefined
    }
  }
}
