/** Accounts of programs that have nothing better than a key of ours: hashed, expiring, shown once. */
import type { Principal } from './principal.ts'

export { serviceIssuer, serviceIssuerName } from '../config/service-issuer.ts'

export interface ServiceKey {
  /** `k_…`; stands in the key itself, so that a leaked one can be named. */
  readonly id: string
  readonly madeMs: number
  readonly expiresMs: number
  /** 0 for one that was never used. */
  readonly usedMs: number
}

export interface ServiceAccount {
  /** The subject of its principal. */
  readonly name: string
  /** Id of the person in the directory who answers for it. */
  readonly owner: string
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  /** Connections it is for; all that its grants give where it is missing. */
  readonly connections?: readonly string[]
  readonly madeMs: number
  /** When one of its keys was used last, of those that have ended too; 0 for never. */
  readonly usedMs: number
  readonly keys: readonly ServiceKey[]
}

export interface ServiceAccounts {
  /**
   * Durable on return.
   * @throws {Fault} `config_bad` for a name that was given before or is no name (a letter, then up to 63 letters,
   *   digits, dots, underscores and hyphens), `record_down` where it cannot be written.
   */
  make(account: Omit<ServiceAccount, 'keys' | 'madeMs' | 'usedMs'>, nowMs: number): ServiceAccount
  /**
   * Durable on return.
   * @param ttlMs how long it is good for; the caller bounds it.
   * @returns the key, `sp_{id}_{secret}`, which is kept nowhere.
   * @throws {Fault} `path_unknown` for an account that is none, `record_down` where it cannot be
   *   written; there is no such key then.
   */
  issueKey(name: string, ttlMs: number, nowMs: number): { key: string; made: ServiceKey }
  /**
   * In force at once, durable on return. @returns false where there is no such key.
   * @throws {Fault} `record_down` where it cannot be written: it would be back after a restart.
   */
  endKey(id: string): boolean
  /** An account with all its keys; its name is never given again. Else as `endKey`. */
  remove(name: string): boolean
  list(): readonly ServiceAccount[]
  /**
   * The principal of a key, noting its use.
   * @throws {Fault} `no_identity`: `signature` for no key of ours, `expired`.
   */
  verify(key: string, nowMs: number): Principal
  /** Writes which keys were used. @throws {Fault} `record_down`; it is kept for the next time. */
  flush(): void
  close(): void
}

/** Whether a bearer token has the form of a key of ours rather than of a JWT. */
export function isServiceKey(token: string): boolean {
  return /^sp_k_[0-9A-Za-z]+_[0-9A-Za-z_-]{43}$/.test(token)
}
