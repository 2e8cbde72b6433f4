/** `sallyport.yaml` from text to a checked configuration. The only reader of that file. */
import { createHash } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import { LineCounter, parseDocument, visit } from 'yaml'
import type { ErrorCode } from 'yaml'
import { Fault } from '../base/fault.ts'
import { crossMistakes } from './cross.ts'
import type { Draft } from './draft.ts'
import { fromIssue, mistakeAt, positionOf, showPath } from './mistakes.ts'
import type { KnownKeys, Mistake, Path, Source } from './mistakes.ts'
import { knownKeys } from './publish.ts'
import { fileSchema } from './schema.ts'
import { settle } from './settle.ts'
import type { Config } from './types.ts'
import { yamlHelp } from './yaml-help.ts'

export type * from './types.ts'
export type { Mistake, Path } from './mistakes.ts'

const fileBytesMax = 1024 * 1024

class Checked {
  /** Absolute path of the file. */
  readonly file: string
  /** SHA-256 of the file's text, hexadecimal: names this configuration in the record. */
  readonly sha256: string
  readonly config: Config
  readonly #draft: Draft
  readonly #source: Source

  constructor(file: string, text: string, draft: Draft, source: Source) {
    this.file = file
    this.sha256 = createHash('sha256').update(text).digest('hex')
    this.#draft = draft
    this.#source = source
    this.config = settle(draft)
  }

  /** The same configuration with the ports really taken, where the file says 0 for "any". What
   *  follows from a port (`public_url`, the local issuer) follows it. */
  withPorts(gatewayPort: number, consolePort: number): Config {
    const { gateway, console } = this.#draft.listen
    return settle({
      ...this.#draft,
      listen: {
        ...this.#draft.listen,
        gateway: { ...gateway, port: gatewayPort },
        console: { ...console, port: consolePort },
      },
    })
  }

  /** Where a value stands in the file (or the nearest mapping above it): `12:5`, from 1. */
  place(path: Path): { line: number; column: number; path: string } {
    return { ...positionOf(this.#source, path), path: showPath(path) }
  }
}

/** A configuration in which no mistake was found. Made here and nowhere else. */
export type CheckedConfig = Checked

/**
 * Reads and checks a configuration.
 * @param text the file's text.
 * @param file its path: relative paths in the file start at its folder.
 * @throws {Fault} `config_bad` with every mistake, one a line, `file:line:column path message`; the
 *   lines also stand in `facts.mistakes`.
 */
export function readConfig(text: string, file: string): CheckedConfig {
  const { checked, mistakes } = checkConfig(text, file)
  if (checked !== undefined) return checked
  const lines = mistakes.map((mistake) => showMistake(mistake, file))
  const count = `${lines.length} mistake${lines.length === 1 ? '' : 's'}`
  const message = `${basename(file)} has ${count}; nothing of it was used.\n${lines.join('\n')}`
  throw new Fault('config_bad', message, { facts: { mistakes: lines } })
}

/** `sallyport.yaml:12:5 connections[0].url must be …` */
export function showMistake({ line, column, path, message }: Mistake, file: string): string {
  return `${basename(file)}:${line}:${column} ${path === '' ? '' : `${path} `}${message}`
}

/** The same as `readConfig` without a fault: either the configuration, or all mistakes in order. */
export function checkConfig(
  text: string,
  file: string,
): { checked?: CheckedConfig; mistakes: readonly Mistake[] } {
  const path = resolve(file)
  if (Buffer.byteLength(text) > fileBytesMax) {
    const message = `is larger than ${fileBytesMax} bytes, which no configuration needs`
    return { mistakes: [{ line: 1, column: 1, path: '', message }] }
  }
  const source = readYaml(text)
  const bad = yamlMistakes(source)
  if (bad.length > 0) return { mistakes: bad }
  const plain = plainOf(source)
  if (plain === undefined) {
    return { mistakes: [mistakeAt(source, [], 'has aliases that multiply; write the values out')] }
  }
  const schema = fileSchema((relative) => resolve(dirname(path), relative))
  const { data, error } = schema.safeParse(plain)
  const known: KnownKeys = (at) => knownKeys(at, plain)
  const shape = error?.issues.flatMap((issue) => fromIssue(source, issue, known)) ?? []
  const mistakes = inOrder([...shape, ...crossMistakes(source, plain)])
  if (data === undefined || mistakes.length > 0) return { mistakes }
  return { checked: new Checked(path, text, data, source), mistakes }
}

function readYaml(text: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // Its pretty form quotes the file, where somebody may have put a secret.
    stringKeys: true,
    logLevel: 'error', // With 'silent' a second document would be dropped without a word.
  })
  return { document, lines }
}

/** The file as plain values; undefined when its aliases stand for too many (a "YAML bomb"). */
function plainOf({ document }: Source): unknown {
  try {
    const plain: unknown = document.toJS({ maxAliasCount: 100 })
    return plain ?? null
  } catch {
    return undefined // Told as a mistake: nothing of the file is used.
  }
}

function yamlMistakes(source: Source): Mistake[] {
  const { document, lines } = source
  const mistake = (code: ErrorCode, offset: number): Mistake => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col, path: '', message: yamlHelp[code] }
  }
  const found = [...document.errors, ...document.warnings].map(({ code, pos }) =>
    mistake(code, pos[0]),
  )
  visit(document, {
    Alias(_, alias): void {
      if (!alias.resolve(document)) found.push(mistake('BAD_ALIAS', alias.range?.[0] ?? 0))
    },
  })
  if (found.length === 0 && document.contents === null) {
    return [mistakeAt(source, [], 'is empty; `sallyport init` writes a first one')]
  }
  return inOrder(found)
}

function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const sorted = mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column)
  // One key can break two rules of its form; the first says enough.
  return sorted.filter((one, i) => one.path === '' || one.path !== sorted[i - 1]?.path)
}
