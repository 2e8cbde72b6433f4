/** What the record and the revocation list are told of clients and grants. */
import type { AsyncLocalStorage } from 'node:async_hooks'
import { hash } from 'node:crypto'
import type { Source } from '../record/entry.ts'
import type { About } from '../record/notes.ts'
import type { AuthorizationServerOptions, EndReason } from './options.ts'
import { targetOf } from './pages.ts'
import type { GrantRow } from './store.ts'

/** The request at hand, for what the library calls without it. */
export interface Around {
  readonly source: Source
  /** Entries on their way; the answer waits for them. */
  readonly pending: Promise<unknown>[]
  /** Where the client that was found says its keys are. */
  keysAddress?: string | undefined
}

/** What a client says of itself. */
export interface SaidByClient {
  readonly id: string
  readonly name: string | undefined
  readonly redirects: readonly string[]
}

/** A document is told of again after this time, and whenever it says something else. */
const documentMs = 30 * 24 * 3_600_000

export class Entries {
  readonly #options: AuthorizationServerOptions
  readonly #around: AsyncLocalStorage<Around>

  constructor(options: AuthorizationServerOptions, around: AsyncLocalStorage<Around>) {
    this.#options = options
    this.#around = around
  }

  /** A client is about to be believed. @throws what `note` throws: then it is not. */
  async client(how: 'dynamic' | 'document', { id, name, redirects }: SaidByClient): Promise<void> {
    const targets = redirects.flatMap((uri) => URL.parse(uri) ?? []).map(targetOf)
    const details = { client: id, name, how, redirects: [...new Set(targets)] }
    await this.#options.note('client.registered', { source: this.#source() }, details)
  }

  /** The same for a document, which is read again and again. @param mark of the store. */
  async document(
    said: SaidByClient,
    mark: (name: string, ttlMs: number) => boolean,
  ): Promise<void> {
    const text = JSON.stringify([said.id, said.name, said.redirects])
    const digest = hash('sha256', text, 'base64url')
    if (mark(digest, documentMs)) await this.client('document', said)
  }

  /**
   * A grant has ended in the midst of a request: its access tokens are stopped, the record is told,
   * and the answer waits for both.
   */
  endedInRequest(grant: GrantRow, reason: EndReason): void {
    const told = this.ended(grant, reason)
    told.catch(() => {}) // Whoever waits for it sees the error; with nobody waiting it is no crash.
    this.#around.getStore()?.pending.push(told)
  }

  /** Stops the access tokens of a grant that has ended, then tells the record. */
  async ended(grant: GrantRow, reason: EndReason): Promise<void> {
    const isReuse = reason === 'code_reused' || reason === 'refresh_token_reused'
    if (isReuse) {
      const details = { what: reason, grant: grant.id, client: grant.client }
      await this.#options.note('alert.raised', this.#about(grant), details)
    }
    await this.#options.stop({
      // They are good until the revocation list says otherwise.
      target: { kind: 'sign-in', signIn: grant.id },
      reason,
      by: 'authorization server',
      source: isReuse ? 'replay' : 'logout',
    })
    await this.told(grant, reason)
  }

  /** Tells the record alone: the access tokens are stopped by whoever ended the grant. */
  async told(grant: GrantRow, reason: EndReason): Promise<void> {
    const details = { grant: grant.id, client: grant.client, reason }
    await this.#options.note('grant.ended', this.#about(grant), details)
  }

  #about({ account }: GrantRow): About {
    const source = this.#source()
    const person = this.#options.directory.byId(account)
    if (person === undefined) return { source }
    const { issuer, subject, name, kind } = person
    return { source, principal: { issuer, subject, name, kind } }
  }

  #source(): Source | undefined {
    return this.#around.getStore()?.source
  }
}
