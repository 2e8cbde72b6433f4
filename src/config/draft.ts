/** The configuration between its schema and its last defaults. */
import type {
  Config,
  ConnectionConfig,
  ConsoleConfig,
  ConsoleRole,
  GrantConfig,
  IdentityConfig,
  IssuerConfig,
  LocalIssuerConfig,
  MaskConfig,
  ScimConfig,
  SignInConfig,
  WhoConfig,
} from './types.ts'

type Optional<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>

export type DraftIssuer =
  | Exclude<IssuerConfig, LocalIssuerConfig>
  | Optional<LocalIssuerConfig, 'issuer' | 'audience'>

/** `Omit` of each member of a union. */
type EachOptional<T, K extends keyof T> = T extends unknown ? Optional<T, K> : never
export type DraftSignIn = EachOptional<SignInConfig, 'label'>

/** The issuer by its name in the file. */
export type DraftScim = Omit<ScimConfig, 'isEntra'>

/** The issuer by its name in the file. */
export interface DraftWho extends Omit<WhoConfig, 'issuers'> {
  readonly issuer?: string
}

export interface DraftGrant extends Omit<GrantConfig, 'who'> {
  readonly who: DraftWho
}

export type DraftRoles = Readonly<Partial<Record<ConsoleRole, DraftWho>>>

/** What `masking` says for all connections. */
export type DraftMasking = Pick<MaskConfig, 'also' | 'patterns'> &
  Partial<Pick<MaskConfig, 'threshold'>>

export interface DraftConnection extends Omit<
  Optional<ConnectionConfig, 'answerBytesMax'>,
  'mask'
> {
  readonly mask: Optional<MaskConfig, 'threshold'>
}

/** A `Config` in which what depends on another key may still be missing. */
export interface Draft extends Omit<
  Config,
  'publicUrl' | 'console' | 'identity' | 'connections' | 'access'
> {
  readonly publicUrl?: string
  readonly console: Omit<Optional<ConsoleConfig, 'publicUrl'>, 'roles'> & {
    readonly roles: DraftRoles
  }
  readonly identity: Omit<IdentityConfig, 'issuers' | 'signIn' | 'scim'> & {
    readonly issuers: readonly DraftIssuer[]
    readonly signIn: readonly DraftSignIn[]
    readonly scim?: DraftScim
  }
  readonly masking: DraftMasking
  readonly connections: readonly DraftConnection[]
  readonly access: readonly DraftGrant[]
}
