/**
 * A secret kept by a service: fetched before the gateway serves, looked at again while it runs.
 *
 *   fetched ──▶ in force ──▶ looked at again (a period, or half of what is left of it) ──▶ rotated
 *                   │                     └─ failed: told once, and the value in force stays
 *                   └─ its end has come: nobody gets it any more
 */
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { checkForm, missing } from './secret-form.ts'
import type { SecretForm } from './secret-form.ts'
import { Secret } from './secret.ts'

/** What a service said. Times in milliseconds since 1970. */
export interface Fetched {
  readonly value: string
  readonly version?: string | undefined
  /** Not to be used before. */
  readonly fromMs?: number | undefined
  /** Not to be used from here on. */
  readonly untilMs?: number | undefined
}

export interface RemoteParts {
  /** What keeps it, for messages: `Azure Key Vault`. */
  readonly service: string
  /** @throws {Fault} whose message is a clause that says why. */
  readonly fetch: () => Promise<Fetched>
  readonly clock: Clock
  /** How often it is looked at again. */
  readonly refreshMs: number
  /** Told what has come into force and what it replaces, before anybody gets it. */
  readonly changed: (value: string, old: string | undefined) => void
  readonly onTrouble?: ((fault: Fault) => void) | undefined
}

/** One place that uses it. */
export interface RemoteUse {
  readonly where: string
  /** @throws {Fault} `secret_missing` when it was never fetched or its end has come. */
  read(): Secret
  /** When the value in force was taken up, milliseconds since 1970; its version where it has one. */
  taken(): { atMs: number; version?: string } | undefined
  /** The server refused the value: it is looked at again now, unless that was just done. */
  doubt(): void
}

interface User {
  readonly form: SecretForm
  readonly where: string
  readonly onRotated: () => void
  secret?: Secret
  version?: string | undefined
  atMs: number
  untilMs: number
}

/** After a failure, and at the least after a doubt. */
const againMs = 15_000

export class RemoteSecret {
  /** The first place that named it. */
  readonly where: string
  readonly #parts: RemoteParts
  readonly #users: User[] = []
  #last: Fetched | undefined
  #fetching: Promise<void> | undefined
  #nextMs = 0
  #lookedMs = -Infinity
  #told = ''

  constructor(where: string, parts: RemoteParts) {
    this.where = where
    this.#parts = parts
  }

  /** @throws {Fault} `secret_missing` when it was fetched and has not this form. */
  use(form: SecretForm, where: string, onRotated: () => void): RemoteUse {
    const user: User = { form, where, onRotated, atMs: 0, untilMs: Infinity }
    if (this.#last !== undefined) this.#give(user, this.#last)
    this.#users.push(user)
    return {
      where,
      read: () => this.#read(user),
      taken: () => {
        const { atMs, version } = user
        if (user.secret === undefined) return undefined
        return version === undefined ? { atMs } : { atMs, version }
      },
      doubt: () => {
        if (this.#parts.clock.monotonicMs() - this.#lookedMs >= againMs) void this.#refresh()
      },
    }
  }

  /** Fetches it unless that was done. @throws {Fault} `secret_missing`, naming `where`. */
  async ready(where: string): Promise<void> {
    try {
      if (this.#last === undefined) await this.#fetch()
    } catch (error) {
      throw this.#fault(error, where)
    }
    for (const user of this.#users) {
      if (user.secret === undefined && this.#last !== undefined) this.#give(user, this.#last)
    }
  }

  /** Looks at it again if it is time, and waits for a look that is under way; never throws. */
  async refreshIfDue(): Promise<void> {
    if (this.#isDue() || this.#fetching !== undefined) await this.#refresh()
  }

  #read(user: User): Secret {
    if (this.#isDue()) void this.#refresh()
    if (user.secret === undefined) throw missing(user.where, 'it was not fetched yet')
    if (user.untilMs !== Infinity && user.untilMs <= this.#nowMs()) {
      const why = `its time in ${this.#parts.service} has ended and there is no newer value`
      throw missing(user.where, why, undefined, 'secret_expired')
    }
    return user.secret
  }

  #isDue(): boolean {
    return this.#last !== undefined && this.#parts.clock.monotonicMs() >= this.#nextMs
  }

  async #refresh(): Promise<void> {
    try {
      await this.#fetch()
      this.#told = ''
    } catch (error) {
      // Going on is safe: the value in force was good, and nobody gets it after its own end.
      const why = error instanceof Fault ? error.message : 'defect'
      if (why === this.#told) return
      this.#told = why
      for (const { where } of this.#users) this.#parts.onTrouble?.(this.#fault(error, where))
    }
  }

  /** Many who ask at once wait for one answer. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#take().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #take(): Promise<void> {
    const { clock, fetch, refreshMs } = this.#parts
    this.#lookedMs = clock.monotonicMs()
    this.#nextMs = this.#lookedMs + againMs // Should what follows fail.
    const fetched = await fetch()
    const nowMs = this.#nowMs()
    if (fetched.fromMs !== undefined && fetched.fromMs > nowMs) {
      this.#nextMs = clock.monotonicMs() + Math.min(refreshMs, fetched.fromMs - nowMs)
      throw new Fault('secret_missing', 'its time has not begun (nbf)')
    }
    if (fetched.untilMs !== undefined && fetched.untilMs <= nowMs) {
      throw new Fault('secret_missing', 'its time has ended (exp)')
    }
    const leftMs = (fetched.untilMs ?? Infinity) - nowMs
    this.#nextMs = clock.monotonicMs() + Math.min(refreshMs, Math.max(againMs, leftMs / 2))
    this.#inForce(fetched)
  }

  #inForce(fetched: Fetched): void {
    const old = this.#last?.value
    const isNew = fetched.value !== old
    if (isNew) this.#parts.changed(fetched.value, old)
    this.#last = fetched
    for (const user of this.#users) {
      const had = user.secret
      try {
        this.#give(user, fetched)
      } catch (error) {
        // The value this one has stays until its end; others may be able to use the new one. Who
        // has none is told by `ready`.
        const isTold = had === undefined || !isNew || !(error instanceof Fault)
        if (!isTold) this.#parts.onTrouble?.(error)
        continue
      }
      if (had !== undefined && user.secret !== had) user.onRotated()
    }
  }

  #give(user: User, { untilMs, value, version }: Fetched): void {
    if (user.secret?.reveal() !== value) {
      user.secret = new Secret(checkForm(value, user.form, user.where, 'value'))
      user.atMs = this.#nowMs()
    }
    user.version = version
    user.untilMs = untilMs ?? Infinity
  }

  #nowMs(): number {
    return this.#parts.clock.nowUs() / 1000
  }

  #fault(error: unknown, where: string): Fault {
    if (!(error instanceof Fault)) return missing(where, 'a defect', error)
    if (error.facts['where'] !== undefined) return error // Of its form: it names its place.
    const reason = error.facts['reason']
    const why = `${this.#parts.service}: ${error.message}`
    return missing(where, why, error.cause, typeof reason === 'string' ? reason : undefined)
  }
}
