/**
 * Where a part of a text stands in the file. YAML folds, quotes and indents texts, but no character
 * other than white space is ever left out or added, so places are found by counting the others.
 */
import { isScalar } from 'yaml'

/**
 * @param text of the file.
 * @param node a text of the file, as the YAML reader gives it.
 * @param at UTF-16 units from the beginning of the text.
 * @returns the offset in the file; undefined where the node is no text.
 */
export function offsetWithin(text: string, node: unknown, at: number): number | undefined {
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return undefined
  const [start, end] = node.range
  let offset = contentStart(text, start, node.type)
  const before = node.value.slice(0, at)
  for (const character of before.replace(/\s/g, '').split('')) {
    offset = skipBlank(text, offset, end, node.type)
    offset += widthOf(text, offset, character, node.type)
  }
  // White space is where it belongs to, unless the text goes on behind it.
  const isBlankNext = /^\s/.test(node.value.slice(at))
  return isBlankNext ? offset : Math.min(skipBlank(text, offset, end, node.type), end)
}

type Spelling = string | null | undefined

function contentStart(text: string, start: number, type: Spelling): number {
  if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') return start + 1
  if (type !== 'BLOCK_LITERAL' && type !== 'BLOCK_FOLDED') return start
  const header = text.indexOf('\n', start)
  return header < 0 ? start : header + 1
}

/** In double quotes an escape may stand for white space, and a backslash joins lines. */
function skipBlank(text: string, from: number, end: number, type: Spelling): number {
  let offset = from
  while (offset < end) {
    const rest = text.slice(offset, offset + 2)
    if (/^\s/.test(rest)) offset += 1
    else if (type === 'QUOTE_DOUBLE' && /^\\[ntrNLP_\s]/.test(rest)) offset += 2
    else break
  }
  return offset
}

const escapeWidths: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 }

/** How many units of the file one character of the text takes. */
function widthOf(text: string, offset: number, character: string, type: Spelling): number {
  if (type === 'QUOTE_SINGLE' && character === "'") return 2
  if (type !== 'QUOTE_DOUBLE' || text[offset] !== '\\') return 1
  return escapeWidths[text[offset + 1] ?? ''] ?? 2
}
