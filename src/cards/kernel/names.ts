/** The names that matter to the kernel: all of those in `words.ts` whose value has no spot of its own. */
import { BLOCK, CID, CVV, PIN, TRACK, namesOf } from '../words.ts'
import type { Name } from './endings.ts'

// What a name tells wherever it stands, as a key only, and that its value is base64: as in `names.as`.
const anywhere = 1
const key = 2
const blob = 4

/** Of ISO 8583, field 52: what stands in front of it in a text, as `blocks.ts` reads it. */
const fields = ['f', 'de', 'field', 'bit'].flatMap((word) => [`${word}52`, `${word}052`])

export const names: readonly Name[] = [
  ...[...namesOf(CVV | PIN | BLOCK | CID), ...fields, 'pindata'].map((name) => ({
    name,
    tells: anywhere,
  })),
  // A track has twelve digits in a row wherever it stands as a value without quotes around its name.
  ...namesOf(TRACK).map((name) => ({ name, tells: name.length > 7 ? anywhere : key })),
  { name: 'blob', tells: blob },
]
