/** The commands about rules, as the command line has them. */
import type { Writable } from 'node:stream'
import type { Make, With } from './record-commands.ts'
import type { ExplainOptions } from './policy-explain.ts'
import type { SimulateOptions } from './policy-simulate.ts'
import type { TestOptions } from './policy-test.ts'

interface Parts {
  readonly command: Make
  readonly where: With
  readonly done: (code: number) => void
  readonly out: Writable
  readonly errors: Writable
}

export function addPolicy({ command, done, errors, out, where }: Parts): void {
  const outlets = { out, errors }
  const policy = command(
    'policy',
    'Explains, tests and tries out rules.',
    'sallyport policy explain call.json',
  )
  where(
    command(
      'explain',
      'Tells of a call every rule, true or false and why.',
      'sallyport policy explain --connection shop --as ada --group engineers call.json',
      policy,
    ),
  )
    .argument(
      '<call>',
      'a file with a JSON-RPC message, - for standard input, or an exchange (ex_…)',
    )
    .option('--connection <name>', 'which connection it is for')
    .option('--as <subject>', 'who calls')
    .option('--group <group>', 'a group of who calls; may come again', collected)
    .option('--role <role>', 'a role of who calls; may come again', collected)
    .option('--claims <file>', 'who calls, as the claims of a token: a JSON object')
    .option('--exposure <count>', 'card numbers shown in clear to them before (default: 0)')
    .option('--at <time>', 'when (default: now)')
    .option('--all', 'every part of every rule')
    .option('--json', 'one JSON object')
    .action(async (call: string, options: ExplainOptions) => {
      const { explainCommand } = await import('./policy-explain.ts')
      done(await explainCommand(call, options, { ...outlets, input: process.stdin }))
    })
  command(
    'test',
    'Tries the cases that stand beside a policy; exit 1 where one fails.',
    'sallyport policy test -c sallyport.yaml',
    policy,
  )
    .argument('[files...]', 'files of cases (default: policy-tests.yaml beside the configuration)')
    .option('-c, --config <file>', 'the configuration (default: the one beside the cases)')
    .option('--json', 'one JSON object a line')
    .action(async (files: string[], options: TestOptions) => {
      const { testCommand } = await import('./policy-test.ts')
      done(await testCommand(files, options, outlets))
    })
  where(
    command(
      'simulate',
      'Tells which recorded decisions another policy would change.',
      'sallyport policy simulate --policy stricter.yaml --from -7d',
      policy,
    ),
  )
    .requiredOption('--policy <file>', 'a configuration, a profile, or a file with rules')
    .option('--from <time>', 'as in a search: 2026-11-01, -7d')
    .option('--to <time>', 'as in a search')
    .option('--connection <name>', 'calls of this connection only')
    .option('--unsure', 'lists those of which the record cannot tell as well')
    .option('--json', 'one JSON object a line, the last one with the totals')
    .action(async (options: SimulateOptions) => {
      const { simulateCommand } = await import('./policy-simulate.ts')
      done(await simulateCommand(options, outlets))
    })
}

/** One value each time: a list would swallow the file behind it. */
function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
