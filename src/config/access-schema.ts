/** The shape of `access` and `console.roles`: whom a line is about, what it gives, and when. */
import { z } from 'zod'
import type { DraftGrant, DraftRoles, DraftWho } from './draft.ts'
import type { Fields, Schema } from './fields.ts'
import type { WindowConfig } from './types.ts'

function who(f: Fields): Schema<DraftWho> {
  return z.strictObject(whoShape(f))
}

/** What a line may name of somebody. */
export function whoShape(f: Fields): WhoShape {
  return {
    subject: f.text.exactOptional(),
    issuer: f.text.exactOptional().describe('Name of an issuer or sign-in of this file.'),
    group: f.text.exactOptional(),
    role: f.text.exactOptional(),
    kind: z.enum(['person', 'service', 'workload']).exactOptional(),
    client: f.text.exactOptional().describe('Client id the token was given to.'),
    condition: f.condition
      .exactOptional()
      .describe('CEL over `principal` and `claims`; the line holds where it is true.'),
  }
}

type WhoShape = {
  readonly [Name in keyof Required<DraftWho>]: z.ZodExactOptional<
    Schema<NonNullable<DraftWho[Name]>>
  >
}

export function roles(f: Fields): Schema<DraftRoles> {
  return z
    .strictObject({
      admin: who(f).exactOptional().describe('Who sets things up, and stops people.'),
      approver: who(f).exactOptional().describe('Who decides held calls; never an admin.'),
      analyst: who(f).exactOptional().describe('Who reads all of the record.'),
      compliance: who(f).exactOptional().describe('Who reads its entries, and no bodies.'),
      auditor: who(f).exactOptional().describe('Who reads its entries, and verifies it.'),
    })
    .prefault({})
    .describe('Who has which role; nobody has one that is not named.')
}

export function grant(f: Fields): Schema<DraftGrant> {
  const patterns = z.array(f.pattern).min(1).exactOptional()
  return z
    .strictObject({
      name: f.name.exactOptional().describe('Its name in the record; default: access[N].'),
      who: who(f).describe('All that is named must hold.'),
      may: z
        .strictObject({
          connection: f.pattern.describe('Name of a connection, or a pattern with `*`.'),
          tools: patterns,
          resources: patterns,
          prompts: patterns,
          methods: patterns,
        })
        .describe('Naming none of tools, resources, prompts, methods gives the whole connection.'),
      reveal: z.enum(['pan']).exactOptional().describe('Card numbers are delivered in clear.'),
      windows: z.array(window(f)).min(1).exactOptional().describe('Holds at these times only.'),
      networks: z
        .array(f.addressRange)
        .min(1)
        .exactOptional()
        .describe('Holds for callers at these addresses only.'),
      expires: z
        .string()
        .regex(/^\d{4}-\d\d-\d\d$/, 'must be a date such as 2026-12-31')
        .refine((text) => !Number.isNaN(Date.parse(text)), { error: 'is no date there is' })
        .exactOptional()
        .describe('The last day on which it holds (UTC).'),
    })
    .transform(({ expires, ...raw }) => ({
      ...raw,
      ...(expires === undefined ? {} : { expiresMs: Date.parse(expires) + 86_400_000 }),
    }))
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const hoursForm = /^([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)$/

function window(f: Fields): Schema<WindowConfig> {
  return z
    .strictObject({
      days: z
        .array(z.enum(weekdays))
        .min(1)
        .prefault([...weekdays]),
      hours: z
        .string()
        .regex(hoursForm, 'must be a span such as 08:00-18:00, or 22:00-06:00 past midnight')
        .prefault('00:00-24:00'),
      timezone: f.timezone.prefault('UTC'),
    })
    .refine(({ hours }) => new Set(hours.split('-')).size === 2, {
      path: ['hours'],
      error: 'begins when it ends, so it is never open; leave it out for the whole day',
    })
    .transform(({ days, hours, timezone }) => {
      const [from = '', to = ''] = hours.split('-')
      return { days, fromMinute: minuteOf(from), toMinute: minuteOf(to), timezone }
    })
}

function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return hours * 60 + minutes
}
