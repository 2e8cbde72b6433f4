/** One witness, as a log sees it: what it knows of us, and what it says to our next checkpoint. */
import type { Dispatcher } from 'undici'
import { isLoopbackHost } from '../config/units.ts'
import { Fault } from '../base/fault.ts'
import { verifierOf } from '../tlog/cosignature.ts'
import { ed25519Type } from '../tlog/keys.ts'
import { parseVkey } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import { addCosignatures, formatRequest, parseSize, sizeMediaType } from '../tlog/witness.ts'
import { post } from './post.ts'
import type { Verifier } from '../tlog/note.ts'
import type { Shown } from './growth.ts'
import type { Posted } from './post.ts'

/** A witness as the configuration names it. */
export interface WitnessAddress {
  /** The submission prefix: https, or http on loopback. */
  readonly url: string
  /** Its public key: `name+key ID+base64`. */
  readonly vkey: string
}

/**
 * Why a witness did not cosign. `witness_disputes`: it has seen another history of our log, or a
 * longer one: the gravest thing it can say. `witness_refuses`: it does not know our log or its key.
 * `witness_down`: it gave no answer that can be used. `witness_unproven`: our tiles did not lead to
 * our checkpoint, so it was not asked.
 */
export type WitnessReason =
  | 'witness_disputes'
  | 'witness_refuses'
  | 'witness_down'
  | 'witness_unproven'

/** What came of asking: a note with the witness's line, or why there is none. */
export type Said =
  | { readonly note: string }
  | {
      readonly reason: WitnessReason
      /** A word or two for people: a status, a size, a code. */
      readonly detail: string
    }

/** What is shown to a witness. */
export interface Submission {
  readonly checkpoint: Shown
  proofFrom(old: number): Promise<Buffer[] | undefined>
  /** How many entries the newest checkpoint has by now. */
  newestSize(): Promise<number>
}

export interface Way {
  readonly dispatcher: Dispatcher
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export class Peer {
  readonly verifier: Verifier
  readonly #url: URL
  #known: number // The size it cosigned last, as far as we know.

  /** @throws {Fault} `config_bad` for an address or a key that cannot be used. */
  constructor({ url, vkey }: WitnessAddress) {
    this.verifier = witnessVerifier(vkey)
    this.#url = submissionUrl(url)
    this.#known = 0
  }

  get name(): string {
    return this.verifier.name
  }

  /** Remembers what it is known to have cosigned. */
  knows(size: number): void {
    this.#known = size
  }

  /** Shows it a checkpoint; a second time when it names another size to begin from. */
  async ask(submission: Submission, way: Way): Promise<Said> {
    const { checkpoint } = submission
    let said: Said = { reason: 'witness_down', detail: 'answer' }
    for (let tries = 0; tries < 2; tries++) {
      const old = Math.min(this.#known, checkpoint.size)
      const hashes = await submission.proofFrom(old)
      if (!hashes) return { reason: 'witness_unproven', detail: `from ${old}` }
      const body = formatRequest({ old, hashes, checkpoint: checkpoint.note })
      const posted = await post(this.#url, body, way)
      const named = sizeIn(posted)
      if (named === undefined || named === old) return this.#judge(posted, old, checkpoint)
      if (named > checkpoint.size && named > (await submission.newestSize())) {
        return { reason: 'witness_disputes', detail: `it has seen ${named} entries` }
      }
      this.#known = named
      said = { reason: 'witness_down', detail: 'another size each time' }
      if (named > checkpoint.size) break // It is ahead of this one only: the next round shows more.
    }
    return said
  }

  #judge(posted: Posted, old: number, { note, size }: Shown): Said {
    if ('trouble' in posted) return { reason: 'witness_down', detail: posted.trouble }
    const { body, status } = posted
    const detail = `status ${status}`
    if (status === 200) return this.#taken(note, body, size)
    // The proof was tried on our side. 409 without a size: one size with two roots, as the protocol
    // of 2024 has it (v1.0.0); since July 2026 that is 422 too.
    if (status === 422 || (status === 409 && old === size)) {
      return { reason: 'witness_disputes', detail }
    }
    if (status === 403 || status === 404) return { reason: 'witness_refuses', detail }
    return { reason: 'witness_down', detail }
  }

  #taken(note: string, body: Buffer, size: number): Said {
    try {
      const cosigned = addCosignatures(note, body, [this.verifier])
      this.#known = size
      return { note: cosigned }
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      return { reason: 'witness_down', detail: error.code }
    }
  }
}

/** The size that a 409 names. */
function sizeIn(posted: Posted): number | undefined {
  if (!('status' in posted) || posted.status !== 409) return undefined
  return posted.mediaType === sizeMediaType ? parseSize(posted.body) : undefined
}

function witnessVerifier(text: string): Verifier {
  try {
    const vkey = parseVkey(text)
    if (vkey.type !== ed25519Type) return verifierOf(vkey)
  } catch (cause) {
    if (!(cause instanceof Unproven)) throw cause
    throw bad('vkey', cause.message, cause)
  }
  throw bad('vkey', 'It is the key of a log; a witness has one for cosignatures.')
}

function submissionUrl(text: string): URL {
  const url = URL.parse(text)
  const isPlain =
    url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!url || !isPlain) throw bad('url', 'It is no complete address without user, query and hash.')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(host))
  if (!isSafe) throw bad('url', 'It must begin with https; plain http is for loopback.')
  url.pathname = `${url.pathname.replace(/\/$/, '')}/add-checkpoint`
  return url
}

function bad(member: string, why: string, cause?: unknown): Fault {
  return new Fault('config_bad', `The ${member} of a witness cannot be used. ${why}`, { cause })
}
