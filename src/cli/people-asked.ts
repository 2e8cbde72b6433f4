/** What commands about people, stops and service accounts ask over `DATA/control.sock`. */
import { z } from 'zod'

type Format = 'text' | 'jsonl'

/** What is to be stopped, in the words of the command line. */
export type ToStop =
  | { readonly principal: string }
  | { readonly client: string }
  | { readonly token: string }
  | { readonly signIn: string }
  | { readonly connection: string }
  | { readonly everything: true }

export interface RevokeAsked {
  readonly what: 'revoke'
  readonly stop: ToStop
  readonly reason: string
  /** Milliseconds since 1970; now where it is missing. */
  readonly atMs?: number | undefined
  readonly format: Format
}

export interface LiftAsked {
  readonly what: 'lift'
  readonly id: string
  readonly reason: string
  readonly format: Format
}

export type StopAsked =
  | RevokeAsked
  | LiftAsked
  | { readonly what: 'revocations'; readonly format: Format }

export interface EndAsked {
  readonly what: 'person-end'
  readonly principal: string
  /** Milliseconds since 1970; null takes the end away. */
  readonly endsMs: number | null
  readonly format: Format
}

export interface OwnerAsked {
  readonly what: 'person-owner'
  readonly principal: string
  /** A person, as a principal is named; null takes the owner away. */
  readonly owner: string | null
  readonly format: Format
}

export type PersonAsked =
  | EndAsked
  | OwnerAsked
  | { readonly what: 'people'; readonly format: Format }
  | { readonly what: 'person'; readonly principal: string; readonly format: Format }

export interface AccountAsked {
  readonly what: 'account-add'
  readonly name: string
  /** A person, as a principal is named. */
  readonly owner: string
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  /** All that its grants give where it is missing. */
  readonly connections?: readonly string[] | undefined
  /** Of its first key; the longest allowed where it is missing. */
  readonly ttlMs?: number | undefined
}

export interface KeyAsked {
  readonly what: 'account-key'
  readonly name: string
  readonly ttlMs?: number | undefined
}

export type ServiceAsked =
  | AccountAsked
  | KeyAsked
  | { readonly what: 'accounts'; readonly format: Format }
  | { readonly what: 'account-key-end'; readonly id: string; readonly format: Format }
  | { readonly what: 'account-remove'; readonly name: string; readonly format: Format }

export type PeopleAsked = StopAsked | PersonAsked | ServiceAsked

const format = z.enum(['text', 'jsonl'])
const word = z.string().min(1).max(1000)
const words = z.array(word).max(100)
const moment = z.int().min(0).max(8.64e15)
const ttlMs = z.int().min(1).optional()

const asks: z.ZodType<PeopleAsked> = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('revoke'),
    stop: z.union([
      z.strictObject({ principal: word }),
      z.strictObject({ client: word }),
      z.strictObject({ token: word }),
      z.strictObject({ signIn: word }),
      z.strictObject({ connection: word }),
      z.strictObject({ everything: z.literal(true) }),
    ]),
    reason: word,
    atMs: moment.optional(),
    format,
  }),
  z.strictObject({ what: z.literal('lift'), id: word, reason: word, format }),
  z.strictObject({ what: z.literal('revocations'), format }),
  z.strictObject({ what: z.literal('people'), format }),
  z.strictObject({ what: z.literal('person'), principal: word, format }),
  z.strictObject({
    what: z.literal('person-end'),
    principal: word,
    endsMs: moment.nullable(),
    format,
  }),
  z.strictObject({
    what: z.literal('person-owner'),
    principal: word,
    owner: word.nullable(),
    format,
  }),
  z.strictObject({ what: z.literal('accounts'), format }),
  z.strictObject({
    what: z.literal('account-add'),
    name: word,
    owner: word,
    groups: words,
    roles: words,
    connections: words.min(1).optional(),
    ttlMs,
  }),
  z.strictObject({ what: z.literal('account-key'), name: word, ttlMs }),
  z.strictObject({ what: z.literal('account-key-end'), id: word, format }),
  z.strictObject({ what: z.literal('account-remove'), name: word, format }),
])

const kinds: ReadonlySet<string> = new Set<PeopleAsked['what']>([
  'revoke',
  'lift',
  'revocations',
  'people',
  'person',
  'person-end',
  'person-owner',
  'accounts',
  'account-add',
  'account-key',
  'account-key-end',
  'account-remove',
])

/** What a body asks for, read as JSON already; undefined when it is nothing of this. */
export function parsePeopleAsked(body: unknown): PeopleAsked | undefined {
  return asks.safeParse(body).data
}

export function isPeopleAsked(asked: { readonly what: string }): asked is PeopleAsked {
  return kinds.has(asked.what)
}
