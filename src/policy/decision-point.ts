/**
 * Another decision maker, over HTTP in the shape of Open Policy Agent's REST API (`POST {input}`,
 * answered by `{result}`). It can make a decision stricter, never laxer, and where it does not answer
 * in time and in form the call is denied. It is told facts without literals: never an argument.
 */
import { request } from 'undici'
import { z } from 'zod'
import type { DecisionPointConfig, Effect, HoldsConfig } from '../config/policy-types.ts'
import type { WhoConfig } from '../config/types.ts'
import type { Secret } from '../secrets/secret.ts'
import { pattern } from './pattern.ts'
import { moreTerms } from './terms.ts'
import type { CallFacts, Verdict } from './verdict.ts'

/** What it said. */
export interface Said {
  readonly effect: Effect
  readonly reason: string
  /** The machine's word where it said nothing: `decision_point_down`. */
  readonly fault?: string
  /** For `hold`: all of these; any approver where there are none. */
  readonly reviewers: readonly WhoConfig[]
}

export interface DecisionPoint {
  /** Never rejects. */
  ask(facts: CallFacts): Promise<Said>
}

/** @returns the decision point, where it is asked for this connection. */
export function pointFor(
  config: DecisionPointConfig | undefined,
  connection: string,
  point: DecisionPoint | undefined,
): DecisionPoint | undefined {
  if (config === undefined) return undefined
  const { connections } = config
  const isFor = connections?.some((one) => pattern(one).matches(connection)) ?? true
  // Named and not there is a defect of ours; it denies.
  return isFor ? (point ?? { ask: () => Promise.resolve(down) }) : undefined
}

const answerBytesMax = 65_536
const down: Said = {
  effect: 'deny',
  reason:
    'The decision point gave no decision; nothing is let through without one. Try again later.',
  fault: 'decision_point_down',
  reviewers: [],
}

const name = z.string().min(1).max(256).optional()
const people = z.object({ role: name, group: name })
const result = z.union([
  z.boolean().transform((allow) => ({ allow })),
  z.object({
    allow: z.boolean().optional(),
    effect: z.enum(['allow', 'hold', 'deny']).optional(),
    reason: z.string().max(500).optional(),
    reviewers: z.union([people.transform((one) => [one]), z.array(people).max(8)]).optional(),
  }),
])
const answer: z.ZodType<{ readonly result: Result }> = z.object({ result })

interface Result {
  readonly allow?: boolean | undefined
  readonly effect?: Effect | undefined
  readonly reason?: string | undefined
  readonly reviewers?: readonly People[] | undefined
}

interface People {
  readonly role?: string | undefined
  readonly group?: string | undefined
}

/**
 * @param token read for each question: it may change.
 * @param tell hears why it gave no decision, by a word.
 */
export function openDecisionPoint(
  { timeoutMs, url }: DecisionPointConfig,
  token: (() => Secret) | undefined,
  tell: (why: string) => void,
): DecisionPoint {
  return {
    ask: async (facts) => {
      try {
        const said = saidOf(await post(url, { input: inputOf(facts) }, timeoutMs, token))
        if (said !== undefined) return said
        tell('form')
      } catch (error) {
        tell(whyOf(error))
      }
      return down
    },
  }
}

function whyOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'form'
  return error instanceof DOMException ? 'timeout' : 'unreachable'
}

async function post(
  url: string,
  body: unknown,
  timeoutMs: number,
  token: (() => Secret) | undefined,
): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs)
  const bearer = token?.().reveal()
  const { body: stream, statusCode } = await request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify(body),
    signal,
  })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    const part: unknown = chunk
    if (!(part instanceof Uint8Array)) return undefined
    bytes += part.length
    if (bytes > answerBytesMax) {
      stream.destroy()
      return undefined
    }
    chunks.push(part)
  }
  if (statusCode !== 200) return undefined
  const read: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  return read
}

/** What says neither allow, hold nor deny says nothing; of two that differ the stricter counts. */
function saidOf(read: unknown): Said | undefined {
  const { data } = answer.safeParse(read)
  if (data === undefined) return undefined
  const { allow, effect, reason, reviewers } = data.result
  if (allow === undefined && effect === undefined) return undefined
  const isDenied = effect === 'deny' || (allow === false && effect !== 'hold')
  return {
    effect: isDenied ? 'deny' : (effect ?? 'allow'),
    reason: reason ?? 'The decision point says so.',
    reviewers: (reviewers ?? []).flatMap(whoOf),
  }
}

function whoOf({ group, role }: People): WhoConfig[] {
  if (role === undefined && group === undefined) return []
  return [{ ...(role === undefined ? {} : { role }), ...(group === undefined ? {} : { group }) }]
}

/** The stricter of both. */
export function stricterOf(own: Verdict, said: Said, holds: HoldsConfig): Verdict {
  const { effect, fault, reason, reviewers } = said
  if (effect === 'allow' || own.effect === 'deny') return own
  const told = { rule: 'decision-point', effect, reason, ...(fault === undefined ? {} : { fault }) }
  const matched = [told, ...own.matched]
  if (effect === 'deny') return { ...own, effect, matched, reason, hold: undefined }
  const hold = moreTerms(own.hold, reviewers, holds)
  return { ...own, effect, matched, reason: own.effect === 'hold' ? own.reason : reason, hold }
}

/** Digits that a card number could be, with what may stand between them. */
const digits = /\p{Nd}(?:[ _.-]?\p{Nd}){11,}/gu

/** Names and counts. A name with a long run of digits is told without it: it may be a card number. */
function inputOf(facts: CallFacts): unknown {
  const { clientId: client, groups, issuer, kind, name: called, roles, subject } = facts.principal
  const { bytes, kind: of, method, name: target } = facts.call
  return tidy({
    principal: { issuer, subject, name: called, kind, client, groups, roles },
    connection: facts.connection,
    // The address of a resource may hold anything.
    call: { method, kind: of, bytes, ...(of === 'resource' ? {} : { name: target }) },
    sql: facts.sql,
    findings: facts.findings,
    tool: facts.tool && {
      read_only: facts.tool.isReadOnly,
      destructive: facts.tool.isDestructive,
      changed: facts.tool.isChanged,
      sha256: facts.tool.sha256,
    },
    source: facts.source,
    time: new Date(facts.nowMs).toISOString(),
  })
}

/** Keys and texts alike. A hash is hexadecimal, and is told as it is. */
function tidy(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'sha256' || key === 'time' ? value : plain(value)
  if (Array.isArray(value)) return value.map((each) => tidy(each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([of, each]) => [plain(of), tidy(each, of)]))
}

function plain(text: string): string {
  return text.replace(digits, '[number]')
}
