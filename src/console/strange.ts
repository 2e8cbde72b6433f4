/**
 * Text which somebody is asked to judge, as a page shows it: letter by letter what will be sent. What
 * nobody sees, what turns the direction of reading, and letters which pass for others of another
 * script (UTS #39, mixed scripts) stand there by their code point. WebAuthn shows a person nothing of
 * what they sign, so what they read is this page's word alone.
 */
import { html } from 'hono/html'
import { odd } from '../replay/plain.ts'

type Markup = ReturnType<typeof html>

/**
 * Besides what `odd` names: the joiners, which a statement needs no more than other marks; blanks
 * that are no space; fillers which look like one; selectors of variants.
 */
const unseen =
  /\u00a0|\u034f|\u115f|\u1160|\u1680|\u17b4|\u17b5|[\u2000-\u200a]|\u200c|\u200d|\u202f|\u205f|\u2800|\u3000|\u3164|[\ufe00-\ufe0f]|\uffa0/gu

/** Letters and digits in a row, as a name has them. */
const word = /[\p{L}\p{N}\p{M}_$]+/gu
const latin = /\p{Script=Latin}/u
/** Letters of scripts which have some that look like Latin ones. */
const lookalike =
  /(?![\u00b5])[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]|[\uff01-\uff5e\u{1d400}-\u{1d7ff}]/gu

interface Mark {
  readonly index: number
  readonly length: number
  /** Whether the character itself is shown too, beside its code point. */
  readonly isSeen: boolean
}

/** What is strange in a text, in order. */
function marksOf(text: string): readonly Mark[] {
  const marks: Mark[] = []
  const add = (at: number, { 0: found, index }: RegExpExecArray, isSeen: boolean): void =>
    void marks.push({ index: at + index, length: found.length, isSeen })
  for (const match of text.matchAll(odd)) add(0, match, false)
  for (const match of text.matchAll(unseen)) add(0, match, false)
  for (const { 0: run, index } of text.matchAll(word)) {
    const isAlone = /^[\uff01-\uff5e\u{1d400}-\u{1d7ff}]/u.test(run)
    if (!isAlone && !latin.test(run)) continue
    for (const match of run.matchAll(lookalike)) add(index, match, true)
  }
  return marks.toSorted((one, other) => one.index - other.index)
}

/** How many characters of a text are shown by their code point. */
export function strangeIn(text: string): number {
  return marksOf(text).length
}

/** The text for a `<pre>` or within a line, every such character spelt as `U+202E`. */
export function strange(text: string): Markup {
  const parts: (string | Markup)[] = []
  let done = 0
  for (const { index, isSeen, length } of marksOf(text)) {
    if (index < done) continue
    const character = text.slice(index, index + length)
    const name = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    parts.push(text.slice(done, index), isSeen ? character : '')
    parts.push(html`<b class="odd">U+${name}</b>`)
    done = index + length
  }
  parts.push(text.slice(done))
  return html`${parts}`
}
