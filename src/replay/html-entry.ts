/** One entry on the page of a replay, with an anchor of its own: `#e123`. */
import { piecesOf, unreadable } from './body.ts'
import { block, moment, safe, words } from './markup.ts'
import { counted, odd, spelt } from './plain.ts'
import { furtherMembers, maskingsOf, meaningOf, proofWords, told } from './tell.ts'
import type { Piece } from './body.ts'
import type { Markup } from './markup.ts'
import type { Shown } from './shown.ts'

/** Texts beyond these are folded, so that a page stays a page. On paper they are open. */
const charactersShownMax = 4000
const linesShownMax = 40

export function entryItem(shown: Shown): Markup {
  const { entry } = shown
  const { index, time } = entry
  const meaning = meaningOf(entry)
  const note = meaning === undefined ? [] : [safe`<p class="note">Note: ${words(meaning)}</p>\n`]
  const maskings = maskingsOf(entry).map(({ each, what }) => {
    return safe`<div class="piece"><p>${words(what)}</p>${block(each)}</div>\n`
  })
  return safe`<li id="e${index}"><p><a href="#e${index}">${index}</a> ${moment(time)} ${words(told(entry))}</p>
${note}${furtherMembers(entry).map(pieceItem)}${bodyItems(shown)}${maskings}${proofItem(shown)}</li>
`
}

function bodyItems({ entry }: Shown): Markup[] {
  const bytes = entry.body()
  if (bytes) return piecesOf(bytes).map(pieceItem)
  const why = unreadable[entry.bodyState]
  return why === undefined ? [] : [safe`<p class="note">Not shown: ${words(why)}</p>\n`]
}

function pieceItem({ name, text }: Piece): Markup {
  const lineCount = text.split('\n').length
  if (text.length <= charactersShownMax && lineCount <= linesShownMax) {
    return safe`<div class="piece"><p class="quiet">${words(name)}</p>${block(text)}</div>\n`
  }
  const size = `${counted(text.length, 'character')}, ${counted(lineCount, 'line')}`
  return safe`<details class="piece"><summary>${words(name)}, ${words(size)}</summary>${block(text)}</details>\n`
}

/**
 * The proof, and the entry which it proves. What nobody sees is spelt in the entry as JSON escapes:
 * parsed and written canonically (RFC 8785) it is the log's own bytes again.
 */
function proofItem({ entry, proof }: Shown): Markup[] {
  if (proof === undefined) return []
  const text = proofWords(entry.index, proof)
  if (proof === null) return [safe`<p class="piece quiet">Proof: ${words(text)}</p>\n`]
  const line = entry.line.toString('utf8').replace(odd, spelt)
  return [
    safe`<details class="piece"><summary>Proof: ${words(text)}</summary>
<p class="quiet">The entry</p>${block(line)}<p class="quiet">Its proof (c2sp.org/tlog-proof)</p>${block(proof)}</details>\n`,
  ]
}
