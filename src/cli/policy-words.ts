/** A verdict and the rules behind it, in lines for people. */
import type { WhoConfig } from '../config/types.ts'
import type { Explained, ExplainedPart, ExplainedRule } from '../policy/explain-rules.ts'
import type { CallFacts, Verdict } from '../policy/verdict.ts'
import { whoWords } from '../policy/who.ts'
import { oneLine } from '../replay/plain.ts'
import { inspectText } from './inspect-text.ts'

/** Findings and statements, without any value of the call. */
export function factLines({ findings, sql }: Pick<CallFacts, 'findings' | 'sql'>): string[] {
  // The first line says clean or suspicious, which is no question here.
  return inspectText({ verdict: 'clean', findings, sql }).trimEnd().split('\n').slice(1)
}

const marks = { true: 'matched', false: 'not', fault: 'FAILED', unknown: 'cannot tell' } as const

/** One rule: its answer, then the part that was false, or all parts of one that matched. */
export function ruleLines(
  rule: ExplainedRule & { readonly isRecorded?: boolean },
  isVerbose: boolean,
): string[] {
  const { answer, effect, fault, parts, place } = rule
  const recorded = rule.isRecorded === true ? ' (as recorded then)' : ''
  const why = fault === undefined ? recorded : ` (${fault})`
  const at = `${place.file}:${place.line}`
  const head = `${marks[answer].padEnd(11)} ${effect.padEnd(5)} ${rule.rule}${why}  ${at}`
  const isTold = (part: ExplainedPart): boolean => isVerbose || part.answer === answer
  return [oneLine(head), ...parts.filter(isTold).flatMap((part) => partLines(part, '    '))]
}

function partLines({ all, answer, any, fault, text }: ExplainedPart, indent: string): string[] {
  const why = fault === undefined ? answer : `${answer} (${fault})`
  const inner = [...(any ?? []), ...(all ?? [])].flatMap((part) => partLines(part, `${indent}  `))
  const line = `${indent}${why.padEnd(7)} ${oneLine(text.replace(/\s+/g, ' '))}`
  return [line, ...inner]
}

const effectWords = { allow: 'ALLOW', hold: 'HOLD for a person', deny: 'DENY' } as const

/** What is done, by which rule, and what it asks for. */
export function verdictLines(verdict: Verdict, possible: Explained['possible']): string[] {
  const { duties, effect, hold, matched, reason } = verdict
  const [first] = matched
  const rule = first === undefined ? 'no rule matched' : `rule ${first.rule}`
  const isSure = possible.length === 1
  const others = possible.filter((one) => one !== effect).join(' or ')
  const lines = [`Verdict: ${effectWords[effect]}, ${rule}`]
  if (!isSure) lines.push(`  It may be ${others} as well: of some rules the record cannot tell.`)
  if (reason !== '') lines.push(`  ${oneLine(reason)}`)
  if (hold !== undefined) {
    const minutes = Math.round(hold.expiresMs / 60_000)
    lines.push(`  Approved by: ${hold.reviewers.map(reviewerWords).join(', and ')}`)
    lines.push(
      `  Expires after ${minutes} min; ${hold.needsPasskey ? 'by passkey' : 'signed in is enough'}`,
    )
  }
  lines.push(...dutyLines(duties))
  const more = matched.slice(1).map(({ effect: of, rule: name }) => `${name} (${of})`)
  if (more.length > 0) lines.push(`  Matched as well: ${more.join(', ')}`)
  return lines
}

function reviewerWords({ quorum, who }: { quorum: number; who: WhoConfig }): string {
  const people = Object.keys(who).length === 0 ? 'any approver' : whoWords(who)
  return quorum === 1 ? people : `${quorum} of ${people}`
}

function dutyLines({ limit, mask, notes = [] }: Verdict['duties']): string[] {
  const rows =
    limit?.rows === undefined ? [] : [`  Answers of more than ${limit.rows} rows are withheld`]
  const bytes =
    limit?.bytes === undefined ? [] : [`  Answers of more than ${limit.bytes} bytes are withheld`]
  const masked = mask === true ? ['  Card numbers stay masked, whatever the grant reveals'] : []
  return [...masked, ...rows, ...bytes, ...notes.map((note) => `  Noted: ${oneLine(note)}`)]
}

/** The same as plain data. */
export function verdictJson(verdict: Verdict, possible: Explained['possible']): object {
  const { duties, effect, hold, matched, reason, revision } = verdict
  return {
    effect,
    possible,
    rule: matched[0]?.rule,
    rules: matched.map(({ rule }) => rule),
    reason,
    ...(hold && {
      reviewers: hold.reviewers,
      expires_ms: hold.expiresMs,
      needs_passkey: hold.needsPasskey,
    }),
    duties,
    revision,
  }
}
