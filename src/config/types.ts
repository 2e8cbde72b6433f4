/** What the rest of the house sees of `sallyport.yaml`: checked, with defaults, in our units. */
import type { AlsoKind, Threshold } from '../cards/also/kinds.ts'
import type { Pattern } from '../cards/also/pattern.ts'
import type { IdentityConfig } from './identity-types.ts'
import type {
  DecisionPointConfig,
  HoldsConfig,
  NoticeConfig,
  ProfileConfig,
  RuleConfig,
  SqlConfig,
} from './policy-types.ts'

export type * from './identity-types.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Where a secret stands. The value itself never appears in the configuration. */
export type SecretRef =
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string }
  /** Azure Key Vault: name of the vault, name of the secret, a version or the newest. */
  | {
      readonly from: 'keyvault'
      readonly vault: string
      readonly name: string
      readonly version?: string
    }
  /** HashiCorp Vault, KV version 2: `mount/path`, and a key of what lies there. */
  | { readonly from: 'vault'; readonly path: string; readonly key: string }

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

/** How the token endpoint of an upstream's authorization server is asked. */
export interface TokenEndpointConfig {
  readonly tokenUrl: string
  readonly clientId: string
  /** `basic`: client_secret_basic; `post`: client_secret_post; `key`: private_key_jwt (PEM). */
  readonly clientAuth: 'basic' | 'post' | 'key'
  readonly clientSecret: SecretRef
  readonly scope?: string
  readonly audience?: string
  readonly resource?: string
}

export type CredentialConfig =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly value: SecretRef }
  | { readonly type: 'header'; readonly name: string; readonly value: SecretRef }
  | { readonly type: 'basic'; readonly username: string; readonly password: SecretRef }
  /** RFC 6749 §4.4. */
  | ({ readonly type: 'client-credentials' } & TokenEndpointConfig)
  /** RFC 8693: the caller's token for one of the server's. */
  | ({ readonly type: 'token-exchange' } & TokenEndpointConfig)
  /** Entra's on-behalf-of flow; `scope` is there. */
  | ({ readonly type: 'on-behalf-of' } & TokenEndpointConfig)
  /** Azure managed identity of the machine the gateway runs on. */
  | { readonly type: 'managed-identity'; readonly resource: string; readonly clientId?: string }
  | {
      readonly type: 'aws-sigv4'
      readonly region: string
      readonly service: string
      readonly accessKeyId: SecretRef
      readonly secretAccessKey: SecretRef
      readonly sessionToken?: SecretRef
    }

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
  /** Names of columns (and keys) and of tables that hold card numbers; `*` stands for any run. */
  readonly cardholderData: {
    readonly columns: readonly string[]
    readonly tables: readonly string[]
  }
  readonly sql: SqlConfig
  readonly mask: MaskConfig
  readonly profile: ProfileConfig
  readonly answerBytesMax: number
}

/** Whom a line is about: all that is named must hold. */
export interface WhoConfig {
  readonly subject?: string
  /** Identifiers, as they stand in a principal; one name in the file may stand for several. */
  readonly issuers?: readonly string[]
  readonly group?: string
  readonly role?: string
  readonly kind?: PrincipalKind
  /** Client id the token was given to. */
  readonly client?: string
  /** CEL over `principal` and `claims`; must be true. */
  readonly condition?: string
}

/** What people may be on the console. */
export type ConsoleRole = 'admin' | 'approver' | 'analyst' | 'compliance' | 'auditor'

/** Who has a role on the console; nobody where it is missing. */
export type ConsoleRoles = Readonly<Partial<Record<ConsoleRole, WhoConfig>>>

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/** A time of the week in which a grant holds. */
export interface WindowConfig {
  readonly days: readonly Weekday[]
  /** Minutes since midnight, in `timezone`; `to` may be smaller (past midnight), 1440 at most. */
  readonly fromMinute: number
  readonly toMinute: number
  /** IANA name. */
  readonly timezone: string
}

/** One line of `access`. */
export interface GrantConfig {
  /** Its name in the record; `access[2]` where it is missing. */
  readonly name?: string
  readonly who: WhoConfig
  readonly may: {
    readonly connection: string
    readonly tools?: readonly string[]
    readonly resources?: readonly string[]
    readonly prompts?: readonly string[]
    readonly methods?: readonly string[]
  }
  readonly reveal?: 'pan'
  /** It holds in these times only; any time where there is none. */
  readonly windows?: readonly WindowConfig[]
  /** It holds for these addresses and CIDR ranges only. */
  readonly networks?: readonly string[]
  /** It ends at this moment, in milliseconds since 1970. */
  readonly expiresMs?: number
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

export interface ConsoleConfig {
  readonly publicUrl: string
  readonly roles: ConsoleRoles
  /** A page nobody uses signs out after this time (PCI DSS v4.0.1 req. 8.2.8), and at the latest. */
  readonly sessionIdleMs: number
  readonly sessionMaxMs: number
}

export interface Config {
  readonly listen: ListenConfig
  /** Origin of the gateway as clients see it, without a slash at its end. */
  readonly publicUrl: string
  readonly console: ConsoleConfig
  readonly dataDir: string
  readonly identity: IdentityConfig
  readonly connections: readonly ConnectionConfig[]
  readonly access: readonly GrantConfig[]
  /** Asked on every connection besides its profile's, and before them. */
  readonly rules: readonly RuleConfig[]
  readonly decisionPoint?: DecisionPointConfig
  readonly holds: HoldsConfig
  readonly notify: readonly NoticeConfig[]
  readonly limits: LimitsConfig
  readonly record: RecordConfig
  readonly log: LogConfig
}
