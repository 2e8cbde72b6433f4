/** One SAML sign-in of ours in front of one provider, with a clock that stands until moved. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/base/clock.ts'
import type { SamlSignInConfig } from '../../src/config/types.ts'
import { openReplays } from '../../src/signin/saml-replays.ts'
import type { ReplayStore } from '../../src/signin/saml-replays.ts'
import { openSaml } from '../../src/signin/saml.ts'
import type { SamlMethod, SamlParts, SamlSignedIn } from '../../src/signin/saml.ts'
import { goodWish, post } from './saml-messages.ts'
import type { SamlKey, Wish } from './saml-messages.ts'

export const idpIssuer = 'https://idp.example.com/saml'
export const acsUrl = 'https://gw.example.com/signin/corp/acs'
export const logoutUrl = 'https://gw.example.com/signin/corp/logout'
export const entityId = 'https://gw.example.com/saml/corp'

class StandingClock implements Clock {
  ms: number
  /** @param from where not given, now: certificates made just now hold then. */
  constructor(from: number = Date.now()) {
    this.ms = from
  }
  nowUs(): number {
    return this.ms * 1000
  }
  monotonicMs(): number {
    return this.ms
  }
}

export interface SamlSetup {
  readonly clock: StandingClock
  readonly folder: string
  readonly certificateFile: string
  readonly replays: ReplayStore
  readonly stateFile: string
  open(config?: Partial<SamlSignInConfig>, parts?: Partial<SamlParts>): SamlMethod
  /** One that has no address for logout requests. */
  openWithoutLogout(): SamlMethod
  /** A good wish for this moment, but for what is wished. */
  wish(requestId: string, over?: Partial<Wish>): Wish
  /** Begins, answers as wished and accepts. */
  signIn(method: SamlMethod, over?: Partial<Wish>): Promise<SamlSignedIn>
  close(): void
}

export function setUpSaml(key: SamlKey): SamlSetup {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-saml-'))
  const certificateFile = join(folder, 'idp.pem')
  const stateFile = join(folder, 'state.sqlite')
  writeFileSync(certificateFile, key.certificatePem)
  const clock = new StandingClock()
  const replays = openReplays(stateFile)
  const usual: SamlSignInConfig = {
    type: 'saml',
    name: 'corp',
    label: 'Company',
    idpIssuer,
    entryPoint: 'https://idp.example.com/sso?tenant=1',
    certificateFiles: [certificateFile],
    isResponseSigned: false,
    groupsAttribute: 'groups',
    rolesAttribute: 'roles',
    nameAttribute: 'displayName',
  }
  const wish = (requestId: string, over: Partial<Wish> = {}): Wish => {
    const needed = { key, issuer: idpIssuer, acsUrl, audience: entityId, requestId }
    return goodWish({ ...needed, nowMs: clock.ms }, over)
  }
  return {
    clock,
    folder,
    certificateFile,
    replays,
    stateFile,
    open: (config = {}, parts = {}) =>
      openSaml({ ...usual, ...config }, { acsUrl, entityId, logoutUrl, clock, replays, ...parts }),
    openWithoutLogout: () => openSaml(usual, { acsUrl, entityId, clock, replays }),
    wish,
    async signIn(method, over = {}) {
      const { requestId } = await method.begin({ isFresh: false })
      return method.accept(post(wish(requestId, over)), requestId)
    },
    close() {
      replays.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
