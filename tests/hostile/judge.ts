/** What may be said of a card number, in a copy of a message that somebody will read. */
import { card } from './places.ts'
import type { Place } from './places.ts'

export const last4: string = card.slice(-4)

/** Whether a text gives away a piece of the number: six digits of it in a row are too many. */
export function tells(text: string, pieceLength = 6): boolean {
  for (let i = 0; i + pieceLength <= card.length; i++) {
    if (text.includes(card.slice(i, i + pieceLength))) return true
  }
  return false
}

/** The same of megabytes with times and ids in them, where six digits would be found by chance. */
export const tellsSomewhere = (text: string): boolean => tells(text, 10)

/** The value at a JSON Pointer (RFC 6901). */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document
  for (const part of pointer.split('/').slice(1)) {
    value = Reflect.get(Object(value), part.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  return value
}

/** What stands in a place as text: a key itself, the text behind base64, or the value as JSON has it. */
export function standing(document: unknown, { pointer, form }: Place): string {
  if (form === 'key') {
    const holder = valueAt(document, pointer.slice(0, pointer.lastIndexOf('/')))
    return (
      Object.keys(Object(holder)).find((key) => key.includes(last4) || key.startsWith('sp1.')) ?? ''
    )
  }
  const value = valueAt(document, pointer)
  if (form === 'base64') return Buffer.from(String(value), 'base64').toString()
  return String(value)
}

/** What is to stand there once it is masked. */
export function masked({ form }: Place, before: string): string {
  const hidden =
    form === 'number'
      ? `9${'0'.repeat(card.length - 5)}${last4}`
      : '*'.repeat(card.length - 4) + last4
  return before.replaceAll(card, hidden)
}
