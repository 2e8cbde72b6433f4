/** The commands about pinned tools, as the command line has them. */
import type { Writable } from 'node:stream'
import type { Make, With } from './record-commands.ts'
import type { AcceptOptions, AskTools, ToolsOptions } from './tools.ts'

interface Parts {
  readonly command: Make
  readonly where: With
  readonly done: (code: number) => void
  readonly out: Writable
  readonly errors: Writable
  readonly ask: AskTools
}

const json = ['--json', 'one JSON object a line'] as const
const difference = 'the id that "sallyport tools list" prints behind a tool that changed'

export function addTools({ ask, command, done, errors, out, where }: Parts): void {
  const outlets = { out, errors }
  const tools = command('tools', 'Pinned tools, and what changed.', 'sallyport tools list')
  where(command('list', 'Lists them.', 'sallyport tools list --connection warehouse', tools))
    .option('--connection <name>', 'of this connection only')
    .option(...json)
    .action(async (options: ToolsOptions) => {
      const { listTools } = await import('./tools.ts')
      done(await listTools(options, outlets, ask))
    })
  where(command('diff', 'Shows what changed.', 'sallyport tools diff tc_…', tools))
    .argument('<id>', difference)
    .option(...json)
    .action(async (id: string, options: ToolsOptions) => {
      const { showDifference } = await import('./tools.ts')
      done(await showDifference(id, options, outlets, ask))
    })
  where(
    command(
      'accept',
      'Pins the new form of a tool; recorded.',
      'sallyport tools accept tc_… --reason "read it, release 2.4 of the vendor"',
      tools,
    ),
  )
    .argument('<id>', difference)
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--beside', 'both forms are good: the server tells people different things')
    .option('--pinned', 'the pinned form is back, and counts at once')
    .option(...json)
    .action(async (id: string, options: AcceptOptions) => {
      const { acceptDifference } = await import('./tools.ts')
      done(await acceptDifference(id, options, outlets, ask))
    })
  where(
    command(
      'forget',
      'Forgets all pins of a connection: its next list is pinned anew; recorded.',
      'sallyport tools forget warehouse --reason "moved to another server"',
      tools,
    ),
  )
    .argument('<connection>', 'its name')
    .requiredOption('--reason <text>', 'why, for the record')
    .option(...json)
    .action(async (connection: string, options: AcceptOptions) => {
      const { forgetTools } = await import('./tools.ts')
      done(await forgetTools(connection, options, outlets, ask))
    })
}
