/** What the name of a key or column says about the value beside it. */

export const SSN_NAME = 1
export const ROUTING_NAME = 2
export const SORT_NAME = 4
export const ACCOUNT_NAME = 8
export const IBAN_NAME = 16
export const KEY_NAME = 32
export const AWS_NAME = 64
export const JWK_NAME = 128

const people =
  'customer|employee|patient|user|client|member|owner|taxpayer|spouse|applicant|borrower|person|us|' +
  'insured|guarantor|dependent|contractor|worker|primary|secondary|individual|full'
const suffix = '(?:number|numbers|no|num|nr|value|raw|text|digits|code|id)?'

/** Tests on a name without its separators: `Customer_SSN-No` is read as `customerssnno`. */
const tests: readonly (readonly [flag: number, test: RegExp])[] = [
  [SSN_NAME, new RegExp(`^(?:${people})*ssn${suffix}$|soc(?:ial)?sec(?:urity)?${suffix}$`)],
  [
    ROUTING_NAME,
    new RegExp(
      `(?:routing|routingtransit|abarouting)${suffix}$|^(?:bank|us)?(?:aba|rtn)${suffix}$|transit(?:number|no|num)$`,
    ),
  ],
  [SORT_NAME, /sort(?:ing)?code$/],
  [
    ACCOUNT_NAME,
    new RegExp(`(?:bank|ach|checking|savings|uk)(?:account|acct)${suffix}$|accountnumberuk$`),
  ],
  [IBAN_NAME, new RegExp(`iban${suffix}$`)],
  [KEY_NAME, /priv(?:ate)?key(?:pem|data|value|base64|raw)?$/],
  [AWS_NAME, /secretaccesskey$|awssecret(?:key)?$/],
  [JWK_NAME, /^(?:d|p|q|dp|dq|qi|k)$/],
]
/** Words that mean it wherever they stand alone in a name: `ssn_of_owner`. */
const words: readonly (readonly [flag: number, word: string])[] = [
  [SSN_NAME, 'ssn'],
  [ROUTING_NAME, 'aba'],
  [ROUTING_NAME, 'rtn'],
  [IBAN_NAME, 'iban'],
]
const namesMax = 1024

/** Remembers names, since a result repeats each in every row. Bounded; long digit runs not kept. */
export class NameFlags {
  readonly #known = new Map<string, number>()

  /** @param name in lower case; '' for none. */
  of(name: string): number {
    if (name === '') return 0
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const flags = flagsOf(name)
    if (this.#known.size >= namesMax) this.#known.clear()
    if (name.length <= 64 && !/[0-9]{8}/.test(name)) this.#known.set(name, flags)
    return flags
  }
}

/** The flags of a name in lower case. */
export function flagsOf(name: string): number {
  const parts = name
    .slice(0, 256)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '')
  const squeezed = parts.join('')
  let flags = 0
  for (const [flag, test] of tests) if (test.test(squeezed)) flags |= flag
  for (const [flag, word] of words) if (parts.includes(word)) flags |= flag
  return flags
}
