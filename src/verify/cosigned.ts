/**
 * The file `cosigned` of a log: a checkpoint of it under which witnesses have signed as well, each
 * with the time at which it was the largest tree it had seen.
 */
import { isOf } from '../tlog/checkpoint.ts'
import { parseVkey, splitNote } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { Vkey } from '../tlog/note.ts'
import type { Findings } from './findings.ts'
import type { Trust } from './trust.ts'

/** What a witness is known to have seen. */
export interface WitnessSeen {
  /** The name in its key. */
  readonly name: string
  /** Entries of the tree. */
  readonly size: number
  /** By the witness's own clock, in seconds since 1970. */
  readonly time: number
}

const place = 'cosigned'

export class Cosigned {
  readonly #note: string
  readonly #witnesses: readonly Vkey[]
  readonly #text: string | undefined // Undefined for a file that is no note; its opening says why.
  #isPassed = false
  readonly #seen: WitnessSeen[] = []

  /** @param note the file. @param witnesses vkeys that the verifier trusts as witnesses. */
  constructor(note: string, witnesses: readonly string[]) {
    this.#note = note
    this.#witnesses = witnesses.map(parseVkey)
    this.#text = textOf(note)
  }

  /** Takes the notes of `checkpoints.log` one after the other. */
  pass(note: string): void {
    if (this.#text !== undefined && note.startsWith(`${this.#text}\n`)) this.#isPassed = true
  }

  /** What the verifier's witnesses have signed; empty until it is checked. */
  get seen(): readonly WitnessSeen[] {
    return this.#seen
  }

  /** After the last note: each of its bytes must be one of those, or signed by a known key. */
  check(trust: Trust, origin: string, findings: Findings): void {
    try {
      const { note, size } = trust.open(this.#note, origin)
      const { unknown, verified } = note
      if (!this.#isPassed) {
        findings.add('wrong', place, 'It is about none of the checkpoints in checkpoints.log.')
      }
      // A second line of one key is read by nobody, so it may hold anything.
      if (splitNote(this.#note).lines.length !== unknown.length + verified.length) {
        findings.add('wrong', place, 'A key has signed it twice; no witness client writes that.')
      }
      if (unknown.length > 0) {
        const whose = 'of keys that neither you nor the log named'
        const words = `${unknown.length} of its signatures are ${whose}`
        findings.add('unsure', place, words)
      }
      for (const line of verified) {
        const { name, time } = line
        if (time === undefined || !this.#witnesses.some((witness) => isOf(line, witness))) continue
        this.#seen.push({ name, size, time })
      }
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      const isOurs = trust.hasKeys || error.code !== 'signature_missing'
      if (isOurs) findings.add('wrong', place, error.message)
    }
  }
}

function textOf(note: string): string | undefined {
  try {
    return splitNote(note).text
  } catch (error) {
    if (error instanceof Unproven) return undefined
    throw error
  }
}
