/** Writes findings over a copy of the message: every byte outside them stays as it came. */
import {
  CODE,
  DIGITS,
  END,
  FIELDS,
  NOTHING,
  PAN,
  PATCH,
  RECORD_ONLY,
  SECRET_PIN,
  START,
  VERIFICATION,
} from '../cards/findings.ts'
import { MARKER, STARS, WORD, formOf, kindOf } from '../cards/findings.ts'
import { digitForm, stars } from '../cards/write.ts'
import { splice } from '../wire/splice.ts'
import type { Findings } from '../cards/findings.ts'
import type { Written } from './masked.ts'

/** A value that is replaced by its sealed alias on delivery. */
export interface Alias {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

export interface Rendered {
  readonly bytes: Uint8Array
  readonly written: Written
}

const word = Buffer.from('***')
const marker = Buffer.from('[track removed]')
const none = new Uint8Array(0)

/** The record's copy: everything found is written over. */
export function renderKept(message: Uint8Array, findings: Findings): Rendered {
  return new Renderer(message, findings).write(() => true, [])
}

/** The client's copy: as `plan` says, with sealed aliases in their places. */
export function renderShown(
  message: Uint8Array,
  findings: Findings,
  reveal: 'none' | 'pan',
  aliases: readonly Alias[],
): Rendered {
  return new Renderer(message, findings, reveal).write(
    (what) => (what & RECORD_ONLY) === 0 && (reveal === 'none' || kindOf(what) !== PAN),
    aliases,
  )
}

class Renderer {
  readonly #findings: Findings
  /** What the client may see; undefined for the record. */
  readonly #reveal: 'none' | 'pan' | undefined
  readonly #out: Uint8Array
  // Replacements of another length: [start, end) of the message, ascending.
  readonly #cuts: Alias[] = []
  readonly #secrets: number[] = []
  readonly #clear: number[] = []

  constructor(message: Uint8Array, findings: Findings, reveal?: 'none' | 'pan') {
    this.#findings = findings
    this.#reveal = reveal
    this.#out = Buffer.from(message)
  }

  write(isEdited: (what: number) => boolean, aliases: readonly Alias[]): Rendered {
    const { rows, count } = this.#findings
    const order = this.#findings.isSorted ? undefined : orderOf(this.#findings)
    for (let n = 0; n < count; n++) {
      const i = order?.[n] ?? n
      const at = i * FIELDS
      const start = rows[at + START] ?? 0
      const end = rows[at + END] ?? 0
      const what = rows[at + CODE] ?? 0
      const blob = this.#reveal && this.#findings.shown.get(i)?.[this.#reveal]
      if (blob !== undefined) {
        this.#cuts.push({ start, end, bytes: blob })
        continue
      }
      if (!isEdited(what)) {
        if (formOf(what) !== NOTHING) this.#clear.push(start, end)
        continue
      }
      const isOwn = formOf(what) !== NOTHING && !this.#findings.shown.has(i)
      if (isOwn && isSecret(kindOf(what))) this.#secrets.push(start, end)
      this.#edit(i, formOf(what), start, end)
    }
    this.#cuts.push(...aliases)
    if (count > 0 || aliases.length > 0) this.#cuts.sort((a, b) => a.start - b.start)
    return this.#finish()
  }

  #edit(i: number, form: number, start: number, end: number): void {
    if (form === STARS) stars(this.#out, start, end)
    else if (form === DIGITS) digitForm(this.#out, start, end)
    else if (form === NOTHING) return
    else if (form === WORD && end - start === 3) this.#out.fill(0x2a, start, end)
    else if (form === WORD || form === MARKER || form === PATCH) {
      const patch = this.#findings.patches.get(i) ?? none
      const bytes = form === WORD ? word : form === MARKER ? marker : patch
      this.#cuts.push({ start, end, bytes })
    } else {
      // `0` and blanks: JSON lets white space follow a number, and nothing behind it moves.
      this.#out.fill(0x20, start, end)
      this.#out[start] = 0x30
    }
  }

  #finish(): Rendered {
    const cuts = joined(this.#cuts)
    const secrets = Int32Array.from(this.#secrets)
    const clear = Int32Array.from(this.#clear)
    if (cuts.length === 0) return { bytes: this.#out, written: { secrets, clear } }
    moved(secrets, cuts)
    moved(clear, cuts)
    return { bytes: splice(this.#out, cuts), written: { secrets, clear } }
  }
}

/** Of what nothing may stay (PCI DSS v4.0.1 req. 3.3.1); other kinds keep their last four. */
const isSecret = (kind: number): boolean => kind >= VERIFICATION && kind <= SECRET_PIN

/** Cuts that overlap as one: all of them go, and the first one's bytes stand there. Ascending. */
function joined(cuts: readonly Alias[]): Alias[] {
  const out: Alias[] = []
  for (const cut of cuts) {
    const last = out.at(-1)
    if (last === undefined || cut.start >= last.end) out.push(cut)
    else out[out.length - 1] = { ...last, end: Math.max(last.end, cut.end) }
  }
  return out
}

/** Findings in the order of their places: a `cid` is told when its card is seen. */
function orderOf(findings: Findings): Int32Array {
  const order = Int32Array.from({ length: findings.count }, (_, i) => i)
  return order.sort((a, b) => findings.field(a, START) - findings.field(b, START))
}

/** Moves ascending offsets of the message to where they are in the output; empty inside a cut. */
function moved(spans: Int32Array, cuts: readonly Alias[]): void {
  let shift = 0
  let gone = 0 // Up to where the cuts passed reach.
  let c = 0
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i] ?? 0
    let cut = cuts[c]
    while (cut !== undefined && cut.start < start) {
      shift += cut.bytes.length - (cut.end - cut.start)
      gone = cut.end
      cut = cuts[++c]
    }
    const own =
      cut !== undefined && cut.start === start ? cut.bytes.length : (spans[i + 1] ?? 0) - start
    spans[i] = start < gone ? 0 : start + shift
    spans[i + 1] = start < gone ? 0 : start + shift + own
  }
}
