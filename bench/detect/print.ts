/** JSON as different servers print it. Numbers may be given as tokens, so that none is rounded. */

/** A number as its very token: `new Token('1e3')`. */
export class Token {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | Token
  | readonly Value[]
  | { readonly [key: string]: Value }

/** How one server prints. */
export interface Style {
  /** Spaces a level; 0 prints one line. */
  readonly indent: number
  readonly comma: string
  readonly colon: string
  /** Everything beyond ASCII as `\uXXXX`, as Python does by default. */
  readonly isAscii: boolean
}

export const compact: Style = { indent: 0, comma: ',', colon: ':', isAscii: false }
export const pretty: Style = { indent: 2, comma: ',', colon: ': ', isAscii: false }
export const python: Style = { indent: 0, comma: ', ', colon: ': ', isAscii: true }
export const styles: readonly Style[] = [
  compact,
  pretty,
  python,
  { ...python, isAscii: false },
  { ...pretty, indent: 4, isAscii: true },
]

export function print(value: Value, style: Style = compact, depth = 0): string {
  if (value instanceof Token) return value.text
  if (typeof value === 'string') return quote(value, style.isAscii)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  if (isList(value)) {
    return wrap(
      '[]',
      value.map((item) => print(item, style, depth + 1)),
      style,
      depth,
    )
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  const texts = members.map(
    ([key, member]) =>
      `${quote(key, style.isAscii)}${style.colon}${print(member, style, depth + 1)}`,
  )
  return wrap('{}', texts, style, depth)
}

const isList = (value: object): value is readonly Value[] => Array.isArray(value)

function wrap(ends: string, texts: readonly string[], style: Style, depth: number): string {
  if (texts.length === 0) return ends
  if (style.indent === 0) return `${ends.charAt(0)}${texts.join(style.comma)}${ends.charAt(1)}`
  const inner = `\n${' '.repeat(style.indent * (depth + 1))}`
  const outer = `\n${' '.repeat(style.indent * depth)}`
  return `${ends.charAt(0)}${inner}${texts.join(`,${inner}`)}${outer}${ends.charAt(1)}`
}

function quote(text: string, isAscii: boolean): string {
  const quoted = JSON.stringify(text)
  return isAscii ? escapeBeyond(quoted) : quoted
}

/** UTF-16 code units above ASCII as `\uXXXX`. */
export function escapeBeyond(text: string): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    out += unit < 0x7f ? text.charAt(i) : `\\u${unit.toString(16).padStart(4, '0')}`
  }
  return out
}
