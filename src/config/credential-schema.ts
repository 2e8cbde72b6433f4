/** The shape of a connection's `credential`: what its server is shown. */
import { z } from 'zod'
import type { Fields, Schema } from './fields.ts'
import { entraAuthority, tenant } from './sign-in-schema.ts'
import type { CredentialConfig, TokenEndpointConfig } from './types.ts'

export function credential(f: Fields): Schema<CredentialConfig> {
  return z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('none') }),
    z.strictObject({ type: z.literal('bearer'), value: f.secret }),
    z.strictObject({ type: z.literal('header'), name: f.credentialHeader, value: f.secret }),
    z.strictObject({ type: z.literal('basic'), username: f.username, password: f.secret }),
    tokenEndpoint(f, 'client-credentials'),
    tokenEndpoint(f, 'token-exchange'),
    onBehalfOf(f),
    z
      .strictObject({
        type: z.literal('managed-identity'),
        resource: f.text.describe('App ID URI of the server.'),
        client_id: f.text.exactOptional().describe('Of a user-assigned identity.'),
      })
      .transform(({ client_id: clientId, ...raw }) => ({
        ...raw,
        ...(clientId === undefined ? {} : { clientId }),
      })),
    awsSigV4(f),
  ])
}

function tokenEndpoint<T extends 'client-credentials' | 'token-exchange'>(f: Fields, type: T) {
  return z
    .strictObject({
      type: z.literal(type),
      token_url: f.issuerUrl.describe('The token endpoint.'),
      client_id: f.text,
      client_auth: z
        .enum(['basic', 'post', 'key'])
        .prefault('basic')
        .describe('`key`: client_secret is a PEM private key (private_key_jwt).'),
      client_secret: f.secret,
      scope: f.text.exactOptional(),
      audience: f.text.exactOptional(),
      resource: f.text.exactOptional(),
    })
    .transform((raw): TokenEndpointConfig & { readonly type: T } => ({
      type,
      tokenUrl: raw.token_url,
      clientId: raw.client_id,
      clientAuth: raw.client_auth,
      clientSecret: raw.client_secret,
      ...(raw.scope === undefined ? {} : { scope: raw.scope }),
      ...(raw.audience === undefined ? {} : { audience: raw.audience }),
      ...(raw.resource === undefined ? {} : { resource: raw.resource }),
    }))
}

function onBehalfOf(f: Fields) {
  return z
    .strictObject({
      type: z.literal('on-behalf-of'),
      tenant,
      authority: f.publicUrl.prefault(entraAuthority),
      client_id: f.text,
      client_auth: z.enum(['post', 'key']).prefault('post'),
      client_secret: f.secret,
      scope: f.text.describe('Such as api://payments/.default.'),
    })
    .transform((raw) => ({
      type: raw.type,
      tokenUrl: `${raw.authority}/${raw.tenant}/oauth2/v2.0/token`,
      clientId: raw.client_id,
      clientAuth: raw.client_auth,
      clientSecret: raw.client_secret,
      scope: raw.scope,
    }))
}

function awsSigV4(f: Fields) {
  return z
    .strictObject({
      type: z.literal('aws-sigv4'),
      region: f.text,
      service: f.text,
      access_key_id: f.secret,
      secret_access_key: f.secret,
      session_token: f.secret.exactOptional(),
    })
    .transform((raw) => ({
      type: raw.type,
      region: raw.region,
      service: raw.service,
      accessKeyId: raw.access_key_id,
      secretAccessKey: raw.secret_access_key,
      ...(raw.session_token === undefined ? {} : { sessionToken: raw.session_token }),
    }))
}
