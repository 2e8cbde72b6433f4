/**
 * The one spelling of a JSON value: canonical JSON (RFC 8785), over the tree of a message. Order of
 * keys, blanks and escapes do not count; every character of a key or text does.
 *
 * Two things differ from the standard, which has no spelling for them and refuses: a number that a
 * double would change keeps its own digits, and half a surrogate pair stays an escape. So there is
 * nothing that a server could put into a tool and that would not be hashed.
 */
import { integerOf } from '../wire/integer.ts'
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'

/**
 * @param indent blanks a level, for people; none for the canonical form.
 * @returns one text for each value, and never the same for two.
 */
export function spell(tree: JsonTree, node: Node, indent: number = 0): string {
  return spellAt(tree, node, indent === 0 ? '' : ' '.repeat(indent), indent === 0 ? '' : '\n')
}

/** @param line a line end and the blanks of this level; empty in the canonical form. */
function spellAt(tree: JsonTree, node: Node, step: string, line: string): string {
  const kind = tree.kind(node)
  switch (kind) {
    case 'object':
      return wrap('{', members(tree, node, step, line), '}', line, step)
    case 'array':
      return wrap('[', elements(tree, node, step, line), ']', line, step)
    case 'string':
      return JSON.stringify(tree.text(node))
    case 'number':
      return number(Buffer.from(tree.raw(node)).toString('latin1'))
    case 'true':
    case 'false':
    case 'null':
      return kind
    default:
      return kind satisfies never
  }
}

function wrap(open: string, inner: string[], close: string, line: string, step: string): string {
  if (inner.length === 0) return open + close
  if (line === '') return `${open}${inner.join(',')}${close}`
  return `${open}${line}${step}${inner.join(`,${line}${step}`)}${line}${close}`
}

function members(tree: JsonTree, node: Node, step: string, line: string): string[] {
  const found: (readonly [name: string, text: string])[] = []
  const inner = line === '' ? '' : line + step
  const colon = line === '' ? ':' : ': '
  for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
    const name = tree.text(key)
    const text = spellAt(tree, tree.value(key), step, inner)
    found.push([name, `${JSON.stringify(name)}${colon}${text}`])
  }
  // By UTF-16 units, as RFC 8785 section 3.2.3 asks for; the reader lets no key stand twice.
  return found.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
}

function elements(tree: JsonTree, node: Node, step: string, line: string): string[] {
  const found: string[] = []
  const inner = line === '' ? '' : line + step
  for (let at = tree.first(node); at !== NONE; at = tree.next(at)) {
    found.push(spellAt(tree, at, step, inner))
  }
  return found
}

/** Below the smallest normal double, digits are lost even of short numbers. */
const smallest = 2.3e-308
/** So many digits every double keeps. */
const digitsKept = 15

function number(token: string): string {
  const whole = integerOf(token)
  if (whole !== undefined && Number.isSafeInteger(Number(whole))) return String(Number(whole))
  const value = Number(token)
  const [mantissa = ''] = token.toLowerCase().split('e')
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+|0+$/g, '')
  const isExact = digits.length <= digitsKept && Math.abs(value) > smallest
  return isExact && Number.isFinite(value) ? JSON.stringify(value) : (whole ?? token.toLowerCase())
}
