/** The configuration between its schema and its last defaults. */
import type {
  Config,
  ConnectionConfig,
  ConsoleRoles,
  LocalIssuerConfig,
  MaskConfig,
  OidcIssuerConfig,
} from './types.ts'

type Optional<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>

export type DraftIssuer = OidcIssuerConfig | Optional<LocalIssuerConfig, 'issuer' | 'audience'>

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
export interface Draft extends Omit<Config, 'publicUrl' | 'console' | 'identity' | 'connections'> {
  readonly publicUrl?: string
  readonly console: { readonly publicUrl?: string; readonly roles: ConsoleRoles }
  readonly identity: { readonly issuers: readonly DraftIssuer[] }
  readonly masking: DraftMasking
  readonly connections: readonly DraftConnection[]
}
