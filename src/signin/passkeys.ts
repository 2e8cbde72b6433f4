/**
 * Passkeys (W3C WebAuthn Level 3 §7.1, §7.2) of any person the directory knows: they sign in to
 * local accounts, and sign decisions later. `@simplewebauthn/server` verifies; what it lets through
 * is checked here besides: whose the credential is, other origins around, the flag BE.
 */
import { createHash, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { generateAuthenticationOptions, generateRegistrationOptions } from '@simplewebauthn/server'
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import type { Directory, KnownPrincipal } from '../identity/directory.ts'
import type { About, Note } from '../record/notes.ts'
import { PasskeyTable } from './passkey-table.ts'
import type { StoredPasskey } from './passkey-table.ts'
import {
  algorithms,
  bad,
  readAssertion,
  refused,
  verifyAssertion,
  verifyRegistration,
} from './passkey-verify.ts'

/** What people may see of a passkey. */
export type Passkey = Omit<StoredPasskey, 'publicKey' | 'counter' | 'transports' | 'registration'>

/** A signature by a passkey, verified. */
export interface Asserted {
  readonly passkey: Passkey
  readonly person: KnownPrincipal
  /** RFC 8176: user presence and verification, a key in hardware or one that is synced. */
  readonly amr: readonly string[]
  /** What anybody needs to verify it again. */
  readonly evidence: {
    readonly credential: string
    readonly publicKey: Uint8Array
    readonly authenticatorData: string
    readonly clientData: string
    readonly signature: string
    readonly registration: StoredPasskey['registration']
  }
}

export interface EnrolOptions {
  /** What the person calls it. */
  readonly label?: string | undefined
  /** It must not leave its device, and its maker must vouch for it: for break-glass accounts. */
  readonly isHardware?: boolean | undefined
  /** Called when all is verified, before it is recorded; what it throws refuses the passkey. */
  readonly confirm?: (() => void) | undefined
  /** Who asked, from where: for the record. The person themselves where it is missing. */
  readonly about?: About | undefined
}

export interface Passkeys {
  readonly rpId: string
  /** Origins of pages on which passkeys are taken. */
  readonly origins: readonly string[]
  /**
   * What `navigator.credentials.create` takes; good for five minutes. Ask only in a session whose
   * sign-in is fresh.
   * @throws {Fault} `path_unknown` for an id that is nobody's.
   */
  beginEnrolment(personId: string): Promise<PublicKeyCredentialCreationOptionsJSON>
  /**
   * Recorded, then stored. @param response of the browser, as JSON.
   * @throws {Fault} `refused` with a `reason`; `record_down`.
   */
  finishEnrolment(personId: string, response: unknown, options?: EnrolOptions): Promise<Passkey>
  /**
   * What `navigator.credentials.get` takes.
   * @param challenge base64url; the caller keeps it and takes it once.
   * @param personId only passkeys of this person; any that the browser has where it is missing.
   */
  request(challenge: string, personId?: string): Promise<PublicKeyCredentialRequestOptionsJSON>
  /**
   * Verifies a signature over a challenge (§7.2), with user verification.
   * @param personId whose it must be; anybody's where it is missing.
   * @throws {Fault} `refused` with a `reason`.
   */
  check(response: unknown, challenge: string, personId?: string): Promise<Asserted>
  listPasskeys(personId: string): readonly Passkey[]
  /** Recorded, then removed. @throws {Fault} `path_unknown`, `record_down`. */
  removePasskey(personId: string, id: string, about?: About): Promise<void>
  close(): void
}

export interface PasskeysOptions {
  readonly clock: Clock
  /** The domain passkeys are for: a name, never an address (WebAuthn §5.1.2). */
  readonly rpId: string
  readonly origins: readonly string[]
  readonly directory: Pick<Directory, 'byId'>
  readonly note: Note
}

const enrolMs = 5 * 60_000
const enrolmentsMax = 10_000
const passkeysMax = 20

/** @param file the path of `state.sqlite`. @throws {Fault} `config_bad` for an RP ID no browser takes. */
export function openPasskeys(file: string, options: PasskeysOptions): Passkeys {
  const { origins, rpId } = options
  const isName = isIP(rpId) === 0 && /^[a-z0-9.-]+$/.test(rpId)
  const covers = (origin: string): boolean => isCovered(new URL(origin).hostname, rpId)
  if (!isName || !origins.every(covers)) {
    const message =
      'Passkeys are for a domain: its name, never an address, at or above every site they are used on.'
    throw new Fault('config_bad', message)
  }
  return new PasskeyDesk(new PasskeyTable(file), options)
}

/** Whether a host is the domain of an RP ID or lies below it. */
export function isCovered(hostname: string, rpId: string): boolean {
  return hostname === rpId || hostname.endsWith(`.${rpId}`)
}

class PasskeyDesk implements Passkeys {
  readonly rpId: string
  readonly origins: readonly string[]
  readonly #table: PasskeyTable
  readonly #options: PasskeysOptions
  readonly #enrolments = new Map<string, { challenge: string; endsMs: number }>()

  constructor(table: PasskeyTable, options: PasskeysOptions) {
    this.rpId = options.rpId
    this.origins = options.origins
    this.#table = table
    this.#options = options
  }

  async beginEnrolment(personId: string): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const { name, subject } = this.#person(personId)
    const challenge = randomBytes(32)
    const known = this.#table.of(personId)
    if (known.length >= passkeysMax) throw refused('passkeys_full', 'Remove a passkey first.')
    const endsMs = this.#options.clock.monotonicMs() + enrolMs
    this.#enrolments.delete(personId)
    this.#enrolments.set(personId, { challenge: challenge.toString('base64url'), endsMs })
    for (const oldest of this.#enrolments.keys()) {
      if (this.#enrolments.size <= enrolmentsMax) break
      this.#enrolments.delete(oldest)
    }
    return await generateRegistrationOptions({
      rpName: 'Sallyport',
      rpID: this.rpId,
      userName: name ?? subject,
      userDisplayName: name ?? subject,
      userID: new Uint8Array(Buffer.from(personId)),
      challenge: new Uint8Array(challenge),
      attestationType: 'direct',
      supportedAlgorithmIDs: algorithms,
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: known.map(({ credential, transports }) => ({
        id: credential,
        transports: [...transports],
      })),
    })
  }

  async finishEnrolment(
    personId: string,
    response: unknown,
    { about, confirm, isHardware = false, label }: EnrolOptions = {},
  ): Promise<Passkey> {
    const person = this.#person(personId)
    const passkey = await this.#registered(personId, response, label ?? 'Passkey')
    if (isHardware && (passkey.isSynced || passkey.attestation === 'none')) {
      const message = 'This account needs a security key which never leaves its device.'
      throw refused('not_hardware', message)
    }
    if (this.#table.byCredential(passkey.credential)) throw known()
    confirm?.()
    await this.#note('enrolled', person, passkey, about)
    if (!this.#table.add(passkey)) throw known()
    return shown(passkey)
  }

  async request(
    challenge: string,
    personId?: string,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const known = personId === undefined ? [] : this.#table.of(personId)
    return await generateAuthenticationOptions({
      rpID: this.rpId,
      challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
      userVerification: 'required',
      allowCredentials: known.map(({ credential, transports }) => ({
        id: credential,
        transports: [...transports],
      })),
    })
  }

  async check(response: unknown, challenge: string, personId?: string): Promise<Asserted> {
    const data = readAssertion(response)
    // The library verifies with the key it is handed: whose it is, is looked up by what came.
    const passkey = this.#table.byCredential(data.id)
    if (passkey === undefined) throw bad('passkey_unknown')
    if (personId !== undefined && passkey.person !== personId) throw bad('passkey_of_another')
    const { userHandle } = data.response
    const handle = Buffer.from(passkey.person).toString('base64url')
    if (userHandle !== undefined && userHandle !== handle) throw bad('passkey_user_handle')
    const person = this.#options.directory.byId(passkey.person)
    if (person === undefined) throw bad('passkey_of_nobody')
    const counter = await verifyAssertion(data, { challenge, passkey, site: this })
    const isBack = (counter > 0 || passkey.counter > 0) && counter <= passkey.counter
    if (isBack) await this.#cloned(person, passkey)
    const nowMs = Math.floor(this.#options.clock.nowUs() / 1000)
    const step = { from: passkey.counter, to: counter }
    if (!this.#table.used(passkey.id, step, nowMs)) throw bad('passkey_used_at_once')
    return {
      passkey: shown(passkey),
      person,
      amr: amrOf(passkey),
      evidence: evidence(passkey, data),
    }
  }

  listPasskeys(personId: string): readonly Passkey[] {
    return this.#table.of(personId).map(shown)
  }

  async removePasskey(personId: string, id: string, about?: About): Promise<void> {
    const person = this.#person(personId)
    const passkey = this.#table.of(personId).find((one) => one.id === id)
    if (passkey === undefined) throw new Fault('path_unknown', 'There is no such passkey.')
    // It stops to count before it is told: a removal that is not recorded takes nothing from anybody.
    await this.#note('removed', person, passkey, about)
    this.#table.remove(personId, id, Math.floor(this.#options.clock.nowUs() / 1000))
  }

  close(): void {
    this.#table.close()
  }

  #person(id: string): KnownPrincipal {
    const person = this.#options.directory.byId(id)
    if (person !== undefined) return person
    throw new Fault('path_unknown', 'There is nobody with this id.')
  }

  async #registered(person: string, response: unknown, label: string): Promise<StoredPasskey> {
    const awaited = this.#enrolments.get(person)
    this.#enrolments.delete(person)
    const { clock } = this.#options
    if (awaited === undefined || awaited.endsMs <= clock.monotonicMs()) throw bad('enrolment_over')
    const made = await verifyRegistration(response, awaited.challenge, this)
    const madeMs = Math.floor(clock.nowUs() / 1000)
    return { id: newId('pk'), person, label: label.slice(0, 64), madeMs, usedMs: 0, ...made }
  }

  /** §7.2 step 22: a counter that goes back means that the key was copied, or that it forgot. */
  async #cloned(person: KnownPrincipal, { id }: StoredPasskey): Promise<never> {
    const { issuer, kind, subject } = person
    const about = { principal: { issuer, subject, kind } }
    await this.#options.note('alert.raised', about, { reason: 'passkey_counter', passkey: id })
    throw bad('passkey_counter')
  }

  async #note(
    what: 'enrolled' | 'removed',
    person: KnownPrincipal,
    passkey: StoredPasskey,
    about: About | undefined,
  ): Promise<void> {
    const { issuer, kind, name, subject } = person
    await this.#options.note(
      'passkey.changed',
      about ?? { principal: { issuer, subject, kind, name } },
      {
        what,
        passkey: passkey.id,
        of: person.id,
        ofIssuer: issuer,
        ofSubject: subject,
        credentialSha256: createHash('sha256').update(passkey.credential).digest('base64url'),
        aaguid: passkey.aaguid,
        attestation: passkey.attestation,
        isSynced: passkey.isSynced,
        origin: passkey.registration.origin,
      },
    )
  }
}

function known(): Fault {
  return refused('passkey_known', 'This passkey is known already.')
}

function amrOf({ isSynced }: StoredPasskey): readonly string[] {
  return [isSynced ? 'swk' : 'hwk', 'user', 'mfa']
}

function shown(passkey: StoredPasskey): Passkey {
  const { aaguid, attestation, credential, id, isSynced, label, madeMs, person, usedMs } = passkey
  return { aaguid, attestation, credential, id, isSynced, label, madeMs, person, usedMs }
}

function evidence(
  { credential, publicKey, registration }: StoredPasskey,
  { response }: AuthenticationResponseJSON,
): Asserted['evidence'] {
  const { authenticatorData, clientDataJSON: clientData, signature } = response
  return { credential, publicKey, authenticatorData, clientData, signature, registration }
}
