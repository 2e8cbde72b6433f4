/**
 * CEL (https://cel.dev, cel-spec v0.25) as far as we let it: the only file that knows the library.
 * Expressions come from whoever writes the configuration, the facts from whoever calls; neither may
 * stop the gateway, so what an expression costs on given facts is reckoned before it is evaluated.
 */
import { Environment, serialize } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import { Fault } from '../base/fault.ts'
import { costCheck, costOf, stepsMax, typicalSize } from './cost.ts'
import { innerNodes, operandsOf, readsOf } from './nodes.ts'
import { learnPattern, matchesPattern } from './patterns.ts'
import { sizeOf } from './size.ts'
import type { Size } from './size.ts'

/** What came of an evaluation. The fault is a code: `no_such_key`, `not_boolean`, `too_costly`, … */
export type Outcome = { readonly holds: boolean } | { readonly fault: string }

export interface Expression {
  /** What it was compiled from. */
  readonly text: string
  /** What it looks at: `sql`, and members of what has any, `tool.changed`. */
  readonly reads: ReadonlySet<string>
  /** The parts that must all be true, as texts; the whole text where it has none. */
  readonly all: readonly string[]
  /** The parts of which one must be true; the whole text where it has none. */
  readonly any: readonly string[]
  /** @param facts made by `factsFor`. Never throws. */
  evaluate(facts: Facts): Outcome
}

/** What is wrong with an expression. */
export interface Flaw {
  readonly words: string
  /** UTF-16 units from its beginning. */
  readonly at: number | undefined
}

/** Values for the variables of a language, and how large they are. */
export interface Facts {
  readonly values: Readonly<Record<string, unknown>>
  readonly size: Size
}

export interface Language {
  /** What is wrong with an expression, with line and column; undefined for a good one. */
  check(text: string): string | undefined
  /** The same with the place apart. */
  flaw(text: string): Flaw | undefined
  /** @throws {Fault} `config_bad` for what `check` refuses. */
  compile(text: string): Expression
}

export const charactersMax = 2000
const limits = {
  maxAstNodes: 400,
  maxDepth: 40,
  maxListElements: 200,
  maxMapEntries: 20,
  maxCallArguments: 4,
}

/** The library's functions that are let in. None makes anything larger than the facts are: `map` and
 *  `cel.bind` could double a list or a text again and again, and so could `+`. */
const functions: ReadonlySet<string> = new Set(
  (
    'size int double string bool type dyn has all exists exists_one filter ' +
    'startsWith endsWith contains matches lowerAscii upperAscii trim'
  ).split(' '),
)

/**
 * Functions done our way. The library's `matches` is V8's backtracking engine, where the standard
 * asks for RE2, and its `lowerAscii` turns the Kelvin sign into a `k`. It lets nobody replace a
 * function, so calls are renamed between reading and type-checking. May go once version 9 or later
 * takes an overload that is there already.
 */
const ours: Readonly<Record<string, string>> = {
  matches: 'matchesRe2',
  lowerAscii: 'lowerAsciiOnly',
  upperAscii: 'upperAsciiOnly',
}

/**
 * @param declare registers types and variables, and nothing else.
 * @param more functions of the library that are let in besides the usual ones.
 */
export function openLanguage(
  declare: (on: Environment) => void,
  more: readonly string[] = [],
): Language {
  const allowed = new Set([...functions, ...more])
  const isNow = { async: false }
  const environment = new Environment({ limits })
    .registerFunction('string.matchesRe2(string): bool', matchesPattern, isNow)
    .registerFunction(
      'string.lowerAsciiOnly(): string',
      (text: string) => text.replace(/[A-Z]+/g, (run) => run.toLowerCase()),
      isNow,
    )
    .registerFunction(
      'string.upperAsciiOnly(): string',
      (text: string) => text.replace(/[a-z]+/g, (run) => run.toUpperCase()),
      isNow,
    )
  declare(environment)
  const read = (text: string): Read | Flaw => readExpression(environment, allowed, text)
  return {
    check: (text) => {
      const found = read(text)
      return 'words' in found ? flawWords(text, found) : undefined
    },
    flaw: (text) => {
      const found = read(text)
      return 'words' in found ? found : undefined
    },
    compile: (text) => {
      const found = read(text)
      if ('words' in found) {
        throw new Fault('config_bad', `A condition ${flawWords(text, found)}`)
      }
      // Read once more: in the first tree calls have been renamed.
      const { ast } = environment.parse(text)
      const parts = (op: '&&' | '||'): string[] =>
        operandsOf(ast, op).map((node) => textOf(environment, node, text))
      return {
        text,
        reads: readsOf(ast),
        all: parts('&&'),
        any: parts('||'),
        evaluate: (facts) => evaluate(found, facts),
      }
    },
  }
}

/** A part as it was written; where the library's range misses a bracket, as the library writes it. */
function textOf(environment: Environment, node: ASTNode, text: string): string {
  const own = serialize(node)
  const written = text.slice(node.start, node.end)
  try {
    if (serialize(environment.parse(written).ast) === own) return written
  } catch {
    // It is no expression by itself; what the library writes is one.
  }
  return own
}

function flawWords(text: string, { at, words }: Flaw): string {
  return at === undefined ? words : `${words} (${placeOf(text, at)})`
}

/** Facts with their size; make them once for each principal. */
export function factsFor(values: Readonly<Record<string, unknown>>): Facts {
  return { values, size: sizeOf(values) }
}

interface Read {
  readonly run: (values: Readonly<Record<string, unknown>>) => unknown
  /** Whether an evaluation over facts of this size ends in time. */
  readonly ends: (size: Size) => boolean
}

function readExpression(
  environment: Environment,
  allowed: ReadonlySet<string>,
  text: string,
): Read | Flaw {
  if (text.length > charactersMax) {
    return flaw(`is longer than ${charactersMax} characters; make two of it`)
  }
  try {
    const parsed = environment.parse(text)
    const { ast } = parsed
    const found = walk(ast, allowed)
    if (found !== undefined) return flaw(found.words, found.start)
    const cost = costOf(ast)
    if (cost(typicalSize) > stepsMax) {
      return flaw('takes too long on lists of a hundred names: nest fewer of them')
    }
    const checked = parsed.check()
    if (!checked.valid) return mistakeIn(checked.error)
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      return flaw(`gives ${checked.type ?? 'nothing'}, and must give true or false`)
    }
    return { run: (values): unknown => parsed(values), ends: costCheck(cost) }
  } catch (error) {
    return mistakeIn(error)
  }
}

function flaw(words: string, at?: number): Flaw {
  return { words, at }
}

const yes: Outcome = { holds: true }
const no: Outcome = { holds: false }

function evaluate({ ends, run }: Read, { size, values }: Facts): Outcome {
  if (!ends(size)) return { fault: 'too_costly' }
  try {
    const value = run(values)
    if (typeof value !== 'boolean') return { fault: 'not_boolean' }
    return value ? yes : no
  } catch (error) {
    return { fault: codeOf(error) }
  }
}

/** The first thing in an expression that is not let in; renames what is done our way. */
function walk(
  node: ASTNode,
  allowed: ReadonlySet<string>,
): { words: string; start: number } | undefined {
  if (node.op === 'call' || node.op === 'rcall') {
    const [name] = node.args
    if (!allowed.has(name))
      return { words: `uses ${name}(), which is not there`, start: node.start }
    if (node.op === 'rcall' && name === 'matches') {
      const flaw = patternFlaw(node.args[2])
      if (flaw !== undefined) return { words: flaw, start: node.start }
    }
    if (node.op === 'rcall' && Object.hasOwn(ours, name)) Reflect.set(node.args, 0, ours[name])
  }
  if (node.op === '+') return { words: 'uses +, which is not there', start: node.start }
  for (const inner of innerNodes(node)) {
    const found = walk(inner, allowed)
    if (found) return found
  }
  return undefined
}

/** Only patterns that stand in the configuration: none ever comes out of a claim. */
function patternFlaw(args: readonly ASTNode[]): string | undefined {
  const [pattern] = args
  if (args.length !== 1 || pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    return 'must write out the pattern of matches() as one text'
  }
  return learnPattern(pattern.args)
}

/** The library's error in one line. It quotes the expression, which is ours, and nothing else. */
function mistakeIn(error: unknown): Flaw {
  if (error instanceof RangeError) return flaw('is nested too deeply')
  const summary = wordOf(error, 'summary') ?? 'cannot be read'
  const range: unknown =
    typeof error === 'object' && error !== null && 'range' in error ? error.range : undefined
  const start =
    typeof range === 'object' && range !== null && 'start' in range ? range.start : undefined
  const words = `is not right: ${summary.replace(/\s+/g, ' ').slice(0, 300)}`
  return flaw(words, typeof start === 'number' ? start : undefined)
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

/** The library's code for an error of its own; its message may quote a claim. */
function codeOf(error: unknown): string {
  const code = wordOf(error, 'code')
  return code !== undefined && /^[a-z_]{1,64}$/.test(code) ? code : 'failed'
}

function wordOf(error: unknown, name: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const word: unknown = Reflect.get(error, name)
  return typeof word === 'string' ? word : undefined
}
