/** The tables of the directory, and what a row of them must be. */
import type { SQLInputValue } from 'node:sqlite'
import { z } from 'zod'
import type { KnownPrincipal } from './directory.ts'

export const schema = `
  CREATE TABLE IF NOT EXISTS principal (
    id TEXT PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL, name TEXT, email TEXT,
    kind TEXT NOT NULL, groups TEXT NOT NULL, roles TEXT NOT NULL, claims TEXT NOT NULL,
    made_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, source TEXT NOT NULL, ends_ms INTEGER,
    owner TEXT, told INTEGER NOT NULL, UNIQUE (issuer, subject)) STRICT;
  CREATE TABLE IF NOT EXISTS lost_group (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject, name)) STRICT, WITHOUT ROWID;
`

/** Writes a principal in place of what its id had; one of another id with its issuer and subject is
 *  a defect, and fails. */
export const upsert = `
  INSERT INTO principal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, email = excluded.email, kind = excluded.kind, groups = excluded.groups,
    roles = excluded.roles, claims = excluded.claims, seen_ms = excluded.seen_ms,
    ends_ms = excluded.ends_ms, owner = excluded.owner, told = excluded.told
`

export interface KnownRow {
  readonly known: KnownPrincipal
  /** Whether a sign-in or SCIM told of it. */
  readonly isTold: boolean
}

/** The values of `upsert`. */
export function principalValues({ isTold, known }: KnownRow): SQLInputValue[] {
  const { claims, email, endsMs, groups, id, issuer, kind, madeMs, name } = known
  const { owner, roles, seenMs, source, subject } = known
  const who = [id, issuer, subject, name ?? null, email ?? null, kind]
  const lists = [JSON.stringify(groups), JSON.stringify(roles), JSON.stringify(claims)]
  return [...who, ...lists, madeMs, seenMs, source, endsMs ?? null, owner ?? null, isTold ? 1 : 0]
}

const text = z.string()
const whole = z.int()

/** A text that holds JSON. */
export const json: z.ZodType<unknown> = text.transform((word, ctx): unknown => {
  try {
    return JSON.parse(word)
  } catch {
    ctx.addIssue({ code: 'custom', message: 'no JSON' })
    return z.NEVER
  }
})
export const words: z.ZodType<readonly string[]> = json.pipe(
  z.array(text).transform((list) => Object.freeze(list)),
)

export const principalForm: z.ZodType<KnownRow> = z
  .strictObject({
    id: text.startsWith('pr_'),
    issuer: text.min(1),
    subject: text.min(1),
    name: text.nullable(),
    email: text.nullable(),
    kind: z.enum(['person', 'service', 'workload']),
    groups: words,
    roles: words,
    claims: json.pipe(z.record(text, z.unknown())),
    made_ms: whole,
    seen_ms: whole,
    source: z.enum(['token', 'sign-in', 'scim', 'command']),
    ends_ms: whole.nullable(),
    owner: text.nullable(),
    told: z.union([z.literal(0), z.literal(1)]),
  })
  .transform((row) => ({ known: knownOf(row), isTold: row.told === 1 }))

export interface Loss {
  readonly issuer: string
  readonly subject: string
  /** Of the group. */
  readonly name: string
  readonly at_ms: number
}
export const lossForm: z.ZodType<Loss> = z.strictObject({
  issuer: text,
  subject: text,
  name: text,
  at_ms: whole,
})

type Row = Pick<KnownPrincipal, 'id' | 'issuer' | 'subject' | 'kind' | 'groups' | 'roles'> &
  Pick<KnownPrincipal, 'claims' | 'source'> & {
    name: string | null
    email: string | null
    owner: string | null
    made_ms: number
    seen_ms: number
    ends_ms: number | null
  }

function knownOf(row: Row): KnownPrincipal {
  const { claims, email, ends_ms, groups, id, issuer, kind, name, owner, roles } = row
  return Object.freeze({
    id,
    issuer,
    subject: row.subject,
    kind,
    groups,
    roles,
    claims: Object.freeze(claims),
    madeMs: row.made_ms,
    seenMs: row.seen_ms,
    source: row.source,
    ...(name === null ? {} : { name }),
    ...(email === null ? {} : { email }),
    ...(ends_ms === null ? {} : { endsMs: ends_ms }),
    ...(owner === null ? {} : { owner }),
  })
}
