/** What a text becomes where it is decoded once more: percent-encoding, entities, base64, odd digits. */

const layersMax = 5
/** Longer texts are looked at as they are, and decoded once. */
const deepMax = 262_144

const percent = /%(?:u[\da-f]{4}|[\da-f]{2})/i
const percents = /(?:%(?:u[\da-f]{4}|[\da-f]{2})){1,2000}/gi
const entity =
  /&(?:#\d{1,7}|#x[\da-f]{1,6}|lt|gt|amp|quot|apos|nbsp|sol|bsol|period|lpar|rpar|semi|colon|num|dollar|grave|vert|verbar|Tab|NewLine);?/gi
const escaped = /\\(?:u[\da-f]{4}|x[\da-f]{2})/gi
const wide =
  /[\uff01-\uff5e\u2018\u2019\u02bc\u02b9\u2032\u2024\u2215\u2044\u29f8\u2216\u3002\uff61\u2460-\u24ff\u{1d400}-\u{1d7ff}\u2070-\u209c\u00b2\u00b3\u00b9]/u
const base64 = /^(?:[A-Za-z0-9+/_-]{4}){3,}(?:[A-Za-z0-9+/_-]{2,3}={0,2})?$/
/** Of a form: `+` stands for a blank (URL Standard, application/x-www-form-urlencoded). */
const form =
  /^[^\s]*(?:%[\da-f]{2}[^\s]*\+|\+[^\s]*%[\da-f]{2}|\+(?:or|and|union|select|dir|cat|type|waitfor)\+)/i
/** Line ends spelled as programmers spell them, where a command could follow. */
const lineEnd = /^\\[nr]|\\[nr](?=\/(?:usr|bin|etc|sbin)\b)/g
const names: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  sol: '/',
  bsol: '\\',
  period: '.',
  lpar: '(',
  rpar: ')',
  semi: ';',
  colon: ':',
  num: '#',
  dollar: '$',
  grave: '`',
  vert: '|',
  verbar: '|',
  Tab: '\t',
  NewLine: '\n',
}

/** One reading of a text. */
export interface Layer {
  readonly text: string
  /** How it came about; empty for the text as it stands. */
  readonly by: '' | 'form' | 'percent' | 'entity' | 'escape' | 'compatible' | 'base64'
}

/** The text as it stands, and what it decodes to; each reading once. */
export function layersOf(text: string): readonly Layer[] {
  const out: Layer[] = [{ text, by: '' }]
  if (!/[%&\\+\u0080-\uffff]|^[A-Za-z0-9+/_-]{14,}={0,2}$/.test(text)) return out
  const add = (next: string, by: Layer['by']): void => {
    if (out.length < layersMax && next !== '' && out.every((one) => one.text !== next))
      out.push({ text: next, by })
  }
  for (let i = 0; i < out.length && i < layersMax; i++) {
    const one = out[i]?.text ?? ''
    if (i > 0 && one.length > deepMax) break
    if (i === 0 && one.length < 8192 && one.includes('+') && form.test(one)) {
      add(unpercent(one.replaceAll('+', ' ')), 'form')
    }
    if (percent.test(one)) add(unpercent(one), 'percent')
    if (one.includes('&')) add(unentity(one), 'entity')
    if (one.includes('\\')) add(unescape(one), 'escape')
    if (wide.test(one)) add(compatible(one), 'compatible')
    if (i === 0) add(unbase64(one), 'base64')
  }
  return out
}

/** Undone even where the bytes are no good UTF-8: overlong forms become what careless readers make of them. */
function unpercent(text: string): string {
  return text.replace(percents, (run) => {
    let out = ''
    const bytes: number[] = []
    const flush = (): void => {
      if (bytes.length > 0) out += careless(bytes)
      bytes.length = 0
    }
    for (let i = 0; i < run.length;) {
      if (/[uU]/.test(run.charAt(i + 1))) {
        flush()
        out += String.fromCharCode(parseInt(run.slice(i + 2, i + 6), 16))
        i += 6
      } else {
        bytes.push(parseInt(run.slice(i + 1, i + 3), 16))
        i += 3
      }
    }
    flush()
    return out
  })
}

/** `C0 AF` is `/`, `C0 AE` is `.`, `E0 80 AF` is `/`: RFC 3629 §3 forbids them, old readers take them. */
function careless(bytes: readonly number[]): string {
  const clean: number[] = []
  for (let i = 0; i < bytes.length; i++) {
    const [a = 0, b = 0, c = 0] = bytes.slice(i, i + 3)
    if ((a === 0xc0 || a === 0xc1) && b >= 0x2f) {
      clean.push(((a & 1) << 6) | (b & 0x3f))
      i++
    } else if (a === 0xe0 && b === 0x80 && c >= 0x80) {
      clean.push(c & 0x7f & 0x3f)
      i += 2
    } else clean.push(a)
  }
  return Buffer.from(clean).toString('utf8')
}

function unentity(text: string): string {
  return text.replace(entity, (all) => {
    const name = all.slice(1).replace(/;$/, '')
    if (!name.startsWith('#')) return names[name] ?? all
    const point = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : Number(name.slice(1))
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : all
  })
}

function unescape(text: string): string {
  return text
    .replace(escaped, (all) => String.fromCharCode(parseInt(all.slice(2), 16)))
    .replace(lineEnd, '\n')
}

/** Compatibility forms as what they look like: `ｏ` is `o`, `’` is `'`, `①` is `1` (UAX #15, NFKC). */
function compatible(text: string): string {
  return text
    .slice(0, deepMax)
    .normalize('NFKC')
    .replaceAll(/[\u2018\u2019\u02bc\u02b9\u2032]/g, "'")
    .replaceAll(/[\u2215\u2044\u29f8]/g, '/')
    .replaceAll('\u2216', '\\')
    .replaceAll(/[\u3002\uff61]/g, '.')
}

/** Text behind base64, where the whole argument is it; empty for what is none. */
function unbase64(text: string): string {
  const plain = text.trim()
  if (plain.length < 14 || plain.length > deepMax || !base64.test(plain)) return ''
  if (/^[a-z]+$/i.test(plain) && !plain.endsWith('=')) {
    if (!/[a-z]/.test(plain) || !/[A-Z]/.test(plain)) return ''
  }
  const bytes = Buffer.from(plain, 'base64')
  const decoded = bytes.toString('utf8')
  if (decoded.includes('\ufffd') || !/^[\t\n\r\x20-\x7e\u00a0-\uffff]+$/.test(decoded)) return ''
  return decoded
}
