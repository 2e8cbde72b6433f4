/**
 * Names of tools that people or models take for each other: composed and decomposed letters, other
 * case, marks without width, letters of other scripts that look the same.
 *
 * The table has what stands for ASCII letters, since names of tools are written in these; it is our
 * own short choice after the idea of UTS #39, section 4, not its data.
 */
import type { Confidence } from './facts.ts'
import { hasHidden } from './pins-words.ts'

/** By the letter that is seen; upper case first where the lower case looks like another one. */
const looks: readonly (readonly [letter: string, like: string])[] = [
  ['a', 'ΑᎪАαаɑᴀ'],
  ['b', 'ΒᏴВвЬьβʙ'],
  ['c', 'ᏟСсϲᴄⅽ'],
  ['d', 'ᎠԁᴅԀ'],
  ['e', 'ΕᎬЕеєεᴇ'],
  ['f', 'ꜰƒ'],
  ['g', 'ᏀɡɢցԌ'],
  ['h', 'ΗᎻНнһհʜҺ'],
  ['i', 'ΙІіιıɩɪӀӏ|'],
  ['j', 'ᎫЈјᴊϳ'],
  ['k', 'ΚᏦКкκᴋ'],
  ['l', 'Ꮮʟⅼ'],
  ['m', 'ΜᎷМмᴍ'],
  ['n', 'ΝηոɴПпռ'],
  ['o', 'ΟОоοօᴏסσ'],
  ['p', 'ΡᏢРрρᴘƿ'],
  ['q', 'ԛզԚ'],
  ['r', 'ᎡгГʀ'],
  ['s', 'ᏚЅѕꜱ'],
  ['t', 'ΤᎢТтτᴛ'],
  ['u', 'սυμᴜԱ'],
  ['v', 'ᏙνѵᴠѴ'],
  ['w', 'ᎳԝᴡԜω'],
  ['x', 'ΧХхχ'],
  ['y', 'ΥУуүγʏҮ'],
  ['z', 'ΖᏃζᴢ'],
  ['-', '‐‑‒–—−˗⁃'],
  ['_', 'ˍ‗'],
  ['.', '·•․ꓸ'],
  ['/', '∕⁄⧸'],
]
const seen: ReadonlyMap<string, string> = new Map(
  looks.flatMap(([letter, like]) => Array.from(like).map((one) => [one, letter] as const)),
)
const ignorable = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
/** Signs of ASCII that look alike in many fonts. */
const alike: Readonly<Record<string, string>> = { '0': 'o', '1': 'l', i: 'l' }

export interface Look {
  /** Equal for names that are taken for each other. */
  readonly skeleton: string
  /** The name in lower case, composed: names that differ only in case share it. */
  readonly folded: string
  /** It has a letter that is not ASCII, or one that nobody sees. */
  readonly isOdd: boolean
}

/** Names come with every call, and are few. */
const known = new Map<string, Look>()
const knownMax = 4096
const knownLengthMax = 256

export function lookOf(name: string): Look {
  const before = known.get(name)
  if (before !== undefined) return before
  const look = makeLook(name)
  if (name.length > knownLengthMax) return look
  if (known.size >= knownMax) known.clear()
  known.set(name, look)
  return look
}

function makeLook(name: string): Look {
  const folded = name.normalize('NFC').toLowerCase()
  const letters = Array.from(name.normalize('NFKC').replace(ignorable, ''))
  const lower = letters.map((letter) => seen.get(letter) ?? letter.toLowerCase()).join('')
  const mapped = Array.from(lower).map((letter) => seen.get(letter) ?? letter)
  const skeleton = mapped
    .map((letter) => alike[letter] ?? letter)
    .join('')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
  // oxlint-disable-next-line no-control-regex -- everything that is not ASCII
  return { skeleton, folded, isOdd: /[^\x00-\x7f]/.test(name) || hasHidden(name) }
}

/** A name and where it stands. */
export interface Named {
  readonly connection: string
  readonly name: string
  readonly look: Look
  /** Of two names the one that came later has the higher. */
  readonly order: number
}

/**
 * How sure it is that `one` is there to be taken for `other`; undefined where it is not. Of two names
 * only one is told of: the odd one, else the later one, so that nobody can make a name of others
 * suspect. On another connection the same name, or one in other case, is an ordinary thing.
 */
export function twinOf(one: Named, other: Named): Confidence | undefined {
  if (one.look.skeleton !== other.look.skeleton) return undefined
  const isSuspect = one.look.isOdd === other.look.isOdd ? one.order > other.order : one.look.isOdd
  if (!isSuspect || (one.name === other.name && one.connection === other.connection)) {
    return undefined
  }
  const isNear = one.connection === other.connection
  if (one.look.isOdd && one.name !== other.name) return 'high'
  if (one.look.folded === other.look.folded) return isNear ? 'low' : undefined
  return isNear ? 'medium' : undefined
}
