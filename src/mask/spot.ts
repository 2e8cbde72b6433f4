/** A string or number in which something is masked, and the forms it can still take. */
import { Fault } from '../base/fault.ts'
import { CODE, DIGITS, END, FIELDS, PAN, PATCH, STARS, START } from '../cards/findings.ts'
import { formOf, kindOf, withForm } from '../cards/findings.ts'
import { figure, formInString, formOfNumber, stagesMax, usualForm } from './forms.ts'
import { Slot, numberOf } from './instance.ts'
import type { Findings } from '../cards/findings.ts'
import type { Edited } from './edited.ts'
import type { Form } from './forms.ts'
import type { Complaint } from './rule.ts'

const backslash = 0x5c
const nothing = new Uint8Array(0)

/** Where a string (inside its quotes) or a number stands, and what was found in it, in order. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly isString: boolean
  readonly found: readonly number[]
}

export class Spot extends Slot {
  readonly span: Span
  readonly #of: Edited
  readonly #usual: readonly Uint8Array[]
  /** What stands in place of each finding: its usual form, or the last that was taken. */
  readonly #bytes: Uint8Array[]
  readonly #forms: (Form | undefined)[] = []
  /** 0 for the usual form. */
  stage = 0
  // What complaints have said so far of a number.
  #least = 0
  #step = 0

  constructor(of: Edited, span: Span) {
    const usual = span.found.map((i) => usualForm(of.findings, of.message, i, of.reveal))
    super(valueOf(of, span, usual))
    this.span = span
    this.#of = of
    this.#usual = usual
    this.#bytes = [...usual]
  }

  /** What the server sent. */
  clear(): string | number {
    const { message } = this.#of
    const { start, end, isString } = this.span
    const bytes = message.subarray(start, end)
    return isString ? textOf(bytes) : numberOf(bytes)
  }

  /** Takes the next form that differs; false, and nothing changed, when there is none. */
  next(complaints: readonly Complaint[]): boolean {
    if (this.#isFigure()) return this.#nextFigure(complaints)
    while (this.stage < stagesMax) {
      this.stage++
      if (!this.#take()) continue
      const value = valueOf(this.#of, this.span, this.#bytes)
      if (value === this.value) continue
      this.value = value
      return true
    }
    return false
  }

  /** What is written in place of the finding at `index` of the span; undefined for its usual form. */
  formOf(index: number): Form | undefined {
    return this.#forms[index]
  }

  /** Whether it is a number which is hidden as a whole. */
  #isFigure(): boolean {
    const { span } = this
    const { findings } = this.#of
    const [first = -1] = span.found
    const isPan = kindOf(findings.field(first, CODE)) === PAN
    return !span.isString && !isPan && isWhole(findings, first, span)
  }

  /** Takes the forms of the stage; false when there is none. */
  #take(): boolean {
    const { findings, message } = this.#of
    let isAny = false
    for (const [at, i] of this.span.found.entries()) {
      const usual = this.#usual[at] ?? nothing
      const form = this.span.isString
        ? formInString(findings, message, i, usual, this.stage)
        : formOfNumber(usual, this.stage)
      if (form === undefined) continue
      isAny = true
      this.#forms[at] = form
      this.#bytes[at] = form.bytes
    }
    return isAny
  }

  /** The least figure that what was complained of allows. */
  #nextFigure(complaints: readonly Complaint[]): boolean {
    for (const { keyword, limit = 0 } of complaints) {
      if (keyword === 'minimum') this.#least = Math.max(this.#least, Math.ceil(limit))
      if (keyword === 'exclusiveMinimum') this.#least = Math.max(this.#least, Math.floor(limit) + 1)
      if (keyword === 'multipleOf' && limit > 0) this.#step = limit
    }
    const step = this.#step
    const value = step === 0 ? this.#least : Math.ceil(this.#least / step) * step
    if (!Number.isSafeInteger(value) || value === this.value) return false
    this.#forms[0] = figure(value, this.span.end - this.span.start)
    this.value = value
    this.stage++
    return true
  }
}

/** Has `form` written in place of finding `i`, in the record and on delivery. */
export function setForm(findings: Findings, i: number, form: Form): void {
  if (form.isDigitForm === true && formOf(findings.field(i, CODE)) === STARS) {
    findings.rows[i * FIELDS + CODE] = withForm(findings.field(i, CODE), DIGITS)
    return
  }
  findings.rows[i * FIELDS + CODE] = withForm(findings.field(i, CODE), PATCH)
  findings.patches.set(i, form.bytes)
  // The rescan takes any digit in place of a secret for the secret's; the schema's own is none.
  if (form.isConstant) findings.shown.set(i, { none: form.bytes, pan: form.bytes })
}

/** The value that stands in a span when each finding in it is replaced. */
export function valueOf(of: Edited, span: Span, by: readonly Uint8Array[]): string | number {
  const { findings, message } = of
  const [first = -1] = span.found
  const [only] = by
  if (only !== undefined && isWhole(findings, first, span))
    return span.isString ? textOf(only) : numberOf(only)
  const parts: Uint8Array[] = []
  let done = span.start
  for (const [at, i] of span.found.entries()) {
    parts.push(message.subarray(done, findings.field(i, START)), by[at] ?? nothing)
    done = findings.field(i, END)
  }
  parts.push(message.subarray(done, span.end))
  const bytes = Buffer.concat(parts)
  return span.isString ? textOf(bytes) : numberOf(bytes)
}

function isWhole(findings: Findings, i: number, { start, end }: Span): boolean {
  return findings.field(i, START) === start && findings.field(i, END) === end
}

/** The text of the inside of a JSON string. */
function textOf(bytes: Uint8Array): string {
  const short = shortText(bytes)
  if (short !== undefined) return short
  const inside = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    return String(JSON.parse(`"${inside.toString('utf8')}"`))
  } catch (cause) {
    throw new Fault('mask_failed', 'Masking broke the spelling of a string; it is withheld.', {
      cause,
      facts: { reason: 'spelling' },
    })
  }
}

/** A few characters of ASCII without an escape, as most values with findings are. */
function shortText(bytes: Uint8Array): string | undefined {
  if (bytes.length > 32) return undefined
  let text = ''
  for (const b of bytes) {
    if (b >= 0x80 || b === backslash) return undefined
    text += String.fromCharCode(b)
  }
  return text
}
