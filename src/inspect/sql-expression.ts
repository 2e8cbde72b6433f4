/** Reads expressions of SQL out of tokens, as far as they go, and tells what they are made of. */
import type { Token } from './sql-tokens.ts'

/** What an expression is made of. Collected while reading. */
export interface Traits {
  /** Where it ends: the index of the first token behind it. */
  end: number
  /** Two sides are compared which hold nothing but constants, or the same name. */
  isConstant: boolean
  /** Two sides are compared. */
  isCompared: boolean
  hasCall: boolean
  hasQuery: boolean
  /** Only literals: `1`, `'a'`, `TRUE`. */
  isLiteral: boolean
}

const depthMax = 24
const comparing = new Set([
  '=',
  '<',
  '>',
  '<=',
  '>=',
  '<>',
  '!=',
  '<=>',
  '!<',
  '!>',
  '~',
  '~*',
  '!~',
  '!~*',
])
const comparingWords = new Set(
  'LIKE RLIKE REGEXP ILIKE IN BETWEEN IS SOUNDS SIMILAR ESCAPE'.split(' '),
)
const joining = new Set(['OR', 'AND', 'XOR', '||', '&&', '|', '&'])
const callable = new Set(
  'IF REPLACE INSERT USER DATABASE SCHEMA EXISTS VALUES MOD CASE BINARY'.split(' '),
)
const constantNames = new Set(['NULL', 'TRUE', 'FALSE'])

export function isJoining(token: Token | undefined): boolean {
  return (
    token !== undefined && (token.kind === 'k' || token.kind === 'o') && joining.has(token.text)
  )
}

/** Reads from token `from` on. @returns undefined where no expression stands. */
export function readExpression(list: readonly Token[], from: number): Traits | undefined {
  const reader = new Expression(list, from)
  return reader.chain(0) ? reader.traits() : undefined
}

/** Names one side of a comparison: equal for equal sides; empty for what is no constant. */
type Side = { readonly words: string; readonly isLiteral: boolean }

class Expression {
  readonly #list: readonly Token[]
  #at: number
  #isConstant = false
  #isCompared = false
  #hasCall = false
  #hasQuery = false
  #isLiteral = true

  constructor(list: readonly Token[], from: number) {
    this.#list = list
    this.#at = from
  }

  traits(): Traits {
    return {
      end: this.#at,
      isConstant: this.#isConstant,
      isCompared: this.#isCompared,
      hasCall: this.#hasCall,
      hasQuery: this.#hasQuery,
      isLiteral: this.#isLiteral,
    }
  }

  /** Operands with what joins them. */
  chain(depth: number): boolean {
    if (depth > depthMax) return false
    let left = this.#operand(depth)
    if (left === undefined) return false
    for (;;) {
      const token = this.#list[this.#at]
      if (token === undefined) return true
      if (isJoining(token)) {
        const before = this.#at++
        const right = this.#operand(depth)
        if (right === undefined) {
          this.#at = before
          return true
        }
        left = right
        continue
      }
      const right = this.#compared(token, left, depth)
      if (right === undefined) return true
      left = right
    }
  }

  /** The right side of what stands at a comparison or calculation; undefined where none does. */
  #compared(token: Token, left: Side, depth: number): Side | undefined {
    const before = this.#at
    if (token.kind === 'k' && (comparingWords.has(token.text) || token.text === 'NOT')) {
      return this.#worded(left, depth) ?? this.#back(before)
    }
    const isWord = token.kind === 'k' && (token.text === 'DIV' || token.text === 'MOD')
    if (token.kind !== 'o' && !isWord) return undefined
    this.#at++
    if (token.text === '::') {
      if (this.#list[this.#at]?.kind !== 'i') return this.#back(before)
      this.#at++
      return left
    }
    const right = this.#operand(depth)
    if (right === undefined) return this.#back(before)
    if (!comparing.has(token.text)) {
      return {
        words: `${left.words}${token.text}${right.words}`,
        isLiteral: left.isLiteral && right.isLiteral,
      }
    }
    this.#isCompared = true
    const isSame = left.words !== '' && left.words === right.words
    if ((left.isLiteral && right.isLiteral) || isSame) this.#isConstant = true
    return right
  }

  /** LIKE x, NOT LIKE x, IN (…), BETWEEN a AND b, IS [NOT] NULL, SOUNDS LIKE x. */
  #worded(left: Side, depth: number): Side | undefined {
    const isNot = this.#list[this.#at]?.text === 'NOT'
    if (isNot) this.#at++
    const word = this.#list[this.#at]
    if (word?.kind !== 'k' || !comparingWords.has(word.text)) return undefined
    this.#at++
    if (word.text === 'SOUNDS' && this.#list[this.#at]?.text === 'LIKE') this.#at++
    if (word.text === 'IS' && this.#list[this.#at]?.text === 'NOT') this.#at++
    const right = this.#operand(depth)
    if (right === undefined) return undefined
    if (word.text === 'BETWEEN' && this.#list[this.#at]?.text === 'AND') {
      this.#at++
      if (this.#operand(depth) === undefined) return undefined
    }
    this.#isCompared = true
    if (left.isLiteral && right.isLiteral) this.#isConstant = true
    return right
  }

  #back(to: number): undefined {
    this.#at = to
    return undefined
  }

  #operand(depth: number): Side | undefined {
    if (depth > depthMax) return undefined
    const token = this.#list[this.#at]
    if (token === undefined) return undefined
    if (token.kind === 'o' && /^[-+~!]$/.test(token.text)) {
      this.#at++
      const side = this.#operand(depth + 1)
      return side && { ...side, words: side.words && token.text + side.words }
    }
    if (token.kind === 'k' && /^(?:NOT|BINARY|ALL|ANY|SOME|DISTINCT)$/.test(token.text)) {
      this.#at++
      return this.#operand(depth + 1)
    }
    if (token.kind === '(') return this.#group(depth)
    if (token.kind === 'n') return this.#literal(token.text)
    if (token.kind === 's' || token.kind === 'S') return this.#strings()
    if (token.kind === 'k' && constantNames.has(token.text)) return this.#literal(token.text)
    if (token.kind === 'v') {
      this.#isLiteral = false
      if (token.text.startsWith('@@')) this.#hasCall = true
      this.#at++
      return { words: token.text, isLiteral: false }
    }
    if (token.kind === 'k' && token.text === 'CASE') return this.#case()
    return this.#name(depth)
  }

  #literal(words: string): Side {
    this.#at++
    return { words, isLiteral: true }
  }

  /** Neighbouring strings are one. */
  #strings(): Side {
    const first = this.#list[this.#at]
    const start = this.#at
    while (this.#list[this.#at]?.kind === 's' && this.#at - start < 8) this.#at++
    if (this.#list[this.#at]?.kind === 'S') this.#at++
    return { words: `'${first?.text ?? ''}`, isLiteral: true }
  }

  /** `(…)`; what never closes counts as closed at the end. */
  #group(depth: number): Side | undefined {
    this.#at++
    const next = this.#list[this.#at]
    if (next?.kind === 'k' && (next.text === 'SELECT' || next.text === 'VALUES')) {
      this.#hasQuery = true
      this.#isLiteral = false
      this.#skip()
      return { words: '', isLiteral: false }
    }
    if (next?.kind === ')') {
      this.#at++
      return { words: '', isLiteral: false }
    }
    const from = this.#at
    if (!this.chain(depth + 1)) return undefined
    while (this.#list[this.#at]?.kind === ',') {
      this.#at++
      if (!this.chain(depth + 1)) return undefined
    }
    const inner = this.#list.slice(from, this.#at)
    const isLiteral = inner.every(({ kind }) => kind === 'n' || kind === 's' || kind === 'S')
    const words = inner.length <= 3 ? inner.map(({ text }) => text).join('') : ''
    if (this.#list[this.#at]?.kind === ')') this.#at++
    else if (this.#at < this.#list.length && this.#list[this.#at]?.kind !== 'C') return undefined
    return { words, isLiteral }
  }

  /** Up to the bracket that closes, whatever stands inside. */
  #skip(): void {
    let open = 1
    while (this.#at < this.#list.length && open > 0) {
      const kind = this.#list[this.#at]?.kind
      if (kind === 'C') return
      if (kind === '(') open++
      else if (kind === ')') open--
      this.#at++
    }
  }

  #case(): Side | undefined {
    const from = this.#at
    this.#isLiteral = false
    while (this.#at < this.#list.length && this.#list[this.#at]?.text !== 'END') this.#at++
    if (this.#list[from + 1] === undefined) return undefined
    if (!this.#list.slice(from, this.#at).some(({ text }) => text === 'WHEN')) return undefined
    if (this.#list.slice(from, this.#at).some(({ text }) => text === 'SELECT'))
      this.#hasQuery = true
    this.#at++
    this.#hasCall = true
    return { words: '', isLiteral: false }
  }

  /** `a`, `a.b.c`, `f(…)`. */
  #name(depth: number): Side | undefined {
    const token = this.#list[this.#at]
    const isName = token?.kind === 'i' || (token?.kind === 'k' && callable.has(token.text))
    const isCall = this.#list[this.#at + 1]?.kind === '('
    const isLeft = token?.kind === 'i' || isCall
    if (token === undefined || !isName || !isLeft) return undefined
    let words = token.text
    this.#at++
    this.#isLiteral = false
    while (this.#list[this.#at]?.kind === '.' && this.#at < this.#list.length) {
      words += `.${this.#list[this.#at + 1]?.text ?? ''}`
      this.#at += 2
    }
    if (this.#list[this.#at]?.kind !== '(') return { words, isLiteral: false }
    this.#hasCall = true
    this.#at++
    if (this.#list.slice(this.#at, this.#at + 80).some(({ text }) => text === 'SELECT'))
      this.#hasQuery = true
    if (depth > depthMax) return undefined
    this.#skip()
    return { words: '', isLiteral: false }
  }
}
