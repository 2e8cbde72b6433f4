/** What the rest of the house sees of `sallyport.yaml`: checked, with defaults, in our units. */
import type { AlsoKind, Threshold } from '../cards/also/kinds.ts'
import type { Pattern } from '../cards/also/pattern.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Where a secret stands. The value itself never appears in the configuration. */
export type SecretRef =
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string }

export type PrincipalKind = 'person' | 'service' | 'workload'

/** JWS algorithms with a key pair; a shared secret could be forged by whoever verifies with it. */
export type Algorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'

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

export type IssuerConfig = OidcIssuerConfig | LocalIssuerConfig

export type CredentialConfig =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly value: SecretRef }
  | { readonly type: 'header'; readonly name: string; readonly value: SecretRef }
  | { readonly type: 'basic'; readonly username: string; readonly password: SecretRef }

/** TLS towards an upstream: PEM files. */
export interface ConnectionTlsConfig {
  readonly caFile?: string
  readonly certFile?: string
  readonly key?: SecretRef
  readonly serverName?: string
}

/** What is looked for in the messages of a connection besides card data, and how it is treated. */
export interface MaskConfig {
  /** The least confidence that is masked on delivery. */
  readonly threshold: Threshold
  /** Those of `masking` and the connection's own. */
  readonly also: readonly AlsoKind[]
  /** The same for patterns. */
  readonly patterns: readonly Pattern[]
  /** `pass`: the published test numbers of processors are left on delivery. */
  readonly testNumbers: 'mask' | 'pass'
  /** `all`: base64 is looked into also where no MIME type names it as text. */
  readonly base64: 'text' | 'all'
}

export interface ConnectionConfig {
  readonly name: string
  readonly url: string
  readonly credential: CredentialConfig
  readonly tls: ConnectionTlsConfig
  readonly timeouts: {
    readonly connectMs: number
    readonly headersMs: number
    readonly idleMs: number
  }
  /** Header names, lower case, let through besides those MCP itself needs. */
  readonly headers: { readonly request: readonly string[]; readonly response: readonly string[] }
  readonly cardholderData: { readonly columns: readonly string[] }
  readonly mask: MaskConfig
  readonly profile: 'pci'
  readonly answerBytesMax: number
}

/** Whom a line is about: all that is named must hold. */
export interface WhoConfig {
  readonly subject?: string
  readonly issuer?: string
  readonly group?: string
  readonly role?: string
  readonly kind?: PrincipalKind
}

/** Who has a role on the console; nobody where it is missing. */
export interface ConsoleRoles {
  /** Reads all of the record. */
  readonly analyst?: WhoConfig
  /** Reads its entries, and verifies it. */
  readonly auditor?: WhoConfig
}

/** One line of `access`. `who.issuer` is the issuer's identifier, as it stands in a principal. */
export interface GrantConfig {
  readonly who: WhoConfig
  readonly may: {
    readonly connection: string
    readonly tools?: readonly string[]
    readonly resources?: readonly string[]
    readonly prompts?: readonly string[]
    readonly methods?: readonly string[]
  }
  readonly reveal?: 'pan'
}

export interface ListenConfig {
  readonly gateway: HostPort
  readonly console: HostPort
  /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  /** `Host` values let in besides the listener's own: `name` with any port, or `name:port`. */
  readonly hosts: readonly string[]
  /** `Origin` values let in besides the gateway's own; `http://localhost:*` takes any port. */
  readonly origins: readonly string[]
  readonly tls?: { readonly certFile: string; readonly key: SecretRef }
}

export interface LimitsConfig {
  readonly requestBytesMax: number
  readonly answerBytesMax: number
  readonly jsonDepthMax: number
  readonly headerBytesMax: number
  readonly inFlightBytesMax: number
  readonly streamsPerPrincipalMax: number
  /** Bad requests of one source a minute that get an entry each; beyond they are counted. */
  readonly refusalsPerMinuteMax: number
  /** From the first byte of a request to the last of its body. */
  readonly requestMs: number
  /** How long running calls may go on after SIGTERM. */
  readonly stopGraceMs: number
}

export interface RecordConfig {
  readonly freeBytesMin: number
  readonly segmentBytesMax: number
  /** A recorded session without traffic ends after this time. */
  readonly sessionIdleMs: number
  /** Bodies from this size on are compressed before they are encrypted. */
  readonly compressFromBytes: number
  /** The log's name for the world; where it is missing the record makes one. */
  readonly origin?: string
  /** What wraps the keys of bodies. */
  readonly keyEncryptionKey: KeyEncryptionKey
  /** Others who sign what they have seen of the log. */
  readonly witnesses: readonly { readonly url: string; readonly vkey: string }[]
  /** Whole months go this long after their end; their content perhaps earlier. */
  readonly retentionMs: number
  readonly contentRetentionMs: number
  /** Whether outputs can be searched, not only what was asked. */
  readonly indexOutputs: boolean
  /** Whether calls can be found by a full card number: keyed tokens of all numbers are then kept. */
  readonly cardSearch: boolean
}

/** Where the key-encryption key is: a file of ours in `DATA/keys`, or a key in a vault. */
export type KeyEncryptionKey =
  | { readonly kind: 'file' }
  | { readonly kind: 'keyvault' | 'vault'; readonly key: string }

export interface LogConfig {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug'
}

export interface Config {
  readonly listen: ListenConfig
  /** Origin of the gateway as clients see it, without a slash at its end. */
  readonly publicUrl: string
  readonly console: { readonly publicUrl: string; readonly roles: ConsoleRoles }
  readonly dataDir: string
  readonly identity: { readonly issuers: readonly IssuerConfig[] }
  readonly connections: readonly ConnectionConfig[]
  readonly access: readonly GrantConfig[]
  readonly limits: LimitsConfig
  readonly record: RecordConfig
  readonly log: LogConfig
}
