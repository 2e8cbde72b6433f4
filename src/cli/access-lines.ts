/** Effective access as lines: for people by connection, or one JSON object a line. */
import type { AccessLine } from '../policy/explain.ts'
import { oneLine } from '../replay/plain.ts'
import { momentText } from './people-desk.ts'

export interface AccessTitle {
  /** Who it is, in one line. */
  readonly who: string
  readonly nowMs: number
  /** Empty where it is unknown. */
  readonly ip: string
}

/**
 * @param lines as `explainAccess` gives them.
 * @param isAll whether those that do not hold are shown too.
 */
export function accessLines(
  lines: readonly AccessLine[],
  { ip, nowMs, who }: AccessTitle,
  { format, isAll }: { readonly isAll: boolean; readonly format: 'text' | 'jsonl' },
): string[] {
  const shown = lines.filter(({ isHolding }) => isAll || isHolding)
  if (format === 'jsonl') return shown.map((line) => `${JSON.stringify(toldOf(line))}\n`)
  const from = ip === '' ? 'from an unknown address' : `from ${ip}`
  const title = `${oneLine(who)}\n${momentText(nowMs)}, ${from}\n`
  const connections = [...new Set(shown.map(({ connection }) => connection))]
  if (connections.length === 0) return [title, '\nNo grant gives anything.\n']
  return [
    title,
    ...connections.flatMap((connection) => [
      `\n${oneLine(connection)}\n`,
      ...shown.filter((line) => line.connection === connection).flatMap(blockOf),
    ]),
  ]
}

function toldOf({ until, ...line }: AccessLine): object {
  return { ...line, ...(until === undefined ? {} : { until: momentText(until) }) }
}

function blockOf(line: AccessLine): string[] {
  const { because, grant, isHolding, missing, until } = line
  const mark = isHolding ? ' ' : '-'
  const reasons = because.join(', ')
  const why = isHolding
    ? [`because: ${reasons}`]
    : [`lacks: ${missing ?? ''}`, ...(because.length > 0 ? [`has: ${reasons}`] : [])]
  const then = until === undefined ? [] : [`may change: ${momentText(until)}`]
  const name = `  ${mark} ${grant}: ${givenBy(line)}`
  return [name, ...[...why, ...then].map((text) => `      ${text}`)].map(
    (text) => `${oneLine(text)}\n`,
  )
}

/** `tools a, b; prompts c; card numbers in clear`. */
function givenBy({ methods, prompts, resources, reveal, tools }: AccessLine): string {
  const named = Object.entries({ tools, resources, prompts, methods }).flatMap(([kind, names]) =>
    names === undefined ? [] : [`${kind} ${names.join(', ')}`],
  )
  const all = named.length === 0 ? ['the whole connection'] : named
  return [...all, ...(reveal === 'pan' ? ['card numbers in clear'] : [])].join('; ')
}
