/** `sallyport tools`: its options, and what is asked. */
import type { Outlets, Through } from './ask.ts'
import type { Where } from './installation.ts'
import type { ToolsAsked } from './tools-asked.ts'

/** Prints the answer. @returns the exit code. @throws {Fault} in the words of whoever answers. */
export type AskTools = (
  asked: ToolsAsked,
  where: Where,
  outlets: Outlets,
  through?: Through,
) => Promise<number>

export interface ToolsOptions extends Where {
  readonly connection?: string | undefined
  readonly json?: boolean | undefined
}

export interface AcceptOptions extends ToolsOptions {
  readonly reason: string
  readonly beside?: boolean | undefined
  readonly pinned?: boolean | undefined
}

function formatOf({ json }: ToolsOptions): 'text' | 'jsonl' {
  return json === true ? 'jsonl' : 'text'
}

/** One line a tool. */
export async function listTools(
  options: ToolsOptions,
  outlets: Outlets,
  ask: AskTools,
): Promise<number> {
  const { connection } = options
  return await ask({ what: 'tools', connection, format: formatOf(options) }, options, outlets)
}

export async function showDifference(
  id: string,
  options: ToolsOptions,
  outlets: Outlets,
  ask: AskTools,
): Promise<number> {
  return await ask({ what: 'tool-diff', id, format: formatOf(options) }, options, outlets)
}

/** @returns 2 where both other ways are named. */
export async function acceptDifference(
  id: string,
  options: AcceptOptions,
  outlets: Outlets,
  ask: AskTools,
): Promise<number> {
  const { beside, pinned, reason } = options
  if (beside === true && pinned === true) {
    outlets.errors.write('Name --beside or --pinned, not both.\n')
    return 2
  }
  if (reason.trim() === '') {
    outlets.errors.write('--reason says why, for the record.\n')
    return 2
  }
  const taking = beside === true ? 'beside' : pinned === true ? 'pinned' : 'new'
  const format = formatOf(options)
  return await ask({ what: 'tool-accept', id, taking, reason, format }, options, outlets)
}

export async function forgetTools(
  connection: string,
  options: AcceptOptions,
  outlets: Outlets,
  ask: AskTools,
): Promise<number> {
  const { reason } = options
  if (reason.trim() === '') {
    outlets.errors.write('--reason says why, for the record.\n')
    return 2
  }
  const format = formatOf(options)
  return await ask({ what: 'tools-forget', connection, reason, format }, options, outlets)
}
