/**
 * What commands work on, whether a gateway runs on the data folder or not: the record and its place,
 * the index, the signing of checkpoints. `answer.ts` says what is done with it.
 */
import type { Masker } from '../mask/masker.ts'
import type { ExposureOf } from '../policy/exposure.ts'
import type { Recorder } from '../record/record.ts'
import type { RetentionRules } from '../record/retention.ts'
import type { SigningKeys } from '../record/tree-keys.ts'
import type { Found, SearchOptions } from '../search/item.ts'
import type { Query } from '../search/query.ts'
import type { AccessDesk } from './access-desk.ts'
import type { ExposureAsked } from './exposure-lines.ts'
import type { LocalAccountDesk } from './local-account.ts'
import type { ToolsDesk } from './tools-answer.ts'

export interface Desk extends AccessDesk, LocalAccountDesk, Pick<ToolsDesk, 'pins'> {
  readonly origin: string
  readonly recorder: Recorder
  readonly masker: Masker
  /** In the index, brought up to the log first. @throws as `IndexThreads.search`. */
  find(query: Query, options: SearchOptions): Promise<Found & { readonly lag: number }>
  /** The token of a card number (its ASCII digits); undefined where `record.card_search` is off. */
  readonly cardToken: ((number: string) => Uint8Array) | undefined
  /** Takes a month's text, or the month, out of the index. */
  forget(month: string, what: 'content' | 'month'): Promise<void>
  /** Makes the index anew from the log. @returns how many entries it holds. */
  reindex(): Promise<number>
  /** Signs what is recorded. @returns entries under the newest checkpoint. */
  sign(): Promise<number>
  readonly retention: Pick<RetentionRules, 'retentionMs' | 'contentRetentionMs'>
  /** Signs with these keys from now on. */
  rekey(keys: SigningKeys): Promise<void>
  /** Takes up the changed file. Undefined where no gateway runs: the next start reads it. */
  readonly reload: ((by: string) => Promise<boolean>) | undefined
  /** Undefined where no gateway runs: the figures lie in a file then. */
  readonly exposures: ((asked: ExposureAsked) => Promise<ExposureOf[]>) | undefined
}
