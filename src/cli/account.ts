/** `sallyport account`: its options, and what is asked. */
import type { Writable } from 'node:stream'
import type { Command } from 'commander'
import type { Outlets } from './ask.ts'
import type { Where } from './installation.ts'
import type { LocalAccountAsked } from './local-account.ts'
import type { Make, With } from './record-commands.ts'

/** Prints the answer. @returns the exit code. @throws {Fault} in the words of whoever answers. */
export type AskLocalAccount = (
  asked: LocalAccountAsked,
  where: Where,
  outlets: Outlets,
) => Promise<number>

interface Options extends Where {
  readonly json?: boolean | undefined
}

interface NewOptions extends Options {
  readonly title?: string | undefined
  readonly group?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  readonly breakGlass?: boolean | undefined
}

interface Parts {
  readonly command: Make
  readonly where: With
  readonly done: (code: number) => void
  readonly out: Writable
  readonly errors: Writable
  readonly ask: AskLocalAccount
}

const json = ['--json', 'one JSON object a line'] as const
const named = ['<name>', 'small letters, digits and . _ @ -'] as const

const handOver = 'The link is good once, for 24 hours. Whoever has it first sets up the account.\n'

/** The commands about accounts of the gateway's own, as the command line has them. */
export function addLocalAccounts(parts: Parts): void {
  const under = parts.command(
    'account',
    'People who sign in by an account of the gateway’s own.',
    'sallyport account list',
  )
  addLinks(parts, under)
  addRest(parts, under)
}

function addLinks({ ask, command, done, errors, out, where }: Parts, under: Command): void {
  const outlets = { out, errors }
  where(
    command(
      'add',
      'Makes an account and prints the link by which its person sets it up.',
      'sallyport account add ada --role admin\n  sallyport account add glass --break-glass',
      under,
    ),
  )
    .argument(...named)
    .option('--title <text>', 'the person’s name, for people to read')
    .option('--group <group...>', 'groups')
    .option('--role <role...>', 'roles')
    .option('--break-glass', 'for emergencies: password and security key, an alert at each use')
    .option(...json)
    .action(async (name: string, options: NewOptions) => {
      const { breakGlass = false, group = [], role = [], title } = options
      const account = { name, title, groups: group, roles: role, isBreakGlass: breakGlass }
      const asked = { what: 'local-account-add', ...account, format: formatOf(options) } as const
      const code = await ask(asked, options, outlets)
      if (code === 0) errors.write(handOver)
      done(code)
    })
  where(
    command(
      'invite',
      'Prints a new link for an account; the one before is void.',
      'sallyport account invite ada --reset',
      under,
    ),
  )
    .argument(...named)
    .option('--reset', 'its password and all its passkeys go')
    .option(...json)
    .action(async (name: string, options: Options & { readonly reset?: boolean }) => {
      const of = { isReset: options.reset === true, format: formatOf(options) }
      const code = await ask({ what: 'local-account-invite', name, ...of }, options, outlets)
      if (code === 0) errors.write(handOver)
      done(code)
    })
}

function addRest({ ask, command, done, errors, out, where }: Parts, under: Command): void {
  const outlets = { out, errors }
  where(
    command(
      'remove',
      'Stops the person and removes the account; its name is not given again.',
      'sallyport account remove ada --reason "left the company"',
      under,
    ),
  )
    .argument(...named)
    .requiredOption('--reason <text>', 'why, for the record')
    .option(...json)
    .action(async (name: string, options: Options & { readonly reason: string }) => {
      const of = { reason: options.reason, format: formatOf(options) }
      done(await ask({ what: 'local-account-remove', name, ...of }, options, outlets))
    })
  where(command('list', 'Lists all.', 'sallyport account list --json', under))
    .option(...json)
    .action(async (options: Options) => {
      done(await ask({ what: 'local-accounts', format: formatOf(options) }, options, outlets))
    })
}

function formatOf({ json: isJson }: Options): 'text' | 'jsonl' {
  return isJson === true ? 'jsonl' : 'text'
}
