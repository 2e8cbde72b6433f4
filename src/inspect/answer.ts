/** What a server's message says to a model: descriptions of tools, results, errors, prompts, resources. */
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import { exfiltration } from './exfiltration.ts'
import type { Family, Finding } from './facts.ts'
import { hiddenText } from './hidden-text.ts'
import { instructions } from './instructions.ts'
import { layersOf } from './layers.ts'
import { eachPiece } from './piece.ts'
import type { Sighting } from './piece.ts'
import { surer } from './prose.ts'

const findingsMax = 200
const textsMax = 20_000
/** Names of properties that hold no sentences; values are read whatever they are called. */
const keyLengthMin = 12

/**
 * Looks through a message of a server: every string of its result, error or params, and long keys.
 * @param node the message object. Never throws.
 */
export function findAnswer(tree: JsonTree, node: Node): readonly Finding[] {
  const findings: Finding[] = []
  const add = (family: Family, seen: Sighting | undefined, at: string): void => {
    if (seen === undefined || findings.length >= findingsMax) return
    findings.push({ family, confidence: seen.confidence, at, what: seen.what })
  }
  let count = 0
  for (const member of ['result', 'error', 'params']) {
    const inner = tree.get(node, member)
    if (inner === NONE) continue
    eachPiece(tree, inner, `/${member}`, 'content', ({ text, at, isKey }) => {
      if (text.length < keyLengthMin && (isKey || text.length < 4)) return true
      add('hidden_text', hiddenText(text), at)
      const seen = spokenIn(text)
      add('instructions', seen.instructions, at)
      add('exfiltration', seen.exfiltration, at)
      return ++count < textsMax && findings.length < findingsMax
    })
  }
  return findings
}

interface Spoken {
  readonly instructions: Sighting | undefined
  readonly exfiltration: Sighting | undefined
}

/** Base64 of pictures is long and says nothing; what decodes to text is read. */
function spokenIn(text: string): Spoken {
  let orders: Sighting | undefined
  let away: Sighting | undefined
  for (const layer of layersOf(text)) {
    // Letters with something unseen between them are still those letters to a model.
    const plain = layer.text.replaceAll(/[\u200b-\u200d\u2060\ufeff\u00ad]/g, '')
    orders = surer(orders, instructions(plain))
    away = surer(away, exfiltration(plain))
  }
  return { instructions: orders, exfiltration: away }
}
