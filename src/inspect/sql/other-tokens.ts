/**
 * The words of an SQL text as its server cuts them. Everything else here rests on this: a string that
 * ends elsewhere than on the server hides a statement. So each dialect's own rules hold, and where a
 * server's settings could move a border, or a sign is unusual, the text is refused rather than guessed.
 *
 * Sources: MySQL 8.4 reference §11.1, MariaDB Knowledge Base "Comment Syntax", Transact-SQL "Database
 * identifiers" and "Slash star", SQLite "Tokenizer requirements", Oracle 19c SQL reference chapter 2.
 */
import type { Dialect } from '../facts.ts'
import type { Problem } from './statement.ts'

export type Other = Exclude<Dialect, 'postgresql'>

export interface Token {
  /** `word`: bare, a keyword or a name. `name`: a quoted one. `text`: a string. `double`: `"…"` in MySQL,
   *  a string or a name as `sql_mode` says. */
  readonly kind: 'word' | 'name' | 'text' | 'double' | 'number' | 'parameter' | 'sign' | 'end'
  /** A word in upper case, a sign as it stands, a string's or name's content. */
  readonly text: string
  /** The name as the database compares it: lower case. Empty for what is none. */
  readonly name: string
}

export interface Tokens {
  readonly tokens: readonly Token[]
  readonly comments: boolean
  /** A border that rests on a setting of the server: a backslash before a quote in MySQL. */
  readonly uncertain: boolean
}

/** Why a text is not read. It never leaves these files: `readOther` turns it into a value. */
export class Unread extends Error {
  override readonly name = 'Unread'
  readonly problem: Problem
  constructor(problem: Problem) {
    super('This SQL text is not read.')
    this.problem = problem
  }
}

const spaces = /[\t\n\v\f\r ]+/y
const names = {
  mysql: /[\p{L}\p{Mn}\p{N}_$]+/uy,
  mariadb: /[\p{L}\p{Mn}\p{N}_$]+/uy,
  sqlserver: /[\p{L}\p{Mn}\p{N}_$#@]+/uy,
  sqlite: /[\p{L}\p{Mn}\p{N}_$]+/uy,
  oracle: /[\p{L}\p{Mn}\p{N}_$#]+/uy,
}
/** What may stand before a string's opening quote: national, hexadecimal, bits, a character set. */
const introducers = {
  mysql: /(?:n|x|b|_[a-z0-9]+)(?=')/iy,
  mariadb: /(?:n|x|b|_[a-z0-9]+)(?=')/iy,
  sqlserver: /n(?=')/iy,
  sqlite: /x(?=')/iy,
  oracle: /n(?=')/iy,
}
const numbers = /0x[0-9a-f]*|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy
const long =
  /!=|<=>|<>|<=|>=|!<|!>|\^=|~=|:=|\|\||&&|<<|>>|->>|->|==|=>|::|\+=|-=|\*=|\/=|%=|&=|\|=/y
const oddLine = /\r(?!\n)|[\u0085\u2028\u2029]/

/** A name as databases compare it. Several compare without accents and widths (MySQL's column names,
 *  most collations of SQL Server), so a name that only differs in those counts as the plain one. */
export function nameOf(text: string): string {
  const lower = text.toLowerCase().trimEnd()
  if (/^\p{ASCII}*$/u.test(lower)) return lower
  return lower
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Cf}]/gu, '')
    .toLowerCase()
    .trimEnd()
}

/**
 * Cuts a text into tokens; the last one is of kind `end`.
 * @param backslashes whether a backslash escapes in strings; only MySQL and MariaDB do that.
 * @throws {Unread} where a string, name or comment is open at the end, or a sign is none of SQL.
 */
export function tokenize(text: string, dialect: Other, backslashes: boolean): Tokens {
  return new Cutter(text, dialect, backslashes).cut()
}

class Cutter {
  readonly #text: string
  readonly #dialect: Other
  readonly #mysql: boolean
  readonly #backslashes: boolean
  readonly #tokens: Token[] = []
  #at = 0
  #comments = false
  #uncertain = false

  constructor(text: string, dialect: Other, backslashes: boolean) {
    this.#text = text
    this.#dialect = dialect
    this.#mysql = dialect === 'mysql' || dialect === 'mariadb'
    this.#backslashes = backslashes && this.#mysql
  }

  cut(): Tokens {
    if (this.#text.includes('\0')) throw new Unread('nul')
    while (this.#at < this.#text.length) {
      if (this.#match(spaces) !== '') continue
      if (!this.#comment()) this.#token()
    }
    this.#push('end', '')
    return { tokens: this.#tokens, comments: this.#comments, uncertain: this.#uncertain }
  }

  #push(kind: Token['kind'], text: string): void {
    const named = kind === 'word' || kind === 'name' || kind === 'double'
    const shown = kind === 'word' ? text.toUpperCase() : text
    this.#tokens.push({ kind, text: shown, name: named ? nameOf(text) : '' })
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #starts(start: string): boolean {
    return this.#text.startsWith(start, this.#at)
  }

  #comment(): boolean {
    if (this.#starts('/*')) return this.#block()
    const dashes = this.#starts('--') && (!this.#mysql || this.#blankAt(this.#at + 2))
    if (!dashes && !(this.#mysql && this.#starts('#'))) return false
    const end = this.#text.indexOf('\n', this.#at)
    const line = this.#text.slice(this.#at, end < 0 ? undefined : end)
    if (oddLine.test(`${line}\n`)) throw new Unread('syntax')
    this.#at += line.length
    this.#comments = true
    return true
  }

  /** MySQL needs a blank or control sign of ASCII after `--`, or the end; else it subtracts twice. */
  #blankAt(at: number): boolean {
    const code = at < this.#text.length ? this.#text.charCodeAt(at) : 0
    return code <= 0x20 || code === 0x7f
  }

  #ahead(count: number): string {
    return this.#text.slice(this.#at, this.#at + count)
  }

  /** Only SQL Server nests block comments. MySQL executes some of them, and its SET_VAR hint sets
   *  variables: such a text says one thing and does another. */
  #block(): boolean {
    const start = this.#at
    let depth = 0
    do {
      if (this.#starts('/*') && (depth === 0 || this.#dialect === 'sqlserver')) {
        depth += 1
        this.#at += 2
      } else if (this.#starts('*/')) {
        depth -= 1
        this.#at += 2
      } else this.#at += 1
      if (this.#at > this.#text.length) throw new Unread('syntax')
    } while (depth > 0)
    const comment = this.#text.slice(start, this.#at)
    const executed = /\/\*M?!/i.test(comment) || /^\/\*\+.*SET_VAR/is.test(comment)
    if (this.#mysql && executed) throw new Unread('versioned_comment')
    this.#comments = true
    return true
  }

  #token(): void {
    if (this.#string() || this.#quotedName() || this.#parameter()) return
    const start = this.#at
    const money = this.#dialect === 'sqlserver' ? this.#match(/\$\d[\d,]*(?:\.\d*)?/y) : ''
    if (money !== '') return this.#push('number', money.replaceAll(/[$,]/g, ''))
    const number = /[\d.]/.test(this.#ahead(1)) ? this.#match(numbers) : ''
    if (number !== '') return this.#number(number)
    const word = this.#match(names[this.#dialect])
    if (word !== '') return this.#push('word', word)
    const sign = this.#match(long)
    if (sign !== '') return this.#push('sign', sign)
    const one = this.#text.charAt(start)
    if (!'()[]{},;.+-*/%=<>!|&^~?:@'.includes(one)) throw new Unread('syntax')
    this.#at += 1
    this.#push('sign', one)
  }

  /** MySQL reads `1a` as a name and SQLite refuses it; SQL Server and Oracle begin a new word there. */
  #number(number: string): void {
    const next = this.#ahead(1)
    if (this.#dialect === 'oracle' && /^[fd]$/i.test(next)) this.#at += 1
    else if (/[\p{L}_$#@]/u.test(next) && (this.#mysql || this.#dialect === 'sqlite')) {
      throw new Unread('syntax')
    }
    this.#push('number', number)
  }

  #string(): boolean {
    const oracle = /n?q'/iy
    oracle.lastIndex = this.#at
    if (this.#dialect === 'oracle' && oracle.test(this.#text)) {
      return this.#alternative(oracle.lastIndex)
    }
    this.#match(introducers[this.#dialect])
    const quote = this.#text.charAt(this.#at)
    if (quote !== "'" && !(quote === '"' && this.#mysql)) return false
    this.#push(quote === "'" ? 'text' : 'double', this.#quoted(quote, this.#backslashes))
    return true
  }

  /** `q'[it's]'` of Oracle: ends where its own closing sign stands before a quote. */
  #alternative(from: number): boolean {
    const open = this.#text.charAt(from)
    const pairs: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')', '<': '>' }
    const close = `${pairs[open] ?? open}'`
    const end = this.#text.indexOf(close, from + 1)
    if (end < 0 || /[\s']/.test(open)) throw new Unread('syntax')
    this.#push('text', this.#text.slice(from + 1, end))
    this.#at = end + close.length
    return true
  }

  /** From the opening quote to after the closing one; a doubled quote stands for itself. */
  #quoted(quote: string, escapes: boolean): string {
    let content = ''
    for (let i = this.#at + 1; i < this.#text.length; i += 1) {
      const sign = this.#text.charAt(i)
      if (sign === '\\' && this.#mysql && quote !== '`') {
        const next = this.#text.charAt(i + 1)
        if (next === quote || next === '\\') this.#uncertain = true
        if (escapes) {
          content += next
          i += 1
          continue
        }
      }
      if (sign === quote) {
        if (this.#text.charAt(i + 1) !== quote) {
          this.#at = i + 1
          return content
        }
        i += 1
      }
      content += sign
    }
    throw new Unread('syntax')
  }

  #quotedName(): boolean {
    const sign = this.#ahead(1)
    const bracket = sign === '[' && (this.#dialect === 'sqlserver' || this.#dialect === 'sqlite')
    const tick = sign === '`' && (this.#mysql || this.#dialect === 'sqlite')
    if (bracket && this.#dialect === 'sqlite') {
      const end = this.#text.indexOf(']', this.#at)
      if (end < 0) throw new Unread('syntax')
      this.#push('name', this.#text.slice(this.#at + 1, end))
      this.#at = end + 1
      return true
    }
    if (!bracket && !tick && sign !== '"') return false
    this.#push('name', this.#quoted(bracket ? ']' : sign, false))
    return true
  }

  /** `?`, `?1`, `:name`, `@name`, `$name`; `@@version` is a parameter of the server. */
  #parameter(): boolean {
    const patterns = {
      mysql: /\?|@@?(?:[\w.$]+|`[^`\\]+`|'[^'\\]*'|"[^"\\]*")/y,
      mariadb: /\?|@@?(?:[\w.$]+|`[^`\\]+`|'[^'\\]*'|"[^"\\]*")/y,
      sqlserver: /\?|@@?[\p{L}\p{N}_@#$]+/uy,
      sqlite: /\?\d*|[:@$]\w+/y,
      oracle: /:\w+|\?/y,
    }
    const found = this.#match(patterns[this.#dialect])
    if (found === '') return false
    this.#push('parameter', found.toLowerCase())
    return true
  }
}
