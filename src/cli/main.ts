/** The command line: `sallyport COMMAND`. Data on stdout; exit 0 for yes, 1 for no, 2 for wrong usage. */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { errorCode } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { addAccess } from './access-commands.ts'
import { addLocalAccounts } from './account.ts'
import type { ask } from './ask.ts'
import type { CheckOptions } from './check.ts'
import type { InitOptions } from './init.ts'
import type { InspectOptions } from './inspect.ts'
import type { Where } from './installation.ts'
import { addPeople } from './people-commands.ts'
import { addPolicy } from './policy-commands.ts'
import { addRecord } from './record-commands.ts'
import type { Make, With } from './record-commands.ts'
import type { SamlImportOptions } from './saml.ts'
import { addTools } from './tools-commands.ts'
import { version } from './version.ts'
import type { TokenOptions } from './token.ts'

const out = process.stdout
const errors = process.stderr

function port(text: string): number {
  const value = Number(text)
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value
  throw new InvalidArgumentError('A port is a number from 0 to 65535; 0 takes any free one.')
}

function program(done: (code: number) => void): Command {
  const sallyport = new Command('sallyport')
    .description('The gateway in front of MCP servers that touch cardholder data.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('Run with --help to see how it is used.')
  const command: Make = (name, description, example, under = sallyport) => {
    const made = under.command(name).description(description)
    return made.exitOverride().addHelpText('after', `\nExample:\n  ${example}`)
  }
  const where = (made: Command): Command =>
    made
      .option('-c, --config <file>', 'the configuration file (default: sallyport.yaml)')
      .option('--data <dir>', 'the data folder (default: that of the file, else .sallyport)')
  addStarters(command, where, done)
  addRecord({ command, where, done, out, errors })
  const asking = { command, where, done, out, errors, ask: askLate }
  addPeople(asking)
  addAccess(asking)
  addLocalAccounts(asking)
  addTools(asking)
  addPolicy(asking)
  addSaml(command, done)
  addReload(command, where, done)
  addReaders(command, where, done)
  addInspect(command, where, done)
  addMakers(command, where, done)
  return sallyport
}

/** Loaded when it is needed: `mask` and `--help` start without a record. */
const askLate: typeof ask = async (...args) => await (await import('./ask.ts')).ask(...args)

function addSaml(command: Make, done: (code: number) => void): void {
  const saml = command('saml', 'Sign-in by SAML.', 'sallyport saml import metadata.xml')
  command(
    'import',
    'Makes a sign-in of a provider’s metadata, once its certificates were compared.',
    'sallyport saml import metadata.xml --name okta --fingerprint AB:CD:…',
    saml,
  )
    .argument('<file>', 'the metadata, as the provider gives it')
    .option('--name <name>', 'the name of the sign-in (default: corp)')
    .option('--out <dir>', 'the folder for its certificates (default: this one)')
    .option('--fingerprint <sha256...>', 'of each certificate you have compared')
    .action(async (file: string, options: SamlImportOptions) => {
      const { samlImportCommand } = await import('./saml.ts')
      done(samlImportCommand(file, options, out, errors))
    })
}

function addStarters(command: Make, where: With, done: (code: number) => void): void {
  where(command('serve', 'Runs the gateway until SIGTERM.', 'sallyport serve -c sallyport.yaml'))
    .option('--port <port>', "in place of the file's gateway port", port)
    .option('--console-port <port>', "in place of the file's console port", port)
    .action(
      async (options: { config?: string; data?: string; port?: number; consolePort?: number }) => {
        const { serveCommand } = await import('./serve.ts')
        done(await serveCommand(options, out, errors))
      },
    )
  command(
    'demo',
    'Runs two real MCP servers behind the gateway, to try it.',
    'sallyport demo --port 0',
  )
    .option('--data <dir>', 'the data folder (default: .sallyport)')
    .option('--port <port>', 'the gateway port (default: 4100)', port)
    .option('--console-port <port>', 'the console port (default: 4101)', port)
    .action(async (options: { data?: string; port?: number; consolePort?: number }) => {
      const { demoCommand } = await import('./demo.ts')
      done(await demoCommand(options, out, errors))
    })
}

function addReload(command: Make, where: With, done: (code: number) => void): void {
  where(
    command(
      'reload',
      'Makes a running gateway take up its changed file: issuers, access, roles.',
      'sallyport reload -c sallyport.yaml',
    ),
  ).action(async (options: Where) => {
    done(await askLate({ what: 'reload' }, options, { out, errors }))
  })
}

function addReaders(command: Make, where: With, done: (code: number) => void): void {
  where(
    command(
      'exposure',
      'Tells how many card numbers principals were shown.',
      'sallyport exposure ada --days 7',
    ),
  )
    .argument('[principal]', 'a subject or name; everybody without it')
    .option('--days <days>', 'the window, today included: 1 to 90 (default: 30)')
    .option('--json', 'one JSON object a line')
    .action(
      async (
        principal: string | undefined,
        options: { config?: string; data?: string; days?: string; json?: boolean },
      ) => {
        const { exposureCommand } = await import('./exposure.ts')
        done(await exposureCommand(principal, options, out, errors))
      },
    )
  command(
    'mask',
    'Masks standard input the way the gateway does.',
    'sallyport mask --jsonl < messages.jsonl',
  )
    .option('--jsonl', 'each line {"id","message"}; without it one text or JSON message')
    .option('--reveal', 'as a grant with `reveal: pan` sees it')
    .option('--refuse-invalid', 'text that is not valid UTF-8 is an error, as in the gateway')
    .action(async (options: { jsonl?: boolean; reveal?: boolean; refuseInvalid?: boolean }) => {
      const { maskCommand } = await import('./mask.ts')
      const isColoured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined
      const invalid = options.refuseInvalid === true ? 'refuse' : 'pass'
      const jsonl = options.jsonl === true
      const reveal = options.reveal === true ? 'pan' : 'none'
      done(await maskCommand(process.stdin, out, { jsonl, reveal, isColoured, invalid }))
    })
}

function addInspect(command: Make, where: With, done: (code: number) => void): void {
  where(
    command(
      'inspect',
      'Tells what the gateway makes of a message: SQL facts, findings, verdict.',
      'sallyport inspect --jsonl < messages.jsonl',
    ),
  )
    .option('--jsonl', 'each line {"id","direction","message"}; without it one message')
    .option('--connection <name>', 'as this connection is configured (default: the pci profile)')
    .action(async (options: InspectOptions) => {
      const { inspectCommand } = await import('./inspect.ts')
      done(await inspectCommand(options, process.stdin, out, errors))
    })
}

function addMakers(command: Make, where: With, done: (code: number) => void): void {
  where(
    command(
      'check',
      'Checks a configuration and everything it names.',
      'sallyport check -c sallyport.yaml',
    ),
  )
    .option('--json', 'one JSON object instead of text')
    .option('--offline', 'only the file: nothing is asked, opened or written')
    .option('--send-notices', 'sends each receiver of notices a test message')
    .option('--token <file>', 'explains an access token, from a file or - for standard input')
    .option('--connection <name>', 'with --token: the connection it is for')
    .action(async (options: CheckOptions) => {
      const { checkCommand } = await import('./check.ts')
      done(await checkCommand(options, out, errors))
    })
  command('init', 'Writes a commented configuration and makes keys.', 'sallyport init --yes')
    .option('-c, --config <file>', 'the file to write (default: sallyport.yaml)')
    .option('--data <dir>', 'the data folder')
    .option('--public-url <url>', 'the address clients will use')
    .option('--connection <name>', 'the name of the first connection')
    .option('--url <url>', 'the MCP server behind it')
    .option('--issuer <url>', 'an OpenID Connect issuer (default: the local one)')
    .option('--yes', 'asks nothing; what no option says has its default')
    .action(async (options: InitOptions) => {
      const { initCommand } = await import('./init.ts')
      done(await initCommand(options, process.stdin, out, errors))
    })
  where(
    command(
      'token',
      'Makes a token of the local issuer.',
      'sallyport token --subject ada --group engineers',
    ),
  )
    .requiredOption('--subject <subject>', 'whom it names')
    .option('--name <name>', 'a name for people to read')
    .option('--kind <kind>', 'person, service or workload', 'person')
    .option('--group <group...>', 'groups')
    .option('--role <role...>', 'roles')
    .option('--connection <name>', 'good for this connection only')
    .option('--console', 'good for the API of the console only')
    .option('--ttl <time>', 'how long it is good for, 24h at most', '1h')
    .action(async (options: TokenOptions) => {
      const { tokenCommand } = await import('./token.ts')
      done(await tokenCommand(options, out, errors))
    })
}

async function run(): Promise<number> {
  let code = 0
  try {
    await program((result) => (code = result)).parseAsync()
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Fault) {
      errors.write(`${error.message}\n`)
      return 1
    }
    // Whoever read our output has enough of it, as `head` has.
    if (errorCode(error) === 'EPIPE') return 0
    const why = systemMessage(error)
    if (why === undefined) throw error
    errors.write(`${why}\n`)
    return 1
  }
}

/** What the system said no to, in one line; undefined for anything else, which is a defect. */
function systemMessage(error: unknown): string | undefined {
  const code = errorCode(error)
  if (code === undefined || !(error instanceof Error) || !('syscall' in error)) return undefined
  const path = 'path' in error ? error.path : 'address' in error ? error.address : undefined
  const what = [error.syscall, path].filter((word) => typeof word === 'string').join(' ')
  return `The system refused: ${what} (${code}). Look at this path and its rights.`
}

// Without a listener the end of a reader would end this process, a running gateway too.
for (const stream of [out, errors]) {
  stream.on('error', (error: Error) => {
    if (errorCode(error) !== 'EPIPE') process.exitCode = 1
  })
}
const code = await run()
process.exitCode = process.exitCode === 1 ? 1 : code
