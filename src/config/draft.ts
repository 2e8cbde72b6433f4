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
import type { HoldsConfig, ProfileConfig, ReviewersConfig, RuleConfig } from './policy-types.ts'

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
  'mask' | 'profile'
> {
  readonly mask: Optional<MaskConfig, 'threshold'>
  /** `pci`, `none`, or a path as the file spells it. */
  readonly profile: string
}

interface DraftReviewer extends Omit<ReviewersConfig, 'who'> {
  readonly who: DraftWho
}

/** One line about people, or several. */
export interface DraftReviewers {
  readonly who?: DraftWho
  readonly all?: readonly { readonly who: DraftWho; readonly quorum?: number }[]
}

/** A rule without its place in a file. */
export interface DraftRule extends Omit<RuleConfig, 'reviewers' | 'place'> {
  readonly reviewers?: readonly DraftReviewer[]
}

/** A file of rules as it was read. */
export interface DraftProfile extends Omit<ProfileConfig, 'name' | 'sha256' | 'rules'> {
  readonly rules: readonly DraftRule[]
}

export interface DraftHolds extends Omit<HoldsConfig, 'emergency'> {
  readonly emergency?: DraftWho
}

/** A `Config` in which what depends on another key may still be missing. */
export interface Draft extends Omit<
  Config,
  'publicUrl' | 'console' | 'identity' | 'connections' | 'access' | 'rules' | 'holds'
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
  readonly rules: readonly DraftRule[]
  readonly holds: DraftHolds
}
