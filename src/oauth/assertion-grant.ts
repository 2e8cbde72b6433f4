/**
 * Enterprise-managed authorization: a company's issuer has already decided that this person may use
 * this client here, and says so in an ID-JAG. No page, no refresh token; the assertion is asked for
 * again each time (draft-ietf-oauth-identity-assertion-authz-grant §4, RFC 7523).
 */
import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { ResourceServer, TokenEndpointGrantContext } from 'oidc-provider'
import { Fault } from '../base/fault.ts'
import { newId } from '../base/ids.ts'
import type { KnownPrincipal } from '../identity/directory.ts'
import { mayAct } from './options.ts'
import type { Asserted, AuthorizationServerOptions, VerifyAssertion } from './options.ts'
import { jwtBearer, resourceServer, unavailable } from './provider.ts'
import type { Resources } from './resources.ts'

type Context = TokenEndpointGrantContext<{ assertion?: string; resource?: string }>

/** Makes the grant known to the library; does nothing where no issuer is configured for it. */
export function registerAssertionGrant(
  provider: Provider,
  options: AuthorizationServerOptions,
  resources: Resources,
): void {
  const { config, verifyAssertion } = options
  if (config.assertionIssuers.length === 0) return
  if (verifyAssertion === undefined) {
    const message = 'assertion_issuers are configured, but nothing was handed in to verify with.'
    throw new Fault('config_bad', message)
  }
  const grant = async (ctx: Context): Promise<void> => {
    const asserted = await verified(ctx, options, verifyAssertion)
    const audience = audienceOf(ctx, asserted, resources)
    const person = personOf(asserted, options)
    const { clientId } = ctx.oidc.client
    const nowMs = options.clock.nowUs() / 1000
    const at = { clientId, issuedAtMs: issuedMs(asserted), nowMs }
    if (!mayAct(person, options.revocations, at)) throw refused('the person')
    await answer(ctx, provider, person, resourceServer(options, audience))
  }
  provider.registerGrantType<{ assertion?: string; resource?: string }>(jwtBearer, grant, [
    'assertion',
    'scope',
    'resource',
  ])
}

async function verified(
  { oidc }: Context,
  options: AuthorizationServerOptions,
  verify: VerifyAssertion,
): Promise<Asserted> {
  const { config, local } = options
  const { assertion } = oidc.params
  if (typeof assertion !== 'string') throw new errors.InvalidRequest('assertion is missing')
  const to = { issuers: config.assertionIssuers, audience: local.issuer }
  const asserted = await verify(assertion, to).catch((cause: unknown) => {
    // Which check it was stays with us: a forger learns nothing.
    const isTheirs = cause instanceof Fault && cause.code === 'no_identity'
    throw isTheirs ? refused('the assertion') : unavailable(cause, options)
  })
  // It was issued for this client and nobody else's hands (§4.4.1 of the draft).
  if (asserted.clientId !== oidc.client.clientId) throw refused('the client')
  return asserted
}

function audienceOf({ oidc }: Context, { resource }: Asserted, resources: Resources): string {
  const audience = resources.audienceOf(resource)
  if (audience === undefined) throw new errors.InvalidTarget('no such resource here')
  const asked = oidc.params.resource
  if (asked !== undefined && resources.audienceOf(asked) !== audience) {
    throw new errors.InvalidTarget('the assertion is for another resource')
  }
  return audience
}

function personOf(
  { issuer, subject, claims }: Asserted,
  options: AuthorizationServerOptions,
): KnownPrincipal {
  const { clock, directory } = options
  const known = directory.find(issuer, subject)
  if (known !== undefined) return known
  const name = claims['name']
  const told = {
    issuer,
    subject,
    kind: 'person',
    ...(typeof name === 'string' ? { name } : {}),
  } as const
  return directory.tell(told, 'token', clock.nowUs() / 1000)
}

/** Who was signed out everywhere has what their issuer says of them since. Without a time: of ever. */
function issuedMs({ claims }: Asserted): number {
  const issuedS = claims['iat']
  return typeof issuedS === 'number' ? issuedS * 1000 : 0
}

async function answer(
  ctx: Context,
  provider: Provider,
  person: KnownPrincipal,
  server: ResourceServer,
): Promise<void> {
  const { audience = '' } = server
  const token = new provider.AccessToken({
    accountId: person.id,
    client: ctx.oidc.client,
    grantId: newId('gr'), // Names its tokens for a stop; nothing is kept under it.
    gty: jwtBearer,
    resourceServer: { ...server, scopes: new Set(['mcp']), identifier: () => audience },
    scope: 'mcp',
  })
  const value = await token.save()
  ctx.body = {
    access_token: value,
    token_type: token.tokenType,
    expires_in: token.expiration,
    scope: 'mcp',
  }
}

function refused(what: string): errors.InvalidGrant {
  return new errors.InvalidGrant(`${what} is not accepted`)
}
