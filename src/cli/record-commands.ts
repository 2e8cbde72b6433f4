/** The commands about the record, as the command line has them. */
import type { Writable } from 'node:stream'
import type { Command } from 'commander'
import type { ApprovalOptions, VerifyApprovalOptions } from './approval.ts'
import type { PackOptions, ProveOptions, VerifyOptions } from './audit.ts'
import type { HoldOptions } from './holds.ts'
import type { Where } from './installation.ts'
import type { ReplayOptions, SearchOptions } from './read-record.ts'
import type { WitnessOptions } from './witness.ts'

/** Makes a command. @param under the one it belongs to; the program itself unless given. */
export type Make = (name: string, description: string, example: string, under?: Command) => Command
/** Adds `-c` and `--data`. */
export type With = (made: Command) => Command

interface Parts {
  readonly command: Make
  readonly where: With
  readonly done: (code: number) => void
  readonly out: Writable
  readonly errors: Writable
}

export function addRecord(parts: Parts): void {
  addLooks(parts)
  addAudit(parts)
  addKeeping(parts)
}

function addLooks({ command, done, errors, out, where }: Parts): void {
  where(command('sessions', 'Lists recorded sessions, newest last.', 'sallyport sessions --json'))
    .option('--json', 'one JSON object a line')
    .action(async (options: Where & { json?: boolean }) => {
      const { sessionsCommand } = await import('./read-record.ts')
      done(await sessionsCommand(options, out, errors))
    })
  where(
    command(
      'search',
      'Searches the record; docs/search.md has the language.',
      'sallyport search \'principal:ada tool:execute_sql from:-7d "from cards"\'',
    ),
  )
    .argument('[query]', 'everything without it', '')
    .option(
      '--card',
      'asks for a full card number; it is read from the terminal, or standard input',
    )
    .option('--limit <n>', 'results on a page, 1000 at most', '50')
    .option('--cursor <cursor>', 'goes on behind the page before')
    .option('--oldest', 'oldest first')
    .option('--json', 'one JSON object a line, the last one with total, days and cursor')
    .action(async (query: string, options: SearchOptions) => {
      const { searchCommand } = await import('./read-record.ts')
      done(await searchCommand(query, options, { input: process.stdin, out, errors }))
    })
  where(command('replay', 'Replays sessions in order.', 'sallyport replay se_… --format html'))
    .argument('[sessions...]', 'ids that "sallyport sessions" prints; exchanges too')
    .option('--query <query>', 'the sessions of all that a search finds')
    .option('--format <format>', 'text, jsonl, html, har or cast', 'text')
    .option('--speed <factor>', 'text at the pace of then: 1 as it was, 10 ten times as fast')
    .option('--idle <seconds>', 'with --speed: the longest wait')
    .option('--proofs', 'each entry with its proof')
    .option('--json', 'the same as --format jsonl')
    .action(async (ids: string[], options: ReplayOptions) => {
      const { replayCommand } = await import('./read-record.ts')
      done(await replayCommand(ids, options, out, errors))
    })
}

function addAudit(parts: Parts): void {
  const { command, done, errors, out, where } = parts
  const audit = command('audit', 'Proves the record.', 'sallyport audit verify --key VKEY')
  where(
    command(
      'verify',
      'Checks every hash, proof, signature, seal and body; 0 proven, 1 wrong, 2 cannot tell.',
      'sallyport audit verify /mnt/copy --key "audit.example.com/sallyport+b83f1dcd+AQ…"',
      audit,
    ),
  )
    .argument('[target]', 'a data folder, a pack, or the https address of a log')
    .option('--key <vkey...>', 'the public key of the log, as you have it from elsewhere')
    .option('--checkpoint <file...>', 'an older checkpoint which you kept')
    .option('--witness <vkey...>', 'public keys of witnesses')
    .option('--token <token>', 'over HTTP: lets the entries be read, not only hashes')
    .option('--json', 'the report as one JSON object')
    .action(async (target: string | undefined, options: VerifyOptions) => {
      const { verifyCommand } = await import('./audit.ts')
      done(await verifyCommand(target, options, out, errors))
    })
  where(
    command(
      'key',
      'Prints the public keys of the log, to be kept elsewhere.',
      'sallyport audit key',
      audit,
    ),
  ).action(async (options: Where) => {
    const { keyCommand } = await import('./audit.ts')
    done(await keyCommand(options, out))
  })
  where(
    command(
      'prove',
      'Proves one entry in a single file.',
      'sallyport audit prove 4711 --out p.tlog-proof',
      audit,
    ),
  )
    .argument('<index>', 'the index of the entry')
    .option('--out <file>', 'writes it there and the entry beside it, as .json')
    .action(async (index: string, options: ProveOptions) => {
      const { proveCommand } = await import('./audit.ts')
      done(await proveCommand(index, options, out, errors))
    })
  where(
    command(
      'pack',
      'Makes a folder with sessions, their proofs and a verifier that needs only Node.',
      'sallyport audit pack se_… --out evidence-4711',
      audit,
    ),
  )
    .argument('[sessions...]', 'ids that "sallyport sessions" prints; exchanges too')
    .option('--query <query>', 'the sessions of all that a search finds')
    .requiredOption('--out <folder>', 'a folder that is not there yet')
    .action(async (ids: string[], options: PackOptions) => {
      const { packCommand } = await import('./audit.ts')
      done(await packCommand(ids, options, out, errors))
    })
  addApproval(parts, audit)
  addWitness(parts, audit)
}

function addApproval({ command, done, errors, out, where }: Parts, audit: Command): void {
  where(
    command(
      'approval',
      'Writes the proof of a held call: each decision with its signature.',
      'sallyport audit approval tk_… --out approval.json',
      audit,
    ),
  )
    .argument('<ticket>', 'the number of the held call')
    .option('--out <file>', 'writes it there; standard output where it is missing')
    .action(async (ticket: string, options: ApprovalOptions) => {
      const { approvalCommand } = await import('./approval.ts')
      done(await approvalCommand(ticket, options, out, errors))
    })
  command(
    'verify-approval',
    'Checks such a proof, without the gateway; 0 proven, 1 wrong, 2 cannot tell.',
    'sallyport audit verify-approval approval.json --key "audit.example.com/sallyport+b83f1dcd+AQ…"',
    audit,
  )
    .argument('<file>', 'what "sallyport audit approval" wrote')
    .option('--key <vkey...>', 'the public key of the log, as you have it from elsewhere')
    .option('--json', 'the report as one JSON object')
    .action(async (file: string, options: VerifyApprovalOptions) => {
      const { verifyApprovalCommand } = await import('./approval.ts')
      done(verifyApprovalCommand(file, options, out))
    })
}

function addWitness({ command, done, errors, out }: Parts, audit: Command): void {
  command(
    'witness',
    'Runs a witness: it signs what it has seen of the logs it is told of.',
    'sallyport audit witness --listen 127.0.0.1:4180 --name w.example --state state --log VKEY',
    audit,
  )
    .requiredOption('--listen <address>', 'host and port; 0 takes any free one')
    .requiredOption('--log <vkey...>', 'the public key of a log')
    .requiredOption('--name <name>', 'its name for the world: a URL without scheme')
    .requiredOption('--state <dir>', 'where it keeps its key and what it has seen')
    .action(async (options: WitnessOptions) => {
      const { witnessCommand } = await import('./witness.ts')
      done(await witnessCommand(options, out, errors))
    })
}

function addKeeping({ command, done, errors, out, where }: Parts): void {
  const index = command('index', 'The search index.', 'sallyport index rebuild')
  where(
    command('rebuild', 'Makes the index anew from the record.', 'sallyport index rebuild', index),
  ).action(async (options: Where) => {
    const { ask } = await import('./ask.ts')
    done(await ask({ what: 'reindex' }, options, { out, errors }))
  })
  const retention = command(
    'retention',
    'What goes at the end of its time.',
    'sallyport retention plan',
  )
  for (const [name, text] of [
    ['plan', 'Tells what is due, and what verify will say afterwards.'],
    ['run', 'Takes what is due; a running gateway does so every hour.'],
  ] as const) {
    where(command(name, text, `sallyport retention ${name}`, retention))
      .option('--json', 'one JSON object a line')
      .action(async (options: Where & { json?: boolean }) => {
        const { ask } = await import('./ask.ts')
        const format = options.json === true ? 'jsonl' : 'text'
        const asked = { what: 'retention', isDryRun: name === 'plan', format } as const
        done(await ask(asked, options, { out, errors }))
      })
  }
  addHolds({ command, done, errors, out, where })
  const keys = command('keys', 'The keys of the record.', 'sallyport keys rotate')
  where(
    command(
      'rotate',
      'Changes the key that signs checkpoints.',
      'sallyport keys rotate --overlap 30d',
      keys,
    ),
  )
    .option('--overlap <time>', 'how long the old key signs along', '30d')
    .option('--local-issuer', 'the key that signs tokens of the local issuer instead')
    .action(async (options: Where & { overlap: string; localIssuer?: boolean }) => {
      const { rotateCommand } = await import('./key-commands.ts')
      done(await rotateCommand(options, { out, errors }))
    })
  where(
    command(
      'rewrap',
      'Changes the key-encryption key, and wraps the keys of all months anew.',
      'sallyport keys rewrap',
      keys,
    ),
  ).action(async (options: Where) => {
    const { rewrapCommand } = await import('./key-commands.ts')
    done(await rewrapCommand(options, { out, errors }))
  })
}

function addHolds({ command, done, errors, out, where }: Parts): void {
  const hold = command('hold', 'Legal holds: what must not go.', 'sallyport hold list')
  where(
    command(
      'place',
      'Keeps every month that has an entry of it.',
      'sallyport hold place --session se_… --reason "case 12"',
      hold,
    ),
  )
    .option('--session <id>', 'a session')
    .option('--principal <name>', 'a subject or name')
    .option('--from <month>', 'a period of months, YYYY-MM')
    .option('--to <month>', 'its last month')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (options: HoldOptions) => {
      const { placeCommand } = await import('./holds.ts')
      done(await placeCommand(options, { out, errors }))
    })
  where(
    command(
      'release',
      'Ends a hold.',
      'sallyport hold release hold_… --reason "case closed"',
      hold,
    ),
  )
    .argument('<id>', 'the id that "sallyport hold list" prints')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (id: string, options: Where & { reason: string }) => {
      const { ask } = await import('./ask.ts')
      done(await ask({ what: 'release', id, reason: options.reason }, options, { out, errors }))
    })
  where(command('list', 'Lists all holds.', 'sallyport hold list --json', hold))
    .option('--json', 'one JSON object a line')
    .action(async (options: Where & { json?: boolean }) => {
      const { listCommand } = await import('./holds.ts')
      done(await listCommand(options, out))
    })
}
