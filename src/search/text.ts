/** The words of a masked message that can be searched: of a call its arguments, of an answer all. */
import { NONE, readJson } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'

const limits = { bytesMax: 268_435_456, depthMax: 512 }

/** What a message says, in the order it stands there. */
export interface Said {
  /** Strings as they were meant (escapes decoded) and numbers as they were written. */
  readonly words: readonly string[]
  /** Not all of it: the message has more than the bound. */
  readonly isCut: boolean
}

/**
 * Of a request the values of its `arguments`, or of its `params` where there are none; of an answer
 * its `result` or `error`; of anything else all of it. Names of members are left out, and so is
 * `_meta`, which speaks to the protocol.
 * @param lengthMax of all words together, in UTF-16 units.
 */
export function wordsOf(body: Uint8Array, lengthMax: number): Said {
  let tree: JsonTree
  try {
    tree = readJson(body, limits)
  } catch {
    // Not JSON, or deeper than our reader goes: searched as the text it is.
    return cut([Buffer.from(body.subarray(0, lengthMax * 4)).toString('utf8')], lengthMax)
  }
  const words: string[] = []
  collect(tree, rootOf(tree), words, { left: lengthMax + 1 })
  return cut(words, lengthMax)
}

function rootOf(tree: JsonTree): Node {
  const given = tree.at('params', 'arguments')
  if (given !== NONE) return given
  for (const name of ['params', 'result', 'error']) {
    const node = tree.at(name)
    if (node !== NONE) return node
  }
  return tree.root
}

/** The reader bounds the depth, and so this recursion. */
function collect(tree: JsonTree, node: Node, words: string[], room: { left: number }): void {
  if (room.left <= 0) return
  const kind = tree.kind(node)
  if (kind === 'string') add(tree.text(node))
  else if (kind === 'number') add(Buffer.from(tree.raw(node)).toString('latin1'))
  else if (kind === 'array') {
    for (let item = tree.first(node); item !== NONE; item = tree.next(item)) {
      collect(tree, item, words, room)
    }
  } else if (kind === 'object') {
    for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
      if (tree.text(key) !== '_meta') collect(tree, tree.value(key), words, room)
    }
  }

  function add(word: string): void {
    words.push(word)
    room.left -= word.length + 1
  }
}

function cut(words: readonly string[], lengthMax: number): Said {
  const kept: string[] = []
  let left = lengthMax
  for (const word of words) {
    if (left <= 0) return { words: kept, isCut: true }
    kept.push(word.length > left ? word.slice(0, left) : word)
    if (word.length > left) return { words: kept, isCut: true }
    left -= word.length + 1
  }
  return { words: kept, isCut: false }
}
