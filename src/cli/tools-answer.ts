/** `sallyport tools`, done: which tools are pinned, what differs, and what a person says of it. */
import { Fault } from '../base/fault.ts'
import type { PendingChange, PinnedTool, Pins } from '../inspect/pins.ts'
import type { Masker } from '../mask/masker.ts'
import { counted, oneLine } from '../replay/plain.ts'
import { momentText } from './people-desk.ts'
import type { ToolAccepted, ToolsAsked, ToolsForgotten, ToolsListed } from './tools-asked.ts'

export interface ToolsDesk {
  readonly pins: Pins
  readonly masker: Pick<Masker, 'words'>
  /** Names of connections; undefined where there is no configuration to be read. */
  readonly connections: readonly string[] | undefined
}

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends.
 * @throws {Fault} `path_unknown` for a connection or difference that is not there, `refused` for one
 *   that cannot be accepted now, `record_down` where that cannot be recorded.
 */
export async function answerTools(
  asked: ToolsAsked,
  by: string,
  desk: ToolsDesk,
): Promise<readonly string[]> {
  switch (asked.what) {
    case 'tools':
      return listed(asked, desk)
    case 'tool-diff':
      return shown(asked.id, asked.format, desk)
    case 'tool-accept':
      return await accept(asked, by, desk)
    case 'tools-forget':
      return await forget(asked, by, desk)
    default:
      return asked satisfies never
  }
}

function listed({ connection, format }: ToolsListed, desk: ToolsDesk): string[] {
  const { connections, pins } = desk
  const tools = pins.list(connection)
  if (
    tools.length === 0 &&
    connection !== undefined &&
    connections?.includes(connection) === false
  ) {
    const known = connections.map((name) => oneLine(name)).join(', ')
    const message = `There is no connection of this name. There are: ${known}.`
    throw new Fault('path_unknown', message)
  }
  const changes = new Map(
    pins.changes().map((change) => [`${change.connection}\n${change.key}`, change] as const),
  )
  if (tools.length === 0 && format === 'text') {
    return ['No tool is pinned yet: that is done when a list of tools passes.\n']
  }
  return tools.map((tool) => {
    const change = changes.get(`${tool.connection}\n${tool.key}`)
    return format === 'jsonl' ? jsonLine(tellOf(tool, change), desk) : textLine(tool, change, desk)
  })
}

function tellOf(tool: PinnedTool, change: PendingChange | undefined): Record<string, unknown> {
  return {
    connection: tool.connection,
    tool: tool.tool,
    state: tool.standing,
    sha256: tool.sha256,
    pinned: momentText(tool.pinnedMs),
    late: tool.isLate,
    read_only: tool.isReadOnly,
    destructive: tool.isDestructive,
    ...(change && changeTold(change)),
  }
}

function changeTold(change: PendingChange): Record<string, unknown> {
  const { after, id, parts, sinceMs, steadyAtMs } = change
  const steady = steadyAtMs === undefined ? undefined : momentText(steadyAtMs)
  return { id, after, parts, since: momentText(sinceMs), steady_at: steady }
}

function jsonLine(value: Record<string, unknown>, { masker }: ToolsDesk): string {
  return `${JSON.stringify(masker.words(value).value)}\n`
}

function textLine(tool: PinnedTool, change: PendingChange | undefined, desk: ToolsDesk): string {
  const { connection, pinnedMs, sha256, standing, tool: name } = tool
  const [of, shownName] = desk.masker.words([connection, name]).value
  const what = `${oneLine(of ?? '')}  ${oneLine(shownName ?? '')}  ${sha256.slice(0, 12)}`
  const since = `${tool.isLate ? 'came' : 'pinned'} ${momentText(pinnedMs)}`
  const more = change === undefined ? '' : `  ${change.parts.join(', ')}  ${change.id}`
  return `${standing.padEnd(8)}  ${what}  ${since}${more}\n`
}

function shown(id: string, format: 'text' | 'jsonl', desk: ToolsDesk): string[] {
  const { change, lines } = desk.pins.difference(id)
  const { after, before, connection, standing, tool } = change
  if (format === 'jsonl') {
    const told = { connection, tool, state: standing, before, ...changeTold(change), lines }
    return [jsonLine(told, desk)]
  }
  const [of, name] = desk.masker.words([connection, tool]).value
  return [
    `${oneLine(name ?? '')} of ${oneLine(of ?? '')}, ${standingWords(change)}\n`,
    `- pinned  ${before}\n+ seen    ${after}\n\n`,
    ...lines.map((line) => `${oneLine(line)}\n`),
    `\nTo take the new form: sallyport tools accept ${id} --reason TEXT\n`,
  ]
}

function standingWords({ sinceMs, standing, steadyAtMs }: PendingChange): string {
  const since = momentText(sinceMs)
  switch (standing) {
    case 'changed':
      return `changed ${since}`
    case 'returned':
      return `was another one since ${since}; the pinned form is back and counts again from ${momentText(steadyAtMs ?? 0)} on`
    case 'unsteady':
      return `is another one again and again, this one since ${since}: only accepting ends that`
    default:
      return standing satisfies never
  }
}

async function accept(asked: ToolAccepted, by: string, desk: ToolsDesk): Promise<string[]> {
  const { format, id, reason, taking } = asked
  const who = { issuer: 'local', subject: by, kind: 'local' } as const
  const change = await desk.pins.accept(id, { by: who, reason, taking })
  const { after, before, connection, tool } = change
  const sha256 = taking === 'pinned' ? before : after
  if (format === 'jsonl') return [jsonLine({ id, connection, tool, taking, sha256 }, desk)]
  const [of, name] = desk.masker.words([connection, tool]).value
  const isMore = taking === 'beside' ? 'is good too' : 'is pinned'
  return [`${oneLine(name ?? '')} of ${oneLine(of ?? '')}: ${sha256.slice(0, 12)} ${isMore} now.\n`]
}

async function forget(asked: ToolsForgotten, by: string, desk: ToolsDesk): Promise<string[]> {
  const { connection, format, reason } = asked
  const who = { issuer: 'local', subject: by, kind: 'local' } as const
  const tools = await desk.pins.forget(connection, { by: who, reason })
  if (format === 'jsonl') return [jsonLine({ connection, forgotten: tools }, desk)]
  const name = oneLine(desk.masker.words([connection]).value[0] ?? '')
  return [`Forgot ${counted(tools, 'tool')} of ${name}: its next list is pinned anew.\n`]
}
