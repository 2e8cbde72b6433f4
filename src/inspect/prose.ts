/** Whether a text is read by people: then an attack in it is most likely spoken of, not made. */
import type { Confidence } from './facts.ts'
import type { Piece, Sighting } from './piece.ts'

const looksAtMax = 4096
const payloadMax = 160

/** Words of those who write about attacks, code and commands. */
const cues =
  /\b(injections?|attack(s|er|ers|ing)?|payloads?|vulnerab\w{0,8}|exploit\w{0,4}|saniti[sz]\w{0,4}|escap(e|ed|ing|es)|prevent\w{0,4}|detect\w{0,4}|avoid\w{0,3}|bypass\w{0,3}|owasp|cwe|cve|examples?|explain\w{0,3}|tutorials?|documentation|documented|docs|malicious|untrusted|parameteri[sz]ed|prepared|reviews?|e\.g\.|such as|what (is|does)|what's|how (to|do|does|can)|why (is|does)|difference between|instead of|means|command|syntax|regex|stack ?overflow|beispiel|angriff\w{0,3}|verhinder\w{0,3}|exemple|attaque\w{0,2}|ejemplo|ataque\w{0,2}|explica\w{0,3}|erkl\w{2,4}|comment (faire|éviter)|cómo)\b/iu

/** Words of a language as they stand in sentences: letters between spaces, points and commas. */
export function wordsOf(text: string): number {
  let count = 0
  const found = /(?:^|[\s("“„«])\p{L}{2,20}(?=[\s.,;:!?)"”“»]|$)/gu
  const part = text.slice(0, looksAtMax)
  while (count < 60 && found.exec(part) !== null) count++
  return count
}

/** Whether a text speaks about something: sentences with a word of those who explain. */
function isAbout(text: string): boolean {
  // Names of hosts and files are no words: `attacker.example`.
  const part = text.slice(0, looksAtMax).replaceAll(/[\w-]{1,64}(?:\.[\w-]{1,64})+/g, '_')
  return cues.test(part) && wordsOf(part) >= 5
}

/** Whether a text is a document rather than one value: long, of several lines, or marked up. */
function isDocument(text: string): boolean {
  if (text.length > 1500) return true
  const part = text.slice(0, looksAtMax)
  if (/```|^#{1,4} \S|^diff --git|^@@ |^(?:---|\+\+\+) [ab]\//m.test(part)) return true
  return part.length > payloadMax && part.split('\n', 5).length > 3
}

/**
 * A sighting as the text's purpose lets it stand: what is spoken of in prose, or part of a document, is
 * of medium confidence at most.
 */
export function weighed(
  seen: Sighting | undefined,
  piece: Pick<Piece, 'role' | 'text'>,
): Sighting | undefined {
  if (seen === undefined || seen.confidence === 'low' || seen.confidence === 'medium') return seen
  return isSpokenOf(piece) ? { ...seen, confidence: 'medium' } : seen
}

function isSpokenOf({ role, text }: Pick<Piece, 'role' | 'text'>): boolean {
  if (isAbout(text) || isDocument(text)) return true
  if (role === 'prose') return text.length > payloadMax || wordsOf(text) >= 8
  return (
    role === 'code' &&
    (text.length > payloadMax ||
      /\n|[{}]|==|=>|['"`;]\s{0,4}\+|\+\s{0,4}['"`]/.test(text) ||
      program.test(text))
  )
}
const program =
  /\b(?:const|let|var|def|class|import|return|function|for|while|print|assert|include|require|public|void|int|end|puts|raise|throw|new|await|async|expect|echo|fi|done)\b/

const order: readonly Confidence[] = ['low', 'medium', 'high', 'certain']

/** The surer of two. */
export function surer(a: Sighting | undefined, b: Sighting | undefined): Sighting | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return order.indexOf(b.confidence) > order.indexOf(a.confidence) ? b : a
}
