/**
 * HTML from words of others. Two ways lead into a page, `words` and `block`, both for element content
 * only: nothing that was said by others ever stands in an attribute, a style or a comment.
 */
import { createHash } from 'node:crypto'
import { odd, oneLine } from './plain.ts'
import { style } from './style.ts'

/** HTML that was made here. `safe` makes it, and `words`, which makes any text harmless. */
class MadeMarkup {
  readonly #html: string
  constructor(html: string) {
    this.#html = html
  }
  get html(): string {
    return this.#html
  }
}
export type Markup = MadeMarkup

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** Text with what nobody sees made visible: its code point in a frame, `U+202E`. */
function shown(text: string): string {
  let html = ''
  let done = 0
  for (const { 0: character, index } of text.matchAll(odd)) {
    const code = character.codePointAt(0) ?? 0
    const name = code.toString(16).toUpperCase().padStart(4, '0')
    html += `${escaped(text.slice(done, index))}<b class="odd">U+${name}</b>`
    done = index + character.length
  }
  return html + escaped(text.slice(done))
}

/** Any text for a place within a line, kept apart from the direction of what stands around it. */
export function words(text: string): Markup {
  return new MadeMarkup(`<bdi>${shown(text)}</bdi>`)
}

/** Any text as it was written, with its line ends. The line feed behind the tag is dropped by
 *  parsers (HTML, 13.2.6.4.7), so that a first one of the text stays. */
export function block(text: string): Markup {
  return new MadeMarkup(`<pre>\n${shown(text)}</pre>`)
}

/** A template of our own HTML. What stands in it by `${}` is made markup, or a whole number. */
export function safe(
  parts: TemplateStringsArray,
  ...values: readonly (Markup | readonly Markup[] | number)[]
): Markup {
  let html = parts[0] ?? ''
  for (const [i, value] of values.entries()) {
    if (typeof value === 'number') html += String(value)
    else if (value instanceof MadeMarkup) html += value.html
    else html += value.map((one) => one.html).join('')
    html += parts[i + 1] ?? ''
  }
  return new MadeMarkup(html)
}

/** A moment of the log, whose form was checked when it was read (`storedEntry`). */
export function moment(time: string): Markup {
  return new MadeMarkup(`<time datetime="${escaped(time)}">${escaped(time)}</time>`)
}

/**
 * The beginning of a page, up to its `<body>`; within `<title>` no elements can stand. The policy stands before all else: nothing is loaded,
 * run or sent, and of styles only ours holds, by its digest (CSP Level 3, 2.3.1).
 */
export function head(title: string): Markup {
  const digest = createHash('sha256').update(style).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`
  return safe`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new MadeMarkup(policy)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${new MadeMarkup(escaped(oneLine(title)))}</title>
<style>${new MadeMarkup(style)}</style>
</head>
`
}
