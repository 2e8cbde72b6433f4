/**
 * Words of SQL, of every dialect at once, from any place of a text. Bounded: at most `tokensMax` tokens,
 * and each character is looked at once.
 */

/**
 * `n` number, `s` string, `S` string that never ends, `i` name, `k` keyword, `o` operator, `v` variable,
 * `C` comment up to the end of the text, `x` what is no SQL. Others stand for themselves: `( ) , ; .`
 */
export interface Token {
  readonly kind: 'n' | 's' | 'S' | 'i' | 'k' | 'o' | 'v' | 'C' | 'x' | '(' | ')' | ',' | ';' | '.'
  /** Upper case for names, keywords and operators; the inside of strings and comments as it is. */
  readonly text: string
  readonly start: number
}

export interface Tokens {
  readonly list: readonly Token[]
  /** A comment stood between words, as nobody writes who does not hide: `UN/**\/ION`. */
  readonly hasInnerComment: boolean
  /** `/*!50000 … *\/`, which MySQL executes. */
  readonly hasVersioned: boolean
}

const tokensMax = 160
const stringMax = 4096

const keywords = new Set(
  (
    'OR AND XOR NOT UNION ALL DISTINCT SELECT FROM WHERE HAVING GROUP ORDER BY LIMIT OFFSET INTO OUTFILE ' +
    'DUMPFILE PROCEDURE LIKE RLIKE REGEXP ILIKE SIMILAR IN BETWEEN IS NULL TRUE FALSE DIV MOD SOUNDS COLLATE ' +
    'EXISTS CASE WHEN THEN ELSE END DROP DELETE UPDATE INSERT TRUNCATE ALTER CREATE EXEC EXECUTE SHUTDOWN ' +
    'WAITFOR DECLARE IF GRANT REVOKE COPY CALL MERGE SET USE LOAD BEGIN COMMIT ROLLBACK ATTACH BACKUP KILL ' +
    'REPLACE PRAGMA DO AS ON FOR ASC DESC VALUES TABLE DATABASE SCHEMA VIEW INDEX USER LOGIN ROLE FUNCTION ' +
    'TRIGGER BINARY ANY SOME ESCAPE HANDLER RENAME MINUS INTERSECT EXCEPT FETCH TOP RETURNING RECONFIGURE'
  ).split(' '),
)

const word = /[\p{L}_$][\p{L}\p{N}_$]{0,127}/uy
const number =
  /0x[\da-f]{1,400}|0b[01]{1,64}|(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60})(?:e[+-]?\d{1,5})?/iy
const operator = /<=>|\|\||&&|<>|!=|!<|!>|<=|>=|:=|::|<<|>>|!~\*?|~\*|\^=|[-+*/%=<>!|&^~]/y
const blank = /[\s\u00a0\u200b\0]{1,4096}/y
const prefixed = /^(?:N|X|B|E|Q|NQ|U&|_UTF8|_LATIN1|_BINARY)$/

/** Reads words of SQL in `text` from `from` on. */
export function sqlTokens(text: string, from: number, most: number = tokensMax): Tokens {
  const reader = new Reader(text, from, most)
  reader.run()
  return reader
}

class Reader implements Tokens {
  readonly list: Token[] = []
  hasInnerComment = false
  hasVersioned = false
  readonly #text: string
  readonly #most: number
  #at: number

  constructor(text: string, from: number, most: number) {
    this.#text = text
    this.#at = from
    this.#most = most
  }

  run(): void {
    while (this.#at < this.#text.length && this.list.length < this.#most) this.#one()
  }

  #one(): void {
    const text = this.#text
    const start = this.#at
    if (this.#match(blank) !== '') return
    const c = text.charAt(start)
    if (this.#comment(c)) return
    if (c === "'" || c === '"' || c === '`') return this.#string(c)
    if (c === '[') return this.#bracket()
    if (c === '$' && this.#dollar()) return
    if (c === '@') return this.#variable()
    const figure = /[\d.]/.test(c) ? this.#match(number) : ''
    if (figure !== '') return this.#add('n', figure, start)
    const name = this.#match(word)
    if (name !== '') return this.#name(name, start)
    if (c === '(' || c === ')' || c === ',' || c === ';' || c === '.') {
      this.#at++
      return this.#add(c, c, start)
    }
    const sign = this.#match(operator)
    if (sign !== '') return this.#add('o', sign, start)
    this.#at++
    this.#add('x', c, start)
  }

  #name(name: string, start: number): void {
    const upper = name.toUpperCase()
    const next = this.#text.charAt(this.#at)
    if ((next === "'" || next === '"') && prefixed.test(upper)) return this.#string(next)
    this.#add(keywords.has(upper) ? 'k' : 'i', upper, start)
  }

  /** `--`, `#` and blocks. One that an end of line closes is passed over as a blank is. */
  #comment(c: string): boolean {
    const text = this.#text
    const start = this.#at
    if (text.startsWith('/*!', start) || text.startsWith('/*M!', start)) {
      this.hasVersioned = true
      const digits = /\/\*M?!\d{0,6}/y
      digits.lastIndex = start
      this.#at += digits.exec(text)?.[0].length ?? 3
      return true
    }
    if (text.startsWith('*/', start)) {
      this.#at += 2
      return true
    }
    if (text.startsWith('/*', start)) {
      const end = text.indexOf('*/', start + 2)
      this.hasInnerComment = true
      this.#at = end < 0 ? text.length : end + 2
      if (end < 0) this.#add('C', text.slice(start + 2, start + 200), start)
      return true
    }
    if (c !== '#' && !text.startsWith('--', start)) return false
    const end = text.indexOf('\n', start)
    const isLast = end < 0 || text.slice(end, end + 200).trim() === ''
    const length = c === '#' ? 1 : 2
    if (isLast) this.#add('C', text.slice(start + length, start + length + 200), start)
    else this.hasInnerComment = true
    this.#at = isLast ? text.length : end + 1
    return true
  }

  /** Doubled quotes and backslashes stand for themselves. */
  #string(quote: string): void {
    const text = this.#text
    const start = text.indexOf(quote, this.#at)
    const last = Math.min(text.length, start + stringMax)
    let i = start + 1
    for (; i < last; i++) {
      const c = text.charAt(i)
      if (c === '\\' && quote !== '`') i++
      else if (c === quote) {
        if (text.charAt(i + 1) !== quote) break
        i++
      }
    }
    this.#at = i + 1
    const isOpen = i >= last
    const kind = quote === '`' ? 'i' : isOpen ? 'S' : 's'
    this.#add(kind, text.slice(start + 1, i), start)
  }

  #bracket(): void {
    const start = this.#at
    const name = /\[[\p{L}\p{N}_ $.-]{1,128}\]/uy
    const found = this.#match(name)
    if (found !== '') return this.#add('i', found.slice(1, -1).toUpperCase(), start)
    this.#at++
    this.#add('x', '[', start)
  }

  /** `$$text$$` and `$tag$text$tag$` of PostgreSQL. */
  #dollar(): boolean {
    const start = this.#at
    const tag = this.#match(/\$(?:[A-Za-z_]\w{0,30})?\$/y)
    if (tag === '') return false
    const end = this.#text.indexOf(tag, this.#at)
    const stop = end < 0 ? this.#text.length : end
    this.#add(
      end < 0 ? 'S' : 's',
      this.#text.slice(this.#at, Math.min(stop, this.#at + stringMax)),
      start,
    )
    this.#at = stop + tag.length
    return true
  }

  #variable(): void {
    const start = this.#at
    const name = this.#match(/@{1,2}[\w$.]{1,64}/y)
    if (name !== '') return this.#add('v', name.toUpperCase(), start)
    this.#at++
    this.#add('x', '@', start)
  }

  #match(form: RegExp): string {
    form.lastIndex = this.#at
    const found = form.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #add(kind: Token['kind'], text: string, start: number): void {
    this.list.push({ kind, text, start })
  }
}
