/**
 * One case in the making. A family's builder asks the scene for its secrets and neighbours; the
 * scene notes them down. The same builder on the same draws is run twice: once in clear, and once
 * `ideal`, where each secret comes out masked. The pair proves that the case is well posed.
 */
import { Draw } from './draw.ts'
import { cardGroups, digitForm, groupsOf, panOf, usualBrand } from './numbers.ts'
import type { Brand } from './numbers.ts'

/** What must not come through. */
export interface Secret {
  readonly kind: 'pan' | 'cvv' | 'track' | 'pin'
  /** ASCII digits in order; hexadecimal for a PIN block. */
  readonly digits: string
}

export class Scene {
  readonly draw: Draw
  readonly isIdeal: boolean
  readonly secrets: Secret[] = []
  readonly keeps: string[] = []

  constructor(seed: string, isIdeal: boolean) {
    this.draw = new Draw(seed)
    this.isIdeal = isIdeal
  }

  /** Digits of a card number; of any usual brand unless one is named. */
  pan(brand: Brand = usualBrand(this.draw)): string {
    return this.hide('pan', panOf(this.draw, brand), digitForm)
  }

  /** Any other secret card number, for instance one that fails Luhn. */
  panAs(digits: string): string {
    return this.hide('pan', digits, digitForm)
  }

  /** A verification value. Not one that says nothing, nor one that a year could be. */
  cvv(count = 3): string {
    const [low, high] = count === 3 ? [102, 998] : [2101, 9899]
    return this.hide('cvv', String(this.draw.int(low, high)), (digits) => '0'.repeat(digits.length))
  }

  pin(count = 4): string {
    const first = String(this.draw.int(21, 98))
    const digits = first + this.draw.letters(count - 2, '0123456789')
    return this.hide('pin', digits, (text) => '0'.repeat(text.length))
  }

  /** A PIN block or its like, in hexadecimal. */
  hexSecret(count: number): string {
    const hex = `${this.draw.int(1, 4)}${this.draw.letters(count - 1, '0123456789ABCDEF')}`
    return this.hide('pin', hex, (text) => '0'.repeat(text.length))
  }

  /**
   * The text of a track from its parts: `make('digits of the PAN', 'YYMM and the rest')`.
   * Nothing of it may stay, so that all its digits are one secret.
   */
  track(make: (pan: string, rest: string) => string, restLength = 20, brand?: Brand): string {
    const pan = panOf(this.draw, brand ?? usualBrand(this.draw))
    const month = String(this.draw.int(1, 12)).padStart(2, '0')
    const head = `${this.draw.int(26, 32)}${month}${this.draw.pick(['201', '101', '221', '601'])}`
    const rest = head + this.draw.letters(restLength - head.length, '0123456789')
    const text = make(pan, rest)
    this.secrets.push({ kind: 'track', digits: pan + rest })
    return this.isIdeal ? '[track removed]' : text
  }

  /** Notes that `text` must come out as it went in. */
  keep(text: string): string {
    this.keeps.push(text)
    return text
  }

  /** Notes a secret; gives back what the message holds in its place. */
  hide(kind: Secret['kind'], digits: string, mask: (digits: string) => string): string {
    this.secrets.push({ kind, digits })
    return this.isIdeal ? mask(digits) : digits
  }

  /** In the groups of its length, or often without any. */
  spaced(pan: string, separators: readonly string[] = ['', ' ', '-', ' ', '']): string {
    const separator = this.draw.pick(separators)
    return groupsOf(pan, cardGroups(pan.length)).join(separator)
  }

  /** `MM/YY` and its variants. */
  expiry(): string {
    const month = String(this.draw.int(1, 12)).padStart(2, '0')
    const year = this.draw.int(26, 32)
    return this.draw.pick([`${month}/${year}`, `${month}/20${year}`, `20${year}-${month}`])
  }

  mmyy(): string {
    return `${String(this.draw.int(1, 12)).padStart(2, '0')}/${this.draw.int(26, 32)}`
  }
}
