/** One value with its name known: what a key or column says is weighed against what stands there. */
import { fits } from '../../src/cards/ranges.ts'
import {
  BLOCK,
  CARD,
  CONTEXT,
  CVV,
  OTHER_NUMBER,
  PIN,
  POSTAL,
  SECRET,
  TRACK,
} from '../../src/cards/words.ts'
import { isLuhn } from './groups.ts'
import { doubt } from './readings.ts'
import { hitsOf, removed, trackRemoved, weigh } from './running.ts'
import { endOf, see, starred, startOf } from './signs.ts'
import { Decoded, decode } from './spellings.ts'
import type { Hit, HitKind } from './running.ts'
import type { Encoding } from './spellings.ts'

const encodings: readonly Encoding[] = ['html', 'percent', 'quoted', 'markdown']
/** How many encodings may lie over each other. */
const layersMax = 2

/** The hits in a string whose name has this meaning (flags of `words.ts`), in order. */
export function valueHits(text: string, meaning: number): Hit[] {
  let hits = plainHits(text, meaning)
  hits = [...emvHits(text), ...blockHits(text)].reduce((all, hit) => joined(all, [hit]), hits)
  return layerHits(text, meaning, hits, layersMax).toSorted((a, b) => a.start - b.start)
}

/** What lies below encodings; what was found as it stands is not told again. */
function layerHits(text: string, meaning: number, found: Hit[], layers: number): Hit[] {
  let hits = found
  for (const encoding of layers > 0 ? encodings : []) {
    const units = decode(text, encoding)
    if (units === undefined) continue
    const decoded = new Decoded(text, units, encoding)
    const below = plainHits(decoded.text, meaning)
    const deeper = layerHits(decoded.text, meaning, [], layers - 1)
    for (const list of [below, deeper])
      hits = joined(
        hits,
        list.map((hit) => backward(decoded, hit)),
      )
  }
  return hits
}

function backward(decoded: Decoded, hit: Hit): Hit {
  const { start, end, puts } = decoded.back(hit, [hit.put, hit.shown ?? ''], hit.kind === 'pan')
  const [put = '', shown = ''] = puts
  return { start, end, kind: hit.kind, put, shown: hit.shown === undefined ? undefined : shown }
}

/** Hits with others that overlap none of them; one that holds one of them and more replaces it. */
function joined(hits: readonly Hit[], others: readonly Hit[]): Hit[] {
  const all = [...hits]
  for (const other of others) {
    const touched = hits.filter((hit) => hit.start < other.end && hit.end > other.start)
    const [only] = touched
    if (only === undefined) all.push(other)
    else if (touched.length === 1 && other.start <= only.start && other.end >= only.end) {
      const isWider = other.end - other.start > only.end - only.start
      if (isWider && all.includes(only)) all.splice(all.indexOf(only), 1, other)
      if (isWider && other.kind !== only.kind) doubt.isAny = true
    }
  }
  return all
}

function plainHits(text: string, meaning: number): Hit[] {
  const secret = (meaning & SECRET) === 0 ? undefined : secretHit(text, meaning)
  // What stands beside the value is looked at as well.
  if (secret !== undefined) return joined([secret], hitsOf(text, meaning & (CARD | CONTEXT)))
  const whole = (meaning & CARD) === 0 ? undefined : wholeHit(text)
  return whole === undefined ? hitsOf(text, meaning & (CARD | CONTEXT | OTHER_NUMBER)) : [whole]
}

/** A card column holds numbers in any grouping: all of the value is one, where it can be. */
function wholeHit(text: string): Hit | undefined {
  const length = text.replaceAll(/[^0-9]/g, '').length
  if (!/^[0-9 ./_-]{12,64}$/.test(text) || length < 12 || length > 19) return undefined
  const seen = see(text)
  return { start: 0, end: text.length, kind: 'pan', put: starred(seen, 0, seen.signs.length) }
}

/** Whether so many digits under a name are a PIN; where it may be a postal code, six are that one. */
function isPin(meaning: number, length: number): boolean {
  if ((meaning & PIN) === 0 || length < 4 || length > 12) return false
  return (meaning & POSTAL) === 0 || length !== 6 || (meaning & CONTEXT) !== 0
}

/** A string whose key names a verification value, PIN, PIN block or track. */
function secretHit(text: string, meaning: number): Hit | undefined {
  const seen = see(text)
  const hit = (from: number, to: number, kind: HitKind, put: string): Hit => ({
    start: startOf(seen, from),
    end: endOf(seen, to),
    kind,
    put,
  })
  const [before = ''] = /^[\0- ]*/.exec(seen.flat) ?? []
  const value = seen.flat.slice(before.length).replace(/[\0- ]+$/, '')
  const [from, to] = [before.length, before.length + value.length]
  const digits = value.replaceAll(/[^0-9]/g, '').length
  if ((meaning & TRACK) !== 0 && digits >= 12)
    return hit(0, seen.signs.length, 'track', trackRemoved)
  const isBlock = /^(?:[0-9A-Fa-f]{16}){1,2}$/.test(value) && digits > 0
  if (isPin(meaning, value.length) && digits === value.length) return hit(from, to, 'pin', removed)
  if ((meaning & (BLOCK | PIN)) !== 0 && isBlock) return hit(from, to, 'pin', removed)
  if ((meaning & CVV) === 0 || Buffer.byteLength(value) > 32) return undefined
  // Three or four digits that stand by themselves, among a few other words.
  for (const run of value.matchAll(/[0-9]+/g)) {
    const [start, end] = [run.index, run.index + run[0].length]
    const isAlone = !/[A-Za-z_]$/.test(value.slice(0, start)) && !/^[A-Za-z]/.test(value.slice(end))
    if (isAlone && (run[0].length === 3 || run[0].length === 4))
      return hit(from + start, from + end, 'cvv', removed)
  }
  return undefined
}

/** Card data in the hex of EMV tags (EMV Book 3, Annex B): a tag is its name, one byte of length, and
 *  that many bytes. Track 2 stands under 57 and 9F6B, the number under 5A. */
function emvHits(text: string): Hit[] {
  const hits: Hit[] = []
  if (!/[0-9A-Fa-f]{16}/.test(text)) return hits
  for (const name of ['57', '9F6B', '9f6b', '5A', '5a']) {
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      const start = at + name.length + 2
      const length = Number.parseInt(/^[0-9A-Fa-f]{2}/.exec(text.slice(start - 2))?.[0] ?? '0', 16)
      const value = text.slice(start, start + length * 2)
      if (length < 6 || length > 19 || value.length < length * 2) continue
      const isTrack = !/^5a$/i.test(name)
      const shape = isTrack ? /^([0-9]{12,19})[Dd][0-9]{7,}/ : /^([0-9]{12,})[Ff]?$/
      const number = shape.exec(value)?.[1]
      if (number === undefined || fits(number) === undefined || !isLuhn(number)) continue
      // Letters of no hex word go on with it.
      if (!isTrack && /^[G-Zg-z]/.test(text.slice(start + value.length))) continue
      const end = start + (isTrack ? value.length : number.length)
      const put = isTrack ? trackRemoved : '*'.repeat(number.length - 4) + number.slice(-4)
      hits.push({ start, end, kind: isTrack ? 'track' : 'pan', put })
    }
  }
  return hits
}

/** PIN blocks named in a text: `PIN block (ISO-0): 2E30…`, of 16 or 32 hex digits (ISO 9564), and
 *  field 52 of ISO 8583. */
function blockHits(text: string): Hit[] {
  const between = String.raw`[^0-9A-Za-z]{0,4}`
  const name = String.raw`(?:pin[\s_-]{0,2}(?:block|blk|data)|\bepb|\b(?:f|de|field|bit)[\s_-]?0?52)\b${between}`
  const format = String.raw`(?:pin[\s_-]?data|iso|format|fmt|hex)[\s_-]?(?:format[\s_-]?)?\d?${between}`
  const verb = String.raw`(?:(?:is|was)[^0-9A-Za-z]{0,3})?`
  const shape = new RegExp(
    `${name}(?:${format}){0,2}${verb}([0-9A-F]{32}|[0-9A-F]{16})(?![0-9A-Za-z])`,
    'gi',
  )
  return [...text.matchAll(shape)].map((match) => {
    const end = match.index + match[0].length
    return { start: end - (match[1]?.length ?? 0), end, kind: 'pin' as const, put: removed }
  })
}

/** What stands in place of a number token, for the record and for the client. */
export function numberPut(
  token: string,
  meaning: number,
): { kind: HitKind; put: string; isLow: boolean } | undefined {
  const secret = (meaning & SECRET) === 0 ? undefined : secretNumber(token, meaning)
  if (secret !== undefined) return { kind: secret, put: '0', isLow: false }
  const whole = wholeOf(token)
  const card = whole === undefined ? undefined : cardForm(whole, meaning)
  if (card !== undefined && card.form === whole) return undefined
  if (card !== undefined)
    return { kind: 'pan', put: inSpelling(token, card.form), isLow: card.isLow }
  // `4111111111111111e2` is no card number, but shows one.
  const shown = /^-?([0-9]{12,})[eE]/.exec(token)?.[1]
  const form = shown === undefined ? undefined : cardForm(shown, meaning)
  if (form === undefined || shown === undefined || form.form === shown) return undefined
  return { kind: 'pan', put: token.replace(shown, form.form), isLow: form.isLow }
}

function secretNumber(token: string, meaning: number): HitKind | undefined {
  const whole = wholeOf(token)
  if (whole === undefined || token.startsWith('-')) return undefined
  const { length } = whole
  // 0 is what we write ourselves; 1 is a flag rather than a value which lost two zeros.
  const isFlag = length === 1 && whole <= '1'
  if ((meaning & CVV) !== 0 && length <= 4 && !isFlag) return 'cvv'
  // A zero in front is lost in a number.
  if (isPin(meaning, length === 3 ? 4 : length)) return 'pin'
  if ((meaning & (BLOCK | TRACK)) === 0 || length < 12) return undefined
  return (meaning & TRACK) !== 0 ? 'track' : 'pin'
}

/** The digits of a JSON number as it is meant: `4.1E3` is 4100. Undefined when it is no whole number
 *  of up to nineteen digits. */
function wholeOf(token: string): string | undefined {
  const parts = /^-?([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/.exec(token)
  if (parts === null) return undefined
  const [, head = '', tail = '', exponent = '0'] = parts
  const length = head.length + Number(exponent)
  if (length < 1 || length > 19 || head.length + tail.length > 40) return undefined
  const digits = (head + tail).padEnd(length, '0')
  return /^0*$/.test(digits.slice(length)) ? digits.slice(0, length) : undefined
}

/** What stands in place of the digits of a card number in a number token; undefined for none. */
function cardForm(digits: string, meaning: number): { form: string; isLow: boolean } | undefined {
  if (digits.length < 12 || digits.length > 19) return undefined
  // What we write ourselves stays.
  if (new RegExp(`^900[01]0{${digits.length - 8}}`).test(digits))
    return { form: digits, isLow: false }
  const marks = {
    digits,
    isNear: (meaning & CONTEXT) !== 0,
    isNamedOther: (meaning & OTHER_NUMBER) !== 0,
    isGrouped: false,
  }
  const confidence = (meaning & CARD) !== 0 ? 'certain' : weigh(marks)
  if (confidence === undefined) return undefined
  const plain = `9000${'0'.repeat(digits.length - 8)}${digits.slice(-4)}`
  // In no issuer's range and never right by Luhn.
  const form = isLuhn(plain) ? `9001${plain.slice(4)}` : plain
  return { form, isLow: confidence === 'low' }
}

/** Digits in the spelling of a token: sign, point and exponent stay where they are. */
function inSpelling(token: string, digits: string): string {
  const [mantissa = '', exponent = ''] = token.split(/(?=[eE])/)
  let at = 0
  return mantissa.replaceAll(/[0-9]/g, (digit) => digits[at++] ?? digit) + exponent
}
