/** What commands about access ask over `DATA/control.sock`. */
import { z } from 'zod'

type Format = 'text' | 'jsonl'

/** When and from where, and what of it is shown. */
export interface AccessView {
  /** Client id the token was given to; unknown where it is missing. */
  readonly client?: string | undefined
  /** Milliseconds since 1970; now where it is missing. */
  readonly atMs?: number | undefined
  /** The caller's address; unknown where it is missing. */
  readonly ip?: string | undefined
  /** Grants that do not hold too. */
  readonly isAll: boolean
  readonly format: Format
}

export interface AccessAsked extends AccessView {
  readonly what: 'access'
  readonly principal: string
}

export interface ReviewAsked {
  readonly what: 'access-review'
  /** How far back uses count. */
  readonly sinceMs: number
  /** Why it is signed off; it is only shown where it is missing. */
  readonly signOff?: string | undefined
  readonly format: Format
}

export type AboutAccess = AccessAsked | ReviewAsked

const format = z.enum(['text', 'jsonl'])
const word = z.string().min(1).max(1000)

const asks: z.ZodType<AboutAccess> = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('access'),
    principal: word,
    client: word.optional(),
    atMs: z.int().min(0).max(8.64e15).optional(),
    ip: z.string().max(100).optional(),
    isAll: z.boolean(),
    format,
  }),
  z.strictObject({
    what: z.literal('access-review'),
    sinceMs: z
      .int()
      .min(1)
      .max(3650 * 86_400_000),
    signOff: word.optional(),
    format,
  }),
])

/** What a body asks for, read as JSON already; undefined when it is nothing of this. */
export function parseAboutAccess(body: unknown): AboutAccess | undefined {
  return asks.safeParse(body).data
}

export function isAboutAccess(asked: { readonly what: string }): asked is AboutAccess {
  return asked.what === 'access' || asked.what === 'access-review'
}
