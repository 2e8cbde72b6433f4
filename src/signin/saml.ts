/**
 * Sign-in at a SAML 2.0 identity provider: requests by redirect, responses by post.
 *
 * Three readers stand one behind the other, and each can only refuse: what came, before any key is
 * used (`saml-response.ts`); the library, which checks the signatures; and our own rules
 * (`saml-assertion.ts`) on the very bytes that were signed.
 */
import { createPrivateKey, randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml'
import type { CacheProvider, Profile, SamlConfig } from '@node-saml/node-saml'
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { SamlSignInConfig } from '../config/types.ts'
import type { Told } from '../identity/directory.ts'
import { isWord } from '../identity/principal.ts'
import { isAwaited, readAssertion } from './saml-assertion.ts'
import type { Assertion, AssertionWanted } from './saml-assertion.ts'
import { openCertificates } from './saml-certificates.ts'
import { readLogout } from './saml-logout.ts'
import { ownMetadata } from './saml-metadata.ts'
import { nameOf, withAllGroups } from './saml-person.ts'
import type { ResolveGroups, SameAs } from './saml-person.ts'
import { refuseSaml } from './saml-refusals.ts'
import type { ReplayStore } from './saml-replays.ts'
import { readResponse } from './saml-response.ts'
import { messageAgeMaxMs, persistentFormat, requestAgeMaxMs, skewMs } from './saml-words.ts'
import { Turns } from './turns.ts'

/** Of the whole process, since it is this one thread's time: at most a tenth of a second each. */
const turns = new Turns({ atOnceMax: 1, waitingMax: 8, ofOneMax: 4, reason: 'saml_busy' })

export interface SamlParts {
  /** Where responses are posted, as browsers and the provider see it. */
  readonly acsUrl: string
  /** Who we are for the provider, and the audience of its assertions. */
  readonly entityId: string
  /** Where logout requests are taken; none is taken where it is missing. */
  readonly logoutUrl?: string
  readonly clock: Clock
  /** PEM: an RSA key, perhaps with its certificate, which our metadata then tells. */
  readonly signingKey?: { reveal(): string }
  readonly replays: ReplayStore
  readonly sameAs?: SameAs
  readonly resolveGroups?: ResolveGroups
}

/** What a verified response says of a person. */
export type SamlSignedIn = Told & {
  readonly authenticatedMs: number
  /** When the provider issued the assertion; not later than now. */
  readonly provenMs: number
  readonly amr: readonly string[]
  readonly providerSession?: string
  /** When the provider wants its session to be over. */
  readonly sessionEndsMs?: number
}

export interface SamlMethod {
  /**
   * Where to send the browser. The id belongs into what is kept of this browser's sign-in, bound to
   * its cookie: without it no answer is taken.
   * @param options `isFresh`: the person must prove it anew. `relayState`: comes back beside the
   *   answer, unprotected: a key to look something up, 80 letters of base64url at most.
   */
  begin(options: {
    readonly isFresh: boolean
    readonly relayState?: string
  }): Promise<{ redirect: URL; requestId: string }>
  /**
   * Verifies an answer and takes it, once.
   * @param requestId of this very browser's sign-in.
   * @param ip address it was posted from, of which few wait at a time.
   * @throws {Fault} `no_identity` with `facts.reason`, one word of `saml-refusals.ts`;
   *   `busy` when too many wait, and it was not looked at; `identity_down` when no certificate holds, or the groups cannot be had. On the reasons
   *   `authn_old` and `not_fresh` a new start with `isFresh` helps.
   */
  accept(
    posted: { readonly SAMLResponse: string },
    requestId: string,
    ip?: string,
  ): Promise<SamlSignedIn>
  /**
   * Verifies a logout request that came by redirect.
   * @param query as it came, without `?`.
   * @returns the subject where the NameID is what people are known by, and the provider's session
   *   where it is named. One of the two is there.
   * @throws {Fault} as `accept`; each request is taken once.
   */
  acceptLogout(query: string): { issuer: string; subject?: string; providerSession?: string }
  /** Our metadata, XML. */
  metadata(): string
}

/**
 * Opens one sign-in.
 * @throws {Fault} `config_bad` for certificate files that cannot be used, a signing key that is no
 *   RSA key, or a `sameAs` nobody resolved: people would silently be others than their tokens name.
 */
export function openSaml(config: SamlSignInConfig, of: SamlParts): SamlMethod {
  const certificates = openCertificates(config.certificateFiles, of.clock)
  if (of.signingKey !== undefined) keyOf(of.signingKey)
  if ((config.sameAs === undefined) !== (of.sameAs === undefined)) {
    throw new Fault('config_bad', 'The same_as of a SAML sign-in must name an entra issuer.')
  }
  const nowMs = (): number => of.clock.nowUs() / 1000
  return {
    async begin({ isFresh, relayState = '' }) {
      // The library signs other letters than it sends where one has two percent-encodings.
      assert(/^[\w-]{0,80}$/.test(relayState), 'a relay state is letters of base64url')
      const requestId = newRequestId(nowMs(), isFresh)
      const key = of.signingKey === undefined ? {} : { privateKey: keyOf(of.signingKey) }
      const asked = { forceAuthn: isFresh, generateUniqueId: () => requestId, ...key }
      const saml = new SAML({ ...libraryOptions(config, of, []), ...asked })
      return {
        redirect: new URL(await saml.getAuthorizeUrlAsync(relayState, undefined, {})),
        requestId,
      }
    },
    accept: async ({ SAMLResponse }, requestId, ip) => {
      const wanted = expected(config, of, requestId, nowMs())
      const assertion = await turns.take(async () => {
        await setImmediate() // Who else waits for this thread goes before the next of these.
        const { xml, hasOwnSignature } = readResponse(SAMLResponse, wanted)
        const options = libraryOptions(config, of, [...certificates.pems()])
        options.wantAuthnResponseSigned = config.isResponseSigned || hasOwnSignature
        return await new Checked(options, wanted).verify(xml)
      }, ip)
      const named = nameOf(assertion, { config, ...of })
      takeOnce(assertion, wanted, of.replays)
      const told = await withAllGroups(named, { config, ...of })
      return signedIn(told, named.amr, assertion, wanted.nowMs)
    },
    acceptLogout: (query) => logOut(query, config, of, certificates.keys()),
    metadata: () => ownMetadata({ ...of, signingPem: of.signingKey?.reveal() }),
  }
}

/** When we asked and for what stands in the id, so that nothing else needs to be kept of it. */
function newRequestId(nowMs: number, isFresh: boolean): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, '0')
  return `_${isFresh ? 'f' : 's'}${time}${randomBytes(16).toString('hex')}`
}

function expected(
  config: SamlSignInConfig,
  { acsUrl, entityId }: SamlParts,
  requestId: string,
  nowMs: number,
): AssertionWanted {
  const [, kind, time] = /^_([fs])([0-9a-f]{12})[0-9a-f]{32}$/.exec(requestId) ?? []
  if (kind === undefined || time === undefined) throw refuseSaml('unsolicited')
  const askedMs = Number.parseInt(time, 16)
  if (!isAwaited(askedMs, nowMs)) throw refuseSaml('request_expired')
  const { idpIssuer } = config
  return { idpIssuer, entityId, acsUrl, requestId, askedMs, isFresh: kind === 'f', nowMs }
}

/** Every option that guards something is set, whatever the library's default is today. */
function libraryOptions(config: SamlSignInConfig, of: SamlParts, idpCert: string[]): SamlConfig {
  return {
    idpCert,
    issuer: of.entityId,
    audience: of.entityId,
    callbackUrl: of.acsUrl,
    entryPoint: config.entryPoint,
    idpIssuer: config.idpIssuer,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: config.isResponseSigned,
    validateInResponseTo: ValidateInResponseTo.always,
    requestIdExpirationPeriodMs: requestAgeMaxMs,
    acceptedClockSkewMs: skewMs,
    maxAssertionAgeMs: messageAgeMaxMs,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    // Entra and others choose the format by their own settings where none is asked for.
    identifierFormat: asksForNameId(config) ? persistentFormat : null,
    // Certificates, keys and second factors would not be the one context asked for.
    disableRequestedAuthnContext: true,
    allowCreate: false,
    forceAuthn: false,
    passive: false,
    disableRequestAcsUrl: false,
    skipRequestCompression: false,
    authnRequestBinding: 'HTTP-Redirect',
    cacheProvider: knowing(),
  }
}

function asksForNameId({ subjectAttribute, sameAs }: SamlSignInConfig): boolean {
  return subjectAttribute === undefined && sameAs === undefined
}

/** The library's store of requests: it knows one at most, and that one is always in time, which
 *  `expected` has made sure of by our own clock. */
function knowing(requestId?: string): CacheProvider {
  return {
    saveAsync: (key, value) => Promise.resolve({ value: `${key} ${value}`, createdAt: 0 }),
    getAsync: (key) => Promise.resolve(key === requestId ? new Date().toISOString() : null),
    removeAsync: (key) => Promise.resolve(key),
  }
}

/** The library with our clock, and with our rules where it hands on what was signed. */
class Checked extends SAML {
  readonly #wanted: AssertionWanted
  #assertion: Assertion | undefined

  constructor(options: SamlConfig, wanted: AssertionWanted) {
    super({ ...options, cacheProvider: knowing(wanted.requestId) })
    this.#wanted = wanted
  }

  /** @throws {Fault} `no_identity`; whatever the library does not like is a bad signature to us. */
  async verify(xml: string): Promise<Assertion> {
    const SAMLResponse = Buffer.from(xml, 'utf8').toString('base64')
    try {
      const { profile } = await this.validatePostResponseAsync({ SAMLResponse })
      if (profile === null || this.#assertion === undefined) throw refuseSaml('signature')
      return this.#assertion
    } catch (cause) {
      if (cause instanceof Fault) throw cause
      throw refuseSaml(this.#assertion === undefined ? 'signature' : 'library', cause)
    }
  }

  protected override async processValidlySignedAssertionAsync(
    xml: string,
    responseXml: string,
    inResponseTo: string | null,
  ): Promise<{ profile: Profile; loggedOut: boolean }> {
    this.#assertion = readAssertion(xml, this.#wanted)
    return super.processValidlySignedAssertionAsync(xml, responseXml, inResponseTo)
  }

  protected override checkTimestampsValidityError(
    _machineMs: number,
    notBefore: string,
    notOnOrAfter: string,
    endsMs?: number,
  ): Error | null {
    return super.checkTimestampsValidityError(this.#wanted.nowMs, notBefore, notOnOrAfter, endsMs)
  }
}

/** Three posts of one response at a time are one sign-in. The request is used up with it, so that a
 *  second assertion for it is none either. */
function takeOnce({ id, endsMs }: Assertion, wanted: AssertionWanted, replays: ReplayStore): void {
  const { idpIssuer, requestId, askedMs, nowMs } = wanted
  const keptMs = Math.max(endsMs, askedMs + requestAgeMaxMs) + skewMs
  const names = [`saml assertion ${idpIssuer} ${id}`, `saml request ${requestId}`]
  if (!replays.take(names, keptMs, nowMs)) throw refuseSaml('replayed')
}

function signedIn(
  told: Told,
  amr: readonly string[],
  assertion: Assertion,
  nowMs: number,
): SamlSignedIn {
  const { authenticatedMs, issuedMs, sessionIndex, sessionEndsMs } = assertion
  return {
    ...told,
    authenticatedMs,
    provenMs: Math.min(issuedMs, nowMs),
    amr,
    ...(isWord(sessionIndex) ? { providerSession: sessionIndex } : {}),
    ...(sessionEndsMs === undefined ? {} : { sessionEndsMs }),
  }
}

function logOut(
  query: string,
  config: SamlSignInConfig,
  of: SamlParts,
  keys: ReturnType<ReturnType<typeof openCertificates>['keys']>,
): ReturnType<SamlMethod['acceptLogout']> {
  const { logoutUrl, replays } = of
  const { idpIssuer } = config
  if (logoutUrl === undefined) throw refuseSaml('destination')
  const nowMs = of.clock.nowUs() / 1000
  const request = readLogout(query, { idpIssuer, logoutUrl, keys, nowMs })
  const { nameId, nameIdFormat, sessionIndex } = request
  const isSubject = asksForNameId(config) && nameIdFormat === persistentFormat
  const subject = isSubject ? nameId : undefined
  if (subject === undefined && sessionIndex === undefined) throw refuseSaml('subject')
  const name = `saml logout ${idpIssuer} ${request.id}`
  if (!replays.take([name], request.endsMs + skewMs, nowMs)) throw refuseSaml('replayed')
  return {
    issuer: idpIssuer,
    ...(subject === undefined ? {} : { subject }),
    ...(sessionIndex === undefined ? {} : { providerSession: sessionIndex }),
  }
}

/** The key alone, of a file that may hold its certificate too. */
function keyOf(secret: { reveal(): string }): string {
  try {
    const key = createPrivateKey(secret.reveal())
    if (key.asymmetricKeyType === 'rsa')
      return key.export({ type: 'pkcs8', format: 'pem' }).toString()
  } catch {
    // What the library of keys says may quote the key: its error goes no further.
  }
  throw new Fault('config_bad', 'The signing key of a SAML sign-in is no RSA key in PEM form.')
}
