/** A YAML file as plain values with its positions, or what is wrong with it as YAML. */
import { LineCounter, parseDocument, visit } from 'yaml'
import type { ErrorCode } from 'yaml'
import { mistakeAt } from './mistakes.ts'
import type { Mistake, Source } from './mistakes.ts'
import { yamlHelp } from './yaml-help.ts'

const fileBytesMax = 1024 * 1024

/** Plain values, or mistakes. */
export type YamlFile =
  | { readonly source: Source; readonly plain: unknown }
  | { readonly mistakes: readonly Mistake[] }

/** @param example what to do where the file is empty. */
export function readYaml(text: string, example: string): YamlFile {
  if (Buffer.byteLength(text) > fileBytesMax) {
    const message = `is larger than ${fileBytesMax} bytes, which no configuration needs`
    return { mistakes: [{ line: 1, column: 1, path: '', message }] }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // Its pretty form quotes the file, where somebody may have put a secret.
    stringKeys: true,
    logLevel: 'error', // With 'silent' a second document would be dropped without a word.
  })
  const source = { document, lines, text }
  const bad = yamlMistakes(source, example)
  if (bad.length > 0) return { mistakes: bad }
  const plain = plainOf(source)
  if (plain !== undefined) return { source, plain }
  return { mistakes: [mistakeAt(source, [], 'has aliases that multiply; write the values out')] }
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

function yamlMistakes(source: Source, example: string): Mistake[] {
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
    return [mistakeAt(source, [], `is empty; ${example}`)]
  }
  return inOrder(found)
}

/** By place; one key can break two rules of its form, and the first says enough. */
export function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const sorted = mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column)
  return sorted.filter((one, i) => one.path === '' || one.path !== sorted[i - 1]?.path)
}
