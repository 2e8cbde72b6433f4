/** What `identity` of `sallyport.yaml` says: who is believed, and how people sign in. */
import type { Algorithm, PrincipalKind, SecretRef } from './types.ts'

/** An OpenID Connect issuer whose access tokens are believed. */
export interface OidcIssuerConfig {
  readonly type: 'oidc'
  readonly name: string
  /** Compared with `iss` byte for byte. */
  readonly issuer: string
  /** Audiences believed besides the connection's own address. */
  readonly audience: readonly string[]
  readonly algorithms: readonly Algorithm[]
  /** Client ids (`azp`, `client_id`, `appid`) that may hold a token; empty means all. */
  readonly clients: readonly string[]
  /** A claim's name, or a JSON pointer into the claims. */
  readonly groupsClaim: string
  readonly rolesClaim: string
  readonly nameClaim: string
  /** `auto` tells services from persons by what the token says of itself. */
  readonly kind: 'auto' | PrincipalKind
  /** Where the keys are; without it they are found by discovery. */
  readonly jwksUri?: string
}

/** The issuer inside this gateway: its key lies in `DATA/keys/local-issuer.json`. */
export interface LocalIssuerConfig {
  readonly type: 'local'
  readonly name: string
  readonly issuer: string
  readonly audience: readonly string[]
}

/** How the gateway itself asks Microsoft Graph about people with too many groups for a token. */
export interface GraphConfig {
  /** `https://graph.microsoft.com` but in national clouds. */
  readonly url: string
  readonly clientId: string
  readonly clientSecret: SecretRef
}

/** Microsoft Entra ID. A person is (tenant, `oid`), as issuer `{authority}/{tenant}/v2.0`. */
export interface EntraIssuerConfig {
  readonly type: 'entra'
  readonly name: string
  /** The tenants believed: GUIDs, lower case. Never empty. */
  readonly tenants: readonly string[]
  /** Origin: `https://login.microsoftonline.com` but in national clouds. */
  readonly authority: string
  /** Origin of v1 issuers: `https://sts.windows.net` but in national clouds. */
  readonly authorityV1: string
  /** The application's id and its App ID URIs; audiences besides the connection's own address. */
  readonly audience: readonly string[]
  /** Token versions believed. */
  readonly versions: readonly ('1.0' | '2.0')[]
  /** Client ids (`azp`, `appid`) that may hold a token; empty means all. */
  readonly clients: readonly string[]
  /** Without it a person whose token says "too many groups" is refused. */
  readonly graph?: GraphConfig
}

/** Which workflow runs of one repository are let in: all that is named must hold. */
export interface WorkflowRule {
  /** `owner/name`. At least one of `repository` and `repositoryId` is there. */
  readonly repository?: string
  readonly repositoryId?: string
  readonly ownerId?: string
  readonly environment?: string
  /** Full ref, `refs/heads/main`; `*` stands for any run of characters. */
  readonly ref?: string
  /** `job_workflow_ref` or `workflow_ref`; `*` as above. */
  readonly workflow?: string
  /** `event_name`s; where empty every event but `pull_request` and `pull_request_target`. */
  readonly events: readonly string[]
  readonly runner?: 'github-hosted' | 'self-hosted'
}

/** GitHub Actions. A workload is `{repository_id}` or `{repository_id}:{environment}`. */
export interface GithubIssuerConfig {
  readonly type: 'github-actions'
  readonly name: string
  /** `https://token.actions.githubusercontent.com`, or `https://HOST/_services/token`. */
  readonly issuer: string
  /** Never empty; the owner's URL, which is what a workflow gets when it names none, is refused. */
  readonly audience: readonly string[]
  readonly allow: readonly WorkflowRule[]
}

export type IssuerConfig =
  | OidcIssuerConfig
  | EntraIssuerConfig
  | GithubIssuerConfig
  | LocalIssuerConfig

/** A program that is known to the authorization server beforehand. */
export interface ClientConfig {
  readonly clientId: string
  readonly name: string
  readonly redirectUris: readonly string[]
  /** Without it a public client. */
  readonly clientSecret?: SecretRef
}

/** The authorization server inside the gateway, at `{public_url}/oauth`. Needs the local issuer. */
export interface AuthorizationServerConfig {
  readonly accessTokenMs: number
  readonly refreshTokenMs: number
  /** How long a browser stays signed in. */
  readonly sessionMs: number
  /** Dynamic client registration (RFC 7591). */
  readonly dynamicRegistration: boolean
  /** Client id metadata documents: hosts they may lie on, `*` for any run; empty: none is taken. */
  readonly documentHosts: readonly string[]
  /** Clients registered by one address in an hour at most. */
  readonly registrationsPerHourMax: number
  readonly clients: readonly ClientConfig[]
  /** Names of `oidc` and `entra` issuers whose ID-JAGs are taken (enterprise-managed authorization). */
  readonly assertionIssuers: readonly string[]
}

interface SignInBase {
  readonly name: string
  /** On the button. */
  readonly label: string
}

/** People sign in at an OpenID provider. */
export interface OidcSignInConfig extends SignInBase {
  readonly type: 'oidc'
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret?: SecretRef
  /** `openid` is always asked for. */
  readonly scopes: readonly string[]
  readonly groupsClaim: string
  readonly rolesClaim: string
  readonly nameClaim: string
}

/** People sign in at Microsoft Entra ID. */
export interface EntraSignInConfig extends SignInBase {
  readonly type: 'entra'
  /** One tenant, a GUID in lower case. */
  readonly tenant: string
  readonly authority: string
  readonly clientId: string
  readonly clientSecret: SecretRef
  readonly scopes: readonly string[]
  readonly graph?: GraphConfig
}

/** People sign in at a SAML 2.0 identity provider. */
export interface SamlSignInConfig extends SignInBase {
  readonly type: 'saml'
  /** The provider's entity id. */
  readonly idpIssuer: string
  /** Where AuthnRequests go (redirect binding). */
  readonly entryPoint: string
  /** PEM files with its signing certificates, at most a few: the present and the next. */
  readonly certificateFiles: readonly string[]
  /** Ours; `{origin}/saml/{name}` where it is missing. */
  readonly entityId?: string
  /** Signs our requests. */
  readonly signingKey?: SecretRef
  /** Whether the response must be signed besides the assertion. */
  readonly isResponseSigned: boolean
  /** Attribute that holds the subject; the NameID (persistent) where it is missing. */
  readonly subjectAttribute?: string
  readonly groupsAttribute: string
  readonly rolesAttribute: string
  readonly nameAttribute: string
  /** Name of an `entra` issuer: the same tenant, so (tenant, `oid`) is the same person. */
  readonly sameAs?: string
  readonly graph?: GraphConfig
}

/** People with an account of the gateway's own. */
export interface AccountsSignInConfig extends SignInBase {
  readonly type: 'accounts'
  /** Whether a password alone signs in; passkeys always do. For trying things, not for card data. */
  readonly passwords: boolean
}

export type SignInConfig =
  | OidcSignInConfig
  | EntraSignInConfig
  | SamlSignInConfig
  | AccountsSignInConfig

/** SCIM 2.0, by which a directory tells who has left. */
export interface ScimConfig {
  /** Bearer secrets; two while one replaces the other. */
  readonly tokens: readonly SecretRef[]
  /** The issuer (identifier) whose people these are: `externalId` is their subject. */
  readonly issuer: string
  /** Entra's: `externalId` must be a GUID, the object id. */
  readonly isEntra: boolean
  /** Addresses and CIDR ranges it may come from; empty: any. */
  readonly allowFrom: readonly string[]
}

export interface IdentityConfig {
  readonly issuers: readonly IssuerConfig[]
  readonly signIn: readonly SignInConfig[]
  readonly authorizationServer?: AuthorizationServerConfig
  readonly scim?: ScimConfig
  /** A service account's key is good for this long at most. */
  readonly serviceKeyMs: number
  /** A principal not seen for this long is stopped (PCI DSS v4.0.1 req. 8.2.6); warned of before. */
  readonly idleMs: number
  readonly idleWarningMs: number
}
