/**
 * Every way in which a reader could still get digits out of a message: its strings and number
 * tokens, with escapes, entities, tags, percent signs, quoted-printable and base64 undone, one
 * inside the other, and with the digits of all scripts turned into ASCII.
 */

const viewsMax = 60
const depthMax = 6

/** The readable texts of one message. */
export function viewsOf(message: string): string[] {
  const views = new Set<string>()
  for (const leaf of leavesOf(message)) expand(leaf, views)
  return [...new Set([...views].map(readable))]
}

/** Strings, keys and number tokens; texts of neighbouring items also joined. */
function leavesOf(message: string): string[] {
  const leaves: string[] = []
  const texts: string[] = []
  const visit = (key: string, value: unknown, context?: { source?: string }): unknown => {
    if (key !== '') leaves.push(key)
    if (typeof value === 'string') {
      leaves.push(value)
      if (key === 'text') texts.push(value)
    } else if (typeof value === 'number') leaves.push(context?.source ?? String(value))
    return value
  }
  try {
    JSON.parse(message, visit)
  } catch {
    return [message] // No JSON any more, so it is read as it lies.
  }
  if (texts.length > 1) leaves.push(texts.join(''))
  return leaves
}

function expand(leaf: string, views: Set<string>): void {
  let level = [leaf]
  let count = 0
  for (let depth = 0; depth <= depthMax && level.length > 0; depth++) {
    const next: string[] = []
    for (const text of level) {
      if (views.has(text) || count++ > viewsMax) continue
      views.add(text)
      if (!/\d|\p{N}|[A-Za-z0-9+/=_-]{16}/u.test(text)) continue
      for (const undo of undoings) {
        const undone = undo(text)
        if (undone !== text) next.push(undone)
      }
    }
    level = next
  }
}

const undoings: readonly ((text: string) => string)[] = [
  unescape,
  withoutEntities,
  (text) => (text.includes('<') ? text.replaceAll(/<[^<>]{0,400}>/g, '') : text),
  (text) => percentDecoded(text, /(?:%[0-9A-Fa-f]{2})+/g, '%'),
  (text) => percentDecoded(text.replaceAll(/=\r?\n/g, ''), /(?:=[0-9A-F]{2})+/g, '='),
  base64Decoded,
]

/** `\u0034`, `\n` and `\"` in text; the control characters become spaces. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex?: string, short?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return 'nrtbf'.includes(short ?? ' ') ? ' ' : (short ?? '')
  })
}

const named: Readonly<Record<string, string>> = {
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  shy: '',
  zwnj: '',
  zwj: '',
  lrm: '',
  rlm: '',
  ndash: '-',
  mdash: '-',
  hyphen: '-',
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

function withoutEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g,
    (...found) => {
      const [all, decimal, hex, name] = found.map((part) =>
        part === undefined ? '' : String(part),
      )
      if (name) return named[name] ?? all ?? ''
      const point = decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16)
      return point <= 0x10ffff ? String.fromCodePoint(point) : (all ?? '')
    },
  )
}

function percentDecoded(text: string, runs: RegExp, sign: string): string {
  if (!text.includes(sign)) return text
  return text.replaceAll(runs, (run) =>
    Buffer.from(run.replaceAll(sign, ''), 'hex').toString('utf8'),
  )
}

function base64Decoded(text: string): string {
  const whole = text.replaceAll(/\s/g, '')
  const isWhole = /^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(whole)
  return (isWhole ? whole : text).replaceAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g, (run) => {
    const decoded = Buffer.from(run, 'base64').toString('utf8')
    const strange = decoded.match(/[^\t\r\n\x20-\x7e\u00a0-\uffee]|\ufffd/gu)?.length ?? 0
    return strange * 10 <= decoded.length ? decoded : run
  })
}

const digitOf = digitTable()

/** Code point to digit, for `\p{Nd}` and for raised, lowered and circled digits. */
function digitTable(): Map<string, string> {
  const table = new Map<string, string>()
  let run = 0
  for (let point = 0x80; point < 0x20000; point++) {
    const letter = String.fromCodePoint(point)
    if (!/\p{Nd}/u.test(letter)) {
      run = 0
      continue
    }
    table.set(letter, String(run % 10))
    run++
  }
  for (const list of ['⁰¹²³⁴⁵⁶⁷⁸⁹', '₀₁₂₃₄₅₆₇₈₉', '⓪①②③④⑤⑥⑦⑧⑨']) {
    for (let i = 0; i < 10; i++) table.set(list.charAt(i), String(i))
  }
  return table
}

/** ASCII digits, and nothing invisible in between. */
function readable(text: string): string {
  const digits = text.replaceAll(/[^\P{N}0-9]/gu, (letter) => digitOf.get(letter) ?? letter)
  return digits.replaceAll(/[\p{Cf}\u034f\ufe00-\ufe0f\u{e0000}-\u{e007f}]/gu, '')
}
