/** The shape of `identity.sign_in`: how people sign in, and how Entra's groups are asked for. */
import { z } from 'zod'
import type { DraftSignIn } from './draft.ts'
import type { Fields, Schema } from './fields.ts'
import type { GraphConfig } from './types.ts'

const guidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Everybody's own tenant: personal Microsoft accounts. */
const consumerTenant = '9188040d-6c67-4c5b-b112-36a304b66dad'

const guid = z
  .string()
  .regex(guidForm, 'must be a GUID, such as the portal shows it')
  .transform((text) => text.toLowerCase())

/** A tenant's id. */
export const tenant: Schema<string> = guid.refine((id) => id !== consumerTenant, {
  error: 'is the tenant of personal Microsoft accounts, where everybody is',
})

export const entraAuthority = 'https://login.microsoftonline.com'

export function graph(f: Fields): Schema<GraphConfig> {
  return z
    .strictObject({
      url: f.publicUrl.prefault('https://graph.microsoft.com'),
      client_id: guid,
      client_secret: f.secret,
    })
    .describe('Asked for the groups of people who have too many for a token.')
    .transform((raw) => ({
      url: raw.url,
      clientId: raw.client_id,
      clientSecret: raw.client_secret,
    }))
}

export function signIn(f: Fields): Schema<DraftSignIn> {
  const accounts = z.strictObject({
    type: z.literal('accounts'),
    name: f.name,
    label: f.text.exactOptional(),
    passwords: z
      .boolean()
      .prefault(false)
      .describe('A password alone signs in; PCI DSS v4.0.1 req. 8.4.2 does not permit that.'),
  })
  return z.discriminatedUnion('type', [oidcSignIn(f), entraSignIn(f), samlSignIn(f), accounts])
}

function oidcSignIn(f: Fields) {
  return z
    .strictObject({
      type: z.literal('oidc'),
      name: f.name,
      label: f.text.exactOptional().describe('On the button; default: the name.'),
      issuer: f.issuerUrl,
      client_id: f.text,
      client_secret: f.secret.exactOptional(),
      scopes: z.array(f.text).prefault(['profile', 'email']).describe('Besides openid.'),
      groups_claim: f.claim.prefault('groups'),
      roles_claim: f.claim.prefault('roles'),
      name_claim: f.claim.prefault('name'),
    })
    .transform((raw) => ({
      type: raw.type,
      name: raw.name,
      ...(raw.label === undefined ? {} : { label: raw.label }),
      issuer: raw.issuer,
      clientId: raw.client_id,
      ...(raw.client_secret === undefined ? {} : { clientSecret: raw.client_secret }),
      scopes: raw.scopes,
      groupsClaim: raw.groups_claim,
      rolesClaim: raw.roles_claim,
      nameClaim: raw.name_claim,
    }))
}

function entraSignIn(f: Fields) {
  return z
    .strictObject({
      type: z.literal('entra'),
      name: f.name,
      label: f.text.exactOptional(),
      tenant,
      authority: f.publicUrl.prefault(entraAuthority),
      client_id: guid,
      client_secret: f.secret,
      scopes: z.array(f.text).prefault(['profile', 'email']),
      graph: graph(f).exactOptional(),
    })
    .transform((raw) => ({
      type: raw.type,
      name: raw.name,
      ...(raw.label === undefined ? {} : { label: raw.label }),
      tenant: raw.tenant,
      authority: raw.authority,
      clientId: raw.client_id,
      clientSecret: raw.client_secret,
      scopes: raw.scopes,
      ...(raw.graph === undefined ? {} : { graph: raw.graph }),
    }))
}

const claims = 'http://schemas.microsoft.com/ws/2008/06/identity/claims'

function samlSignIn(f: Fields) {
  return z
    .strictObject({
      type: z.literal('saml'),
      name: f.name,
      label: f.text.exactOptional(),
      idp_issuer: f.text.describe('The provider’s entity id.'),
      entry_point: f.issuerUrl.describe('Where it takes requests (redirect binding).'),
      certificates: z
        .array(f.path)
        .min(1)
        .max(4)
        .describe('PEM files with its signing certificates: the present and the next.'),
      entity_id: f.text.exactOptional().describe('Ours; default: its metadata’s address.'),
      signing_key: f.secret.exactOptional().describe('PEM private key that signs our requests.'),
      response_signed: z
        .boolean()
        .prefault(false)
        .describe('The response must be signed as well as the assertion.'),
      subject_attribute: f.text.exactOptional().describe('Instead of the persistent NameID.'),
      groups_attribute: f.text.prefault(`${claims}/groups`),
      roles_attribute: f.text.prefault(`${claims}/role`),
      name_attribute: f.text.prefault('http://schemas.microsoft.com/identity/claims/displayname'),
      same_as: f.text
        .exactOptional()
        .describe('Name of an entra issuer: one person, whichever way they come.'),
      graph: graph(f).exactOptional(),
    })
    .transform((raw) => ({
      type: raw.type,
      name: raw.name,
      ...(raw.label === undefined ? {} : { label: raw.label }),
      idpIssuer: raw.idp_issuer,
      entryPoint: raw.entry_point,
      certificateFiles: raw.certificates,
      ...(raw.entity_id === undefined ? {} : { entityId: raw.entity_id }),
      ...(raw.signing_key === undefined ? {} : { signingKey: raw.signing_key }),
      isResponseSigned: raw.response_signed,
      ...(raw.subject_attribute === undefined ? {} : { subjectAttribute: raw.subject_attribute }),
      groupsAttribute: raw.groups_attribute,
      rolesAttribute: raw.roles_attribute,
      nameAttribute: raw.name_attribute,
      ...(raw.same_as === undefined ? {} : { sameAs: raw.same_as }),
      ...(raw.graph === undefined ? {} : { graph: raw.graph }),
    }))
}
