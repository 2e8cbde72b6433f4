/** What commands ask of a running gateway over `DATA/control.sock`, in the body of a POST. */
import { z } from 'zod'
import { windowDaysMax } from '../policy/exposure.ts'
import type { Held } from '../record/holds.ts'
import type { ReplayFormat } from '../replay/replay.ts'
import { parseAboutAccess } from './access-asked.ts'
import type { AboutAccess } from './access-asked.ts'
import type { ExposureAsked } from './exposure-lines.ts'
import { parseLocalAccountAsked } from './local-account.ts'
import type { LocalAccountAsked } from './local-account.ts'
import { parsePeopleAsked } from './people-asked.ts'
import type { PeopleAsked } from './people-asked.ts'
import { parseToolsAsked } from './tools-asked.ts'
import type { ToolsAsked } from './tools-asked.ts'

type Format = 'text' | 'jsonl'

/** A look at the record: who looks is recorded before anything is shown. */
export type Look = SessionsLook | ReplayLook | SearchLook

export interface SessionsLook {
  readonly what: 'sessions'
  readonly format: Format
}

export interface ReplayLook {
  readonly what: 'replay'
  /** Sessions or exchanges by id; besides them the sessions of all that the query finds. */
  readonly ids: readonly string[]
  readonly query?: string | undefined
  readonly format: ReplayFormat
  readonly isProven: boolean
}

export interface SearchLook {
  readonly what: 'search'
  readonly query: string
  /** A full card number as ASCII digits, which a message of the call must hold. */
  readonly card?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
  readonly order: 'newest' | 'oldest'
  readonly format: Format
}

/** Something is about to leave the record for good: it is recorded first. */
export interface Exporting {
  readonly what: 'exporting'
  readonly kind: 'pack' | 'proof'
  readonly query: string
  readonly entries: number
  readonly bodies: number
}

/** A command reads the record by itself: who looks is recorded first, and how much it showed after. */
export interface Viewing {
  readonly what: 'viewing'
  readonly viewed?: string | undefined
  readonly query: string
  readonly shown?: number | undefined
}

/** Months whose time has come go, or it is only told which. */
export interface RetentionAsked {
  readonly what: 'retention'
  readonly isDryRun: boolean
  readonly format: Format
}

/** A legal hold is placed, or the one with this id released. */
export type HoldAsked =
  | { readonly what: 'hold'; readonly held: Held; readonly reason: string }
  | { readonly what: 'release'; readonly id: string; readonly reason: string }

export type Asked = AboutAccess | LocalAccountAsked | PeopleAsked | ToolsAsked | OwnAsked

/** What is answered right in `answer.ts`. */
type OwnAsked =
  | Look
  | ExposureAsked
  | Exporting
  | Viewing
  | RetentionAsked
  | HoldAsked
  /** Sign what is recorded now. */
  | { readonly what: 'sign' }
  /** Take up the changed configuration file. */
  | { readonly what: 'reload' }
  /** Make the index anew. */
  | { readonly what: 'reindex' }
  /** The signing key changes; the old one signs along for a while. */
  | { readonly what: 'rotate'; readonly overlapMs: number }
  /** The local issuer gets a new key; it signs once everybody can have fetched it. */
  | { readonly what: 'rotate-issuer' }

const format = z.enum(['text', 'jsonl'])
const word = z.string().min(1).max(1000)
const query = z.string().max(10_000)
const month = z.string().regex(/^\d{4}-\d\d$/)

const asks: z.ZodType<OwnAsked> = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('sessions'), format }),
  z.strictObject({
    what: z.literal('replay'),
    ids: z.array(word).max(1000),
    query: query.optional(),
    format: z.enum(['text', 'jsonl', 'html', 'har', 'cast']),
    isProven: z.boolean(),
  }),
  z.strictObject({
    what: z.literal('search'),
    query,
    card: z
      .string()
      .regex(/^\d{12,19}$/)
      .optional(),
    limit: z.int().min(1).max(1000),
    cursor: word.optional(),
    order: z.enum(['newest', 'oldest']),
    format,
  }),
  z.strictObject({
    what: z.literal('exposure'),
    days: z.int().min(1).max(windowDaysMax),
    principal: word.optional(),
    format,
  }),
  z.strictObject({
    what: z.literal('exporting'),
    kind: z.enum(['pack', 'proof']),
    query,
    entries: z.int().min(0),
    bodies: z.int().min(0),
  }),
  z.strictObject({
    what: z.literal('viewing'),
    viewed: word.optional(),
    query,
    shown: z.int().min(0).optional(),
  }),
  z.strictObject({ what: z.literal('retention'), isDryRun: z.boolean(), format }),
  z.strictObject({
    what: z.literal('hold'),
    held: z.union([
      z.strictObject({ session: word }),
      z.strictObject({ principal: word }),
      z.strictObject({ from: month, to: month }),
    ]),
    reason: word,
  }),
  z.strictObject({ what: z.literal('release'), id: word, reason: word }),
  z.strictObject({ what: z.literal('sign') }),
  z.strictObject({ what: z.literal('reload') }),
  z.strictObject({ what: z.literal('rotate-issuer') }),
  z.strictObject({ what: z.literal('reindex') }),
  z.strictObject({
    what: z.literal('rotate'),
    overlapMs: z
      .int()
      .min(0)
      .max(365 * 86_400_000),
  }),
])

/** What a body asks for; undefined when it is nothing we know. */
export function parseAsked(body: string): Asked | undefined {
  try {
    const value: unknown = JSON.parse(body)
    const own = asks.safeParse(value).data
    return (
      own ??
      parsePeopleAsked(value) ??
      parseAboutAccess(value) ??
      parseLocalAccountAsked(value) ??
      parseToolsAsked(value)
    )
  } catch {
    return undefined // No JSON.
  }
}
