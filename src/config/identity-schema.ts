/** The shape of `identity` in `sallyport.yaml`: issuers, authorization server, SCIM. */
import { z } from 'zod'
import type { Draft, DraftIssuer, DraftScim } from './draft.ts'
import type { Fields, Schema } from './fields.ts'
import { entraAuthority, graph, signIn, tenant } from './sign-in-schema.ts'
import type { AuthorizationServerConfig, WorkflowRule } from './types.ts'

export function identity(f: Fields): Schema<Draft['identity']> {
  return z
    .strictObject({
      issuers: z.array(issuer(f)).min(1).describe('Whose access tokens are believed.'),
      sign_in: z
        .array(signIn(f))
        .prefault([])
        .describe('How people sign in to console and authorization server.'),
      authorization_server: authorizationServer(f)
        .exactOptional()
        .describe('Signs MCP clients in by themselves, in front of `sign_in`.'),
      scim: scim(f).exactOptional().describe('The directory tells here who has left.'),
      service_key_max: f
        .duration('90d', '1h', '366d')
        .describe('A service account’s key is good for this long at most.'),
      idle_after: f
        .duration('90d', '1d', '3650d')
        .describe('Who was not seen for this long is stopped (PCI DSS v4.0.1 req. 8.2.6).'),
      idle_warning: f.duration('14d', '1h', '365d').describe('And is reported this long before.'),
    })
    .transform((raw) => ({
      issuers: raw.issuers,
      signIn: raw.sign_in,
      ...(raw.authorization_server === undefined
        ? {}
        : { authorizationServer: raw.authorization_server }),
      ...(raw.scim === undefined ? {} : { scim: raw.scim }),
      serviceKeyMs: raw.service_key_max,
      idleMs: raw.idle_after,
      idleWarningMs: raw.idle_warning,
    }))
}

function issuer(f: Fields): Schema<DraftIssuer> {
  const local = z.strictObject({
    type: z.literal('local'),
    name: f.name,
    issuer: f.issuerUrl.exactOptional().describe('Default: {public_url}/oauth.'),
    audience: f.oneOrMore.exactOptional().describe('Default: public_url.'),
  })
  return z.discriminatedUnion('type', [oidcIssuer(f), entraIssuer(f), githubIssuer(f), local])
}

const clientsHelp = 'Client ids that may hold a token; empty: all.'

function oidcIssuer(f: Fields) {
  return z
    .strictObject({
      type: z.literal('oidc'),
      name: f.name,
      issuer: f.issuerUrl,
      audience: f.oneOrMore
        .exactOptional()
        .describe('Audiences believed besides a connection’s address.'),
      algorithms: z.array(f.algorithm).min(1).prefault(['RS256', 'PS256', 'ES256', 'EdDSA']),
      clients: z.array(f.text).prefault([]).describe(clientsHelp),
      groups_claim: f.claim.prefault('groups'),
      roles_claim: f.claim.prefault('roles'),
      name_claim: f.claim.prefault('name'),
      kind: z.enum(['auto', 'person', 'service', 'workload']).prefault('auto'),
      jwks_uri: f.issuerUrl.exactOptional().describe('Where the keys are, instead of discovery.'),
    })
    .transform((raw) => ({
      type: raw.type,
      name: raw.name,
      issuer: raw.issuer,
      audience: raw.audience ?? [],
      algorithms: raw.algorithms,
      clients: raw.clients,
      groupsClaim: raw.groups_claim,
      rolesClaim: raw.roles_claim,
      nameClaim: raw.name_claim,
      kind: raw.kind,
      ...(raw.jwks_uri === undefined ? {} : { jwksUri: raw.jwks_uri }),
    }))
}

function entraIssuer(f: Fields) {
  const tenants = z
    .union([tenant, z.array(tenant).min(1)], { error: 'must be a tenant id or a list of them' })
    .transform((value) => (typeof value === 'string' ? [value] : value))
  return z
    .strictObject({
      type: z.literal('entra'),
      name: f.name,
      tenant: tenants.describe('Tenants whose tokens are believed, by id.'),
      audience: f.oneOrMore.describe('The application’s id, and its App ID URIs.'),
      versions: z
        .array(z.enum(['1.0', '2.0']))
        .min(1)
        .prefault(['2.0'])
        .describe('Token versions; the application’s manifest decides which it gets.'),
      clients: z.array(f.text).prefault([]).describe(clientsHelp),
      authority: f.publicUrl.prefault(entraAuthority).describe('Differs in national clouds.'),
      authority_v1: f.publicUrl.prefault('https://sts.windows.net').describe('The same for v1.'),
      graph: graph(f).exactOptional(),
    })
    .transform((raw) => ({
      type: raw.type,
      name: raw.name,
      tenants: raw.tenant,
      authority: raw.authority,
      authorityV1: raw.authority_v1,
      audience: raw.audience,
      versions: raw.versions,
      clients: raw.clients,
      ...(raw.graph === undefined ? {} : { graph: raw.graph }),
    }))
}

function githubIssuer(f: Fields) {
  return z
    .strictObject({
      type: z.literal('github-actions'),
      name: f.name,
      issuer: f.issuerUrl
        .prefault('https://token.actions.githubusercontent.com')
        .describe('Differs on GitHub Enterprise Server.'),
      audience: f.oneOrMore.describe('What workflows ask their token for.'),
      repositories: z
        .array(repository)
        .prefault([])
        .describe('Repositories let in with every branch; `allow` says it better.'),
      allow: z.array(workflow(f)).prefault([]).describe('Which runs are let in.'),
    })
    .transform((raw) => ({
      type: raw.type,
      name: raw.name,
      issuer: raw.issuer,
      audience: raw.audience,
      allow: [...raw.repositories.map((name) => ({ repository: name, events: [] })), ...raw.allow],
    }))
}

const repository = z
  .string()
  .regex(/^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/, 'must be owner/name, such as acme/payments')
const numberId = z.string().regex(/^\d{1,20}$/, 'must be the number GitHub gave it, in quotes')

function workflow(f: Fields): Schema<WorkflowRule> {
  return z
    .strictObject({
      repository: repository.exactOptional(),
      repository_id: numberId
        .exactOptional()
        .describe('Survives a rename, and no stranger gets it.'),
      owner_id: numberId.exactOptional(),
      environment: f.text.exactOptional(),
      ref: f.text.exactOptional().describe('Such as refs/heads/main; `*` stands for any run.'),
      workflow: f.text
        .exactOptional()
        .describe('owner/repo/.github/workflows/x.yml@ref, or with `*`.'),
      events: z.array(f.text).prefault([]).describe('Default: all but pull requests.'),
      runner: z.enum(['github-hosted', 'self-hosted']).exactOptional(),
    })
    .refine((raw) => raw.repository !== undefined || raw.repository_id !== undefined, {
      error: 'names no repository; give repository_id, repository or both',
    })
    .transform(({ repository_id: repositoryId, owner_id: ownerId, ...raw }) => ({
      ...raw,
      ...(repositoryId === undefined ? {} : { repositoryId }),
      ...(ownerId === undefined ? {} : { ownerId }),
    }))
}

function authorizationServer(f: Fields): Schema<AuthorizationServerConfig> {
  const client = z
    .strictObject({
      client_id: f.text,
      name: f.text,
      redirect_uris: z.array(f.text).min(1).max(10),
      client_secret: f.secret.exactOptional(),
    })
    .transform((raw) => ({
      clientId: raw.client_id,
      name: raw.name,
      redirectUris: raw.redirect_uris,
      ...(raw.client_secret === undefined ? {} : { clientSecret: raw.client_secret }),
    }))
  return z
    .strictObject({
      access_token: f.duration('5m', '1m', '1h').describe('How long an access token is good.'),
      refresh_token: f.duration('8h', '5m', '90d').describe('And a refresh token, which rotates.'),
      session: f.duration('8h', '5m', '30d').describe('How long a browser stays signed in.'),
      dynamic_registration: z
        .boolean()
        .prefault(true)
        .describe('Clients register by themselves (RFC 7591).'),
      document_hosts: z
        .array(f.text)
        .prefault(['*'])
        .describe('Hosts of client id metadata documents; empty: none is taken.'),
      registrations_per_hour_max: f.count(30, 1, 10_000),
      clients: z.array(client).prefault([]).describe('Clients known beforehand.'),
      assertion_issuers: z
        .array(f.text)
        .prefault([])
        .describe('Names of issuers whose ID-JAGs are taken for access tokens.'),
    })
    .transform((raw) => ({
      accessTokenMs: raw.access_token,
      refreshTokenMs: raw.refresh_token,
      sessionMs: raw.session,
      dynamicRegistration: raw.dynamic_registration,
      documentHosts: raw.document_hosts,
      registrationsPerHourMax: raw.registrations_per_hour_max,
      clients: raw.clients,
      assertionIssuers: raw.assertion_issuers,
    }))
}

function scim(f: Fields): Schema<DraftScim> {
  return z
    .strictObject({
      tokens: z.array(f.secret).min(1).max(2).describe('Two while one replaces the other.'),
      issuer: f.text.describe('Name of the issuer or sign-in whose people the directory keeps.'),
      allow_from: z.array(f.addressRange).prefault([]).describe('Empty: from anywhere.'),
    })
    .transform((raw) => ({ tokens: raw.tokens, issuer: raw.issuer, allowFrom: raw.allow_from }))
}
