/** The commands about people, stops and service accounts, as the command line has them. */
import type { Writable } from 'node:stream'
import type { AskPeople } from './ask-people.ts'
import type { PeopleOptions } from './people.ts'
import type { Make, With } from './record-commands.ts'
import type { RevokeOptions } from './revoke.ts'
import type { AccountOptions, NewAccountOptions, NewKeyOptions } from './service-account.ts'

interface Parts {
  readonly command: Make
  readonly where: With
  readonly done: (code: number) => void
  readonly out: Writable
  readonly errors: Writable
  readonly ask: AskPeople
}

const json = ['--json', 'one JSON object a line'] as const
const whom = 'an id, subject, name or e-mail; ISSUER/SUBJECT for somebody never seen'

export function addPeople(parts: Parts): void {
  addRevoke(parts)
  addDirectory(parts)
  addAccounts(parts)
}

function addRevoke({ ask, command, done, errors, out, where }: Parts): void {
  where(
    command(
      'revoke',
      'Stops somebody or something at once, everywhere, until it is lifted.',
      'sallyport revoke ada --reason "contract ended"\n  sallyport revoke --list',
    ),
  )
    .argument('[principal]', whom)
    .option('--client <id>', 'every token that was given to this client')
    .option('--token <id>', 'one token by its jti or uti, or a key of a service account by its id')
    .option('--sign-in <id>', 'every token of one sign-in')
    .option('--connection <name>', 'everybody, on one connection')
    .option('--everything', 'everybody, everywhere')
    .option('--reason <text>', 'why, for the record')
    .option('--at <time>', 'later: a moment with its zone, or +2h')
    .option('--list', 'lists what is stopped or will be, newest first')
    .option('--lift <id>', 'takes a stop back')
    .option(...json)
    .action(async (principal: string | undefined, options: RevokeOptions) => {
      const { revokeCommand } = await import('./revoke.ts')
      done(await revokeCommand(principal, options, { out, errors }, ask))
    })
}

function addDirectory({ ask, command, done, errors, out, where }: Parts): void {
  const people = command('people', 'Who is known to the gateway.', 'sallyport people list')
  const outlets = { out, errors }
  where(command('list', 'Lists all, seen last first.', 'sallyport people list --json', people))
    .option(...json)
    .action(async (options: PeopleOptions) => {
      const { listPeople } = await import('./people.ts')
      done(await listPeople(options, outlets, ask))
    })
  where(command('show', 'Shows one.', 'sallyport people show ada@example.com', people))
    .argument('<principal>', whom)
    .option(...json)
    .action(async (principal: string, options: PeopleOptions) => {
      const { showPerson } = await import('./people.ts')
      done(await showPerson(principal, options, outlets, ask))
    })
  where(
    command('end', 'Sets when access ends.', 'sallyport people end corp/ada 2026-12-31', people),
  )
    .argument('<principal>', whom)
    .argument('<date>', 'the last day (UTC), a moment with its zone, now, or never')
    .option(...json)
    .action(async (principal: string, date: string, options: PeopleOptions) => {
      const { endPerson } = await import('./people.ts')
      done(await endPerson({ principal, date }, options, outlets, ask))
    })
  where(
    command(
      'owner',
      'Sets who answers for a program.',
      'sallyport people owner ci-4711 ada@example.com',
      people,
    ),
  )
    .argument('<principal>', whom)
    .argument('<owner>', 'a person, named in the same ways; or nobody')
    .option(...json)
    .action(async (principal: string, owner: string, options: PeopleOptions) => {
      const { ownPerson } = await import('./people.ts')
      done(await ownPerson({ principal, owner }, options, outlets, ask))
    })
}

function addAccounts(parts: Parts): void {
  const { ask, command, done, errors, out, where } = parts
  const under = command(
    'service-account',
    'Accounts of programs that have nothing better than a key.',
    'sallyport service-account list',
  )
  const outlets = { out, errors }
  const ttl = [
    '--ttl <time>',
    'how long its key is good for (default: the longest allowed)',
  ] as const
  where(
    command(
      'add',
      'Makes an account and prints its first key.',
      'sallyport service-account add etl --owner ada --role reader --connection warehouse --ttl 90d',
      under,
    ),
  )
    .argument('<name>', 'the subject of its principal')
    .requiredOption('--owner <person>', 'who answers for it')
    .option('--group <group...>', 'groups')
    .option('--role <role...>', 'roles')
    .option('--connection <name...>', 'for these only; all that its grants give without it')
    .option(...ttl)
    .option(...json)
    .action(async (name: string, options: NewAccountOptions) => {
      const { addAccount } = await import('./service-account.ts')
      done(await addAccount(name, options, outlets, ask))
    })
  where(command('key', 'Prints a further key.', 'sallyport service-account key etl', under))
    .argument('<name>', 'the account')
    .option(...ttl)
    .option(...json)
    .action(async (name: string, options: NewKeyOptions) => {
      const { addKey } = await import('./service-account.ts')
      done(await addKey(name, options, outlets, ask))
    })
  where(command('end', 'Ends a key at once.', 'sallyport service-account end k_…', under))
    .argument('<key>', 'the id of the key, which stands in it')
    .option(...json)
    .action(async (id: string, options: AccountOptions) => {
      const { endKey } = await import('./service-account.ts')
      done(await endKey(id, options, outlets, ask))
    })
  where(
    command(
      'remove',
      'Removes an account with its keys.',
      'sallyport service-account remove etl',
      under,
    ),
  )
    .argument('<name>', 'the account')
    .option(...json)
    .action(async (name: string, options: AccountOptions) => {
      const { removeAccount } = await import('./service-account.ts')
      done(await removeAccount(name, options, outlets, ask))
    })
  where(command('list', 'Lists accounts and keys.', 'sallyport service-account list --json', under))
    .option(...json)
    .action(async (options: AccountOptions) => {
      const { listAccounts } = await import('./service-account.ts')
      done(await listAccounts(options, outlets, ask))
    })
}
