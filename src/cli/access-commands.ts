/** The commands about access, as the command line has them. */
import type { Writable } from 'node:stream'
import type { AskAccess, ReviewOptions, ShowOptions } from './access.ts'
import type { Make, With } from './record-commands.ts'

interface Parts {
  readonly command: Make
  readonly where: With
  readonly done: (code: number) => void
  readonly out: Writable
  readonly errors: Writable
  readonly ask: AskAccess
}

export function addAccess({ ask, command, done, errors, out, where }: Parts): void {
  const outlets = { out, errors }
  const access = command('access', 'Who may do what, and why.', 'sallyport access show ada')
  where(
    command(
      'show',
      'Shows what somebody may do, grant by grant, with the reason.',
      'sallyport access show ada --from 10.1.2.3\n  sallyport access show --group engineers --all -c new.yaml',
      access,
    ),
  )
    .argument(
      '[principal]',
      'an id, subject, name or e-mail; ISSUER/SUBJECT for somebody never seen',
    )
    .option('--group <group...>', 'somebody in these groups, by the file instead of the gateway')
    .option('--role <role...>', 'with these roles')
    .option('--claims <file>', 'with these claims: a JSON object')
    .option('--issuer <issuer>', 'of this issuer, by its name or identifier')
    .option('--subject <subject>', 'with this subject')
    .option('--kind <kind>', 'of this kind: person (default), service or workload')
    .option('--client <id>', 'with a token that was given to this client')
    .option('--at <time>', 'at another time: a moment with its zone, or +2h')
    .option('--from <ip>', 'from this address')
    .option('--all', 'grants that do not hold too, with what they lack')
    .option('--json', 'one JSON object a line')
    .action(async (principal: string | undefined, options: ShowOptions) => {
      const { showCommand } = await import('./access.ts')
      done(await showCommand(principal, options, outlets, ask))
    })
  where(
    command(
      'review',
      'Shows what was granted and not used; signs the review off.',
      'sallyport access review\n  sallyport access review --sign-off --by-reason "Q4, agreed with the owners"',
      access,
    ),
  )
    .option('--since <time>', 'how far back uses count', '90d')
    .option('--sign-off', 'records the review and keeps its report')
    .option('--by-reason <text>', 'with --sign-off: what was decided')
    .option('--json', 'one JSON object')
    .action(async (options: ReviewOptions) => {
      const { reviewCommand } = await import('./access.ts')
      done(await reviewCommand(options, outlets, ask))
    })
}
