/** Names and shapes that abuse the protocol: twins of tools, keys of programs, bulk, depth. */
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Sighting } from './piece.ts'

/** Ordinary calls stay far below. */
const depthMax = 24
const keyMax = 256
const nameMax = 128
const stringBytesMax = 1024 * 1024

// oxlint-disable-next-line no-misleading-character-class -- each is looked for by itself
const invisible = /[\p{Cf}\p{Cc}\u115f\u1160\u3164\uffa0\u034f]/u
const scripts: readonly RegExp[] = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
]
/** Letters of other scripts that look like Latin ones (Unicode, confusables of UTS #39: the common part). */
const twins: Readonly<Record<string, string>> = {
  а: 'a',
  в: 'b',
  е: 'e',
  к: 'k',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  с: 'c',
  т: 't',
  у: 'y',
  х: 'x',
  і: 'i',
  ј: 'j',
  ѕ: 's',
  ԁ: 'd',
  ԛ: 'q',
  ԝ: 'w',
  ɡ: 'g',
  ӏ: 'l',
  һ: 'h',
  ο: 'o',
  α: 'a',
  ε: 'e',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  γ: 'y',
  ո: 'n',
  ս: 'u',
  օ: 'o',
  ı: 'i',
  ℓ: 'l',
  '‐': '-',
  '‑': '-',
  '–': '-',
  '—': '-',
  '＿': '_',
}

/** What a name looks like: case, marks, look-alikes and what is not seen undone. */
function skeleton(name: string): string {
  return Array.from(name.slice(0, 512).normalize('NFKD').toLowerCase())
    .filter((c) => !invisible.test(c) && !/\p{M}/u.test(c))
    .map((c) => twins[c] ?? c)
    .join('')
    .replaceAll(/[-\s.]/g, '_')
}

/**
 * The name of a tool, prompt or resource as a client spells it.
 * @param known names that the connection is known to have; empty where none is known.
 */
export function nameSighting(name: string, known: readonly string[]): Sighting | undefined {
  if (known.includes(name) || (/^[\w./:-]{1,64}$/.test(name) && known.length === 0))
    return undefined
  if (name.length > nameMax) return { what: 'long_name', confidence: 'medium' }
  if (invisible.test(name)) return { what: 'invisible_name', confidence: 'high' }
  const letters = scripts.filter((script) => script.test(name)).length
  if (letters > 1) return { what: 'mixed_scripts', confidence: 'high' }
  if (known.length > 0) {
    const shape = skeleton(name)
    if (known.some((one) => skeleton(one) === shape)) return { what: 'twin', confidence: 'high' }
  }
  if (name !== name.normalize('NFC') || /[\uff01-\uff5e]/.test(name))
    return { what: 'not_normal', confidence: 'medium' }
  return undefined
}

/** A key of an object in the arguments. */
export function keySighting(key: string): Sighting | undefined {
  if (key === '__proto__') return { what: 'prototype', confidence: 'high' }
  if (key === 'prototype' || key === 'constructor')
    return { what: 'prototype', confidence: 'medium' }
  if (/^(?:__proto__|constructor)[.[]/.test(key)) return { what: 'prototype', confidence: 'high' }
  if (key.length > keyMax) return { what: 'long_key', confidence: 'medium' }
  if (/[\r\n\0]/.test(key)) return { what: 'control_in_key', confidence: 'medium' }
  return undefined
}

/** Two keys of one object that look the same: readers who fold case or forms take either. */
export function twinKeys(tree: JsonTree, object: Node): boolean {
  if (tree.size(object) < 2 || tree.size(object) > 200) return false
  const seen = new Set<string>()
  for (let key = tree.first(object); key !== NONE; key = tree.next(key)) {
    const text = tree.text(key)
    if (text.length > keyMax) continue
    const shape = text
      .normalize('NFKC')
      .toLowerCase()
      .replaceAll(/[\p{Cf}\s]/gu, '')
    if (seen.has(shape)) return true
    seen.add(shape)
  }
  return false
}

/** Depth and bulk of what was sent. */
export function shapeSighting(tree: JsonTree, node: Node): Sighting | undefined {
  if (deeperThan(tree, node, depthMax)) return { what: 'deep', confidence: 'medium' }
  const bytes = tree.end(node) - tree.start(node)
  return bytes > stringBytesMax ? { what: 'oversized', confidence: 'low' } : undefined
}

function deeperThan(tree: JsonTree, node: Node, depth: number): boolean {
  const kind = tree.kind(node)
  if (kind !== 'object' && kind !== 'array') return false
  if (depth === 0) return true
  for (let n = tree.first(node); n !== NONE; n = tree.next(n)) {
    if (deeperThan(tree, kind === 'object' ? tree.value(n) : n, depth - 1)) return true
  }
  return false
}

const header =
  /(?:\r\n?|\n)\s{0,4}(?:set-cookie|location|content-length|content-type|x-[\w-]{2,40}|host|transfer-encoding|bcc|cc|to|from|subject|access-control-[\w-]{2,30}|refresh|http\/1\.[01])\s{0,4}[:\s]/i

/** Line ends that begin a header of HTTP or mail where one line is expected. */
export function headerSighting(text: string): Sighting | undefined {
  if (!/[\r\n]/.test(text) || text.length > 4096) return undefined
  const found = header.exec(text)
  if (found === null) return undefined
  const lines = text.split(/\r\n?|\n/, 12).length
  const isSure = /set-cookie|content-length|location|transfer-enc|bcc|http\/1|access-control/i.test(
    found[0],
  )
  return lines <= 6 && isSure ? { what: 'header', confidence: 'high' } : undefined
}
