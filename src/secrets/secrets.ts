/** References to values: had before the gateway serves, and followed while it does. */
import type { Clock } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import type { SecretRef } from '../config/types.ts'
import type { Patience } from './ask.ts'
import { watchFile } from './file-secret.ts'
import { Hidden } from './hidden.ts'
import type { NamedRef } from './references.ts'
import { RemoteSecret } from './remote-secret.ts'
import { remoteFetches, services } from './remote.ts'
import type { RemoteRef } from './remote.ts'
import { checkForm } from './secret-form.ts'
import type { SecretForm } from './secret-form.ts'
import { Secret } from './secret.ts'

export type { SecretForm } from './secret-form.ts'

/** A secret that follows where it is kept. */
export interface LiveSecret {
  /**
   * The value in force. Looks at a file at most once a second; a service is looked at in the
   * background. While a changed value cannot be used or had, the last good one stays.
   * @throws {Fault} `secret_missing` for one of a service that was not fetched yet, or whose end has
   *   come.
   */
  read(): Secret
  /** The server refused the value: a service is asked now whether there is a newer one. */
  doubt?(): void
}

/** When the value in force of one place was taken up: at start-up, or when it was last rotated. */
export interface Rotation {
  /** The key of the configuration. */
  readonly where: string
  readonly from: SecretRef['from']
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** As the service names it. */
  readonly version?: string
}

export interface Secrets {
  /**
   * @param where the key of the configuration that names it, for the message.
   * @throws {Fault} `secret_missing` when there is no such value, others can read its file, or it
   *   has not the form asked for. One kept by a service is looked at by `ready`, or here if it is had.
   */
  open(ref: SecretRef, form: SecretForm, where: string): LiveSecret
  /**
   * Fetches what services keep: of all that was opened, and of `more`, which may then be opened and
   * read at once. From then on they are looked at in the background.
   * @throws {Fault} `secret_missing` for the first that cannot be had or used, naming its place.
   */
  ready(more?: readonly NamedRef[]): Promise<void>
  /** Looks again at those whose time it is. Never throws: trouble is told. */
  refresh(): Promise<void>
  /** The last rotation of each place. */
  rotations(): readonly Rotation[]
  /** Takes one more value out from now on, such as a token got by a secret. */
  hide(value: string): void
  /** `bytes` without any live secret; the very same array where there is none. */
  redact(bytes: Uint8Array): Uint8Array
  /** The same for a text. */
  redactText(text: string): string
  /** Ends looking in the background. */
  close(): void
}

export interface SecretsOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Told when a changed secret cannot be used or had; its `facts.where` names the place. */
  readonly onTrouble?: (fault: Fault) => void
  /** Told when another value has come into force. */
  readonly onRotated?: (where: string, from: SecretRef['from']) => void
  /** How often services are looked at again; 5 minutes unless told otherwise. */
  readonly refreshMs?: number
  readonly patience?: Patience
}

const refreshMs = 300_000
/** How often the background looks whether something is due. */
const tickMs = 5_000

export function createSecrets(options: SecretsOptions): Secrets {
  return new OpenedSecrets(options)
}

class OpenedSecrets implements Secrets {
  readonly #options: SecretsOptions
  readonly #hidden = new Hidden()
  /** By reference: one that several places use is fetched once. */
  readonly #remote = new Map<string, RemoteSecret>()
  readonly #taken = new Map<string, () => Rotation | undefined>()
  readonly #fetchOf: ReturnType<typeof remoteFetches>
  #timer: NodeJS.Timeout | undefined

  constructor(options: SecretsOptions) {
    this.#options = options
    this.#fetchOf = remoteFetches({ ...options, hide: (value) => this.hide(value) })
  }

  open(ref: SecretRef, form: SecretForm, where: string): LiveSecret {
    switch (ref.from) {
      case 'env':
        return this.#openVariable(ref.name, form, where)
      case 'file':
        return this.#openFile(ref.path, form, where)
      case 'keyvault':
      case 'vault':
        return this.#openRemote(ref, form, where)
    }
  }

  async ready(more: readonly NamedRef[] = []): Promise<void> {
    const asked = [...this.#remote.values()].map((secret) => ({ secret, where: secret.where }))
    for (const { ref, where } of more) {
      if (ref.from === 'env' || ref.from === 'file') continue
      asked.push({ secret: this.#remoteOf(ref, where), where })
    }
    const done = await Promise.allSettled(asked.map(({ secret, where }) => secret.ready(where)))
    const failed = done.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    if (this.#remote.size === 0 || this.#timer !== undefined) return
    this.#timer = setInterval(() => void this.refresh(), tickMs)
    this.#timer.unref()
  }

  async refresh(): Promise<void> {
    await Promise.all([...this.#remote.values()].map((secret) => secret.refreshIfDue()))
  }

  rotations(): readonly Rotation[] {
    return [...this.#taken.values()].map((taken) => taken()).filter((one) => one !== undefined)
  }

  hide(value: string): void {
    this.#hidden.hide(value)
  }

  redact(bytes: Uint8Array): Uint8Array {
    return this.#hidden.redact(bytes)
  }

  redactText(text: string): string {
    const bytes = Buffer.from(text)
    const clean = this.#hidden.redact(bytes)
    return clean === bytes ? text : Buffer.from(clean).toString()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #openVariable(name: string, form: SecretForm, where: string): LiveSecret {
    const { env } = this.#options
    const found = Object.hasOwn(env, name) ? env[name] : undefined
    const secret = new Secret(checkForm(found, form, where, 'environment variable'))
    this.#hidden.pin(secret.reveal())
    const atMs = this.#nowMs()
    this.#taken.set(where, () => ({ where, from: 'env', atMs }))
    return { read: () => secret }
  }

  #openFile(path: string, form: SecretForm, where: string): LiveSecret {
    const { clock, onRotated, onTrouble } = this.#options
    const none = new Secret('')
    let secret = none
    let atMs = 0
    const take = (text: string): void => {
      const value = checkForm(text, form, where, 'file')
      const old = secret === none ? undefined : secret.reveal()
      if (value === old) return
      this.#change(value, old)
      secret = new Secret(value)
      atMs = this.#nowMs()
      if (old !== undefined) onRotated?.(where, 'file')
    }
    const look = watchFile(path, where, { clock, take, onTrouble })
    this.#taken.set(where, () => ({ where, from: 'file', atMs }))
    const read = (): Secret => {
      look()
      return secret
    }
    return { read }
  }

  #openRemote(ref: RemoteRef, form: SecretForm, where: string): LiveSecret {
    const { from } = ref
    const rotated = (): void => this.#options.onRotated?.(where, from)
    const use = this.#remoteOf(ref, where).use(form, where, rotated)
    this.#taken.set(where, () => {
      const taken = use.taken()
      return taken && { where, from, ...taken }
    })
    return use
  }

  #remoteOf(ref: RemoteRef, where: string): RemoteSecret {
    const named =
      ref.from === 'vault' ? [ref.path, ref.key] : [ref.vault, ref.name, ref.version ?? '']
    const key = JSON.stringify([ref.from, ...named])
    const known = this.#remote.get(key)
    if (known !== undefined) return known
    const { clock, onTrouble } = this.#options
    const made = new RemoteSecret(where, {
      service: services[ref.from],
      fetch: this.#fetchOf(ref),
      clock,
      refreshMs: this.#options.refreshMs ?? refreshMs,
      changed: (value, old) => this.#change(value, old),
      onTrouble,
    })
    this.#remote.set(key, made)
    return made
  }

  #change(value: string, old: string | undefined): void {
    this.#hidden.pin(value)
    if (old !== undefined) this.#hidden.unpin(old)
  }

  #nowMs(): number {
    return this.#options.clock.nowUs() / 1000
  }
}
