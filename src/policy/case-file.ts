/** The file with a policy's own cases. */
import { z } from 'zod'
import { fromIssue, positionOf } from '../config/mistakes.ts'
import type { KnownKeys, Mistake, Source } from '../config/mistakes.ts'
import type { Effect, FilePlace } from '../config/policy-types.ts'
import { inOrder, readYaml } from '../config/yaml-file.ts'

/** One case. What is missing has a value that no rule of a usual policy asks for. */
export interface PolicyCase {
  readonly name: string
  /** May be missing where the configuration has only one. */
  readonly connection?: string | undefined
  readonly principal?: CasePrincipal | undefined
  /** One of both: a tool with its arguments, or a whole JSON-RPC message or its text. */
  readonly call?: CaseCall | undefined
  readonly message?: string | Readonly<Record<string, unknown>> | undefined
  readonly exposure?: CaseExposure | undefined
  readonly tool?: CaseTool | undefined
  /** RFC 3339. */
  readonly at?: string | undefined
  readonly ip?: string | undefined
  readonly expect: Expected
}

interface CasePrincipal {
  readonly issuer?: string | undefined
  readonly subject?: string | undefined
  readonly name?: string | undefined
  readonly kind?: 'person' | 'service' | 'workload' | undefined
  readonly client?: string | undefined
  readonly owner?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

interface CaseCall {
  readonly tool: string
  readonly arguments?: Readonly<Record<string, unknown>> | undefined
}

interface CaseExposure {
  readonly clear?: number | undefined
  readonly masked?: number | undefined
}

interface CaseTool {
  readonly description?: string | undefined
  readonly read_only?: boolean | undefined
  readonly destructive?: boolean | undefined
  readonly changed?: boolean | undefined
}

/** What is not named is not looked at. */
export interface Expected {
  readonly effect: Effect
  /** The rule that decides; empty for none. */
  readonly rule?: string | undefined
  /** All that match, in any order. */
  readonly rules?: readonly string[] | undefined
  /** A part of it. */
  readonly reason?: string | undefined
  readonly reviewers?: readonly ExpectedReviewer[] | undefined
  readonly expires?: string | undefined
  readonly passkey?: boolean | undefined
  readonly mask?: boolean | undefined
  readonly limit?:
    | { readonly rows?: number | undefined; readonly bytes?: number | undefined }
    | undefined
  readonly notes?: readonly string[] | undefined
  /** Families, in any order. */
  readonly findings?: readonly string[] | undefined
}

export interface ExpectedReviewer {
  readonly subject?: string | undefined
  readonly group?: string | undefined
  readonly role?: string | undefined
  readonly kind?: string | undefined
  readonly client?: string | undefined
  readonly condition?: string | undefined
  readonly quorum?: number | undefined
}

const words = z.string().min(1).max(500)
const effect = z.enum(['allow', 'hold', 'deny'])
const names = z.array(words).max(200)
const count = z.int().min(0)

const principal = z.strictObject({
  issuer: words.optional(),
  subject: words.optional(),
  name: words.optional(),
  kind: z.enum(['person', 'service', 'workload']).optional(),
  client: words.optional(),
  owner: words.optional(),
  groups: names.optional(),
  roles: names.optional(),
  claims: z.record(z.string(), z.unknown()).optional(),
})
const reviewer = z.strictObject({
  subject: words.optional(),
  group: words.optional(),
  role: words.optional(),
  kind: words.optional(),
  client: words.optional(),
  condition: words.optional(),
  quorum: z.int().min(1).optional(),
})
const expected = z.strictObject({
  effect,
  rule: words.optional(),
  rules: names.optional(),
  reason: words.optional(),
  reviewers: z.array(reviewer).max(20).optional(),
  expires: z
    .string()
    .regex(/^\d+(ms|s|m|h|d)$/, 'must be a time such as 15m or 2h')
    .optional(),
  passkey: z.boolean().optional(),
  mask: z.boolean().optional(),
  limit: z.strictObject({ rows: z.int().optional(), bytes: z.int().optional() }).optional(),
  notes: z.array(z.string()).max(200).optional(),
  findings: names.optional(),
})
const oneCase = z
  .strictObject({
    name: words,
    connection: words.optional(),
    principal: principal.optional(),
    call: z
      .strictObject({ tool: words, arguments: z.record(z.string(), z.unknown()).optional() })
      .optional(),
    message: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    exposure: z.strictObject({ clear: count.optional(), masked: count.optional() }).optional(),
    tool: z
      .strictObject({
        description: z.string().optional(),
        read_only: z.boolean().optional(),
        destructive: z.boolean().optional(),
        changed: z.boolean().optional(),
      })
      .optional(),
    at: z.iso
      .datetime({ offset: true, message: 'must be a time as 2026-11-21T08:30:00Z' })
      .optional(),
    ip: words.optional(),
    expect: expected,
  })
  .refine(({ call, message }) => (call === undefined) !== (message === undefined), {
    message: 'must have one of `call` and `message`',
  })
const file = z.strictObject({
  config: words.optional(),
  tests: z.array(oneCase).min(1).max(10_000),
})

/** What is read is what the types say. */
const schema: z.ZodType<{
  readonly config?: string | undefined
  readonly tests: readonly PolicyCase[]
}> = file

/** The cases of a file, each with its place. */
export interface CaseFile {
  /** Path of the configuration, as the file spells it. */
  readonly config: string | undefined
  readonly cases: readonly { readonly test: PolicyCase; readonly place: FilePlace }[]
}

/** @returns the cases, or every mistake with its line and column. */
export function readCases(
  text: string,
  name: string,
): { cases: CaseFile } | { mistakes: readonly Mistake[] } {
  const read = readYaml(text, 'write its `tests`')
  if ('mistakes' in read) return read
  const { plain, source } = read
  const { data, error } = schema.safeParse(plain)
  const mistakes = error?.issues.flatMap((issue) => fromIssue(source, issue, knownKeys)) ?? []
  if (data === undefined || mistakes.length > 0) return { mistakes: inOrder(mistakes) }
  const place = (index: number): FilePlace => ({ file: name, ...placeOf(source, index) })
  const cases = data.tests.map((test, index) => ({ test, place: place(index) }))
  return { cases: { config: data.config, cases } }
}

function placeOf(source: Source, index: number): { line: number; column: number } {
  return positionOf(source, ['tests', index])
}

const shapes: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(file.shape),
  principal: Object.keys(principal.shape),
  expect: Object.keys(expected.shape),
  reviewers: Object.keys(reviewer.shape),
  tests: Object.keys(oneCase.shape),
  call: ['tool', 'arguments'],
  exposure: ['clear', 'masked'],
  tool: ['description', 'read_only', 'destructive', 'changed'],
  limit: ['rows', 'bytes'],
}

const knownKeys: KnownKeys = (path) => {
  const last = path.findLast((part) => typeof part === 'string') ?? ''
  return shapes[last] ?? []
}
