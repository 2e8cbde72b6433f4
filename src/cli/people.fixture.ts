/** The commands about people on a desk of their own: real stores, a real record, no gateway. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TestContext } from 'node:test'
import { Command, CommanderError } from 'commander'
import { systemClock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { openDirectory } from '../identity/directory-store.ts'
import { openRevocations } from '../identity/revocation-store.ts'
import { openServiceAccounts } from '../identity/service-account-store.ts'
import { createMasker } from '../mask/masker.ts'
import type { EntryInput } from '../record/entry.ts'
import { openRecord } from '../record/record.ts'
import { createAloneStops } from './alone-stops.ts'
import type { AskPeople } from './ask-people.ts'
import { answerPeople } from './people-answer.ts'
import { parsePeopleAsked } from './people-asked.ts'
import { addPeople } from './people-commands.ts'
import type { NamedIssuer, PeopleDesk } from './people-desk.ts'

export const corp = 'https://login.example/corp'
export const tenants = ['https://login.example/t1/v2.0', 'https://login.example/t2/v2.0'] as const
const issuers: readonly NamedIssuer[] = [
  { name: 'corp', issuer: corp, isEntra: false },
  { name: 'entra', issuer: tenants[0], isEntra: true },
  { name: 'two', issuer: tenants[0], isEntra: true },
  { name: 'two', issuer: tenants[1], isEntra: true },
  { name: 'service-accounts', issuer: 'urn:sallyport:service-accounts', isEntra: false },
]

export interface Ran {
  readonly code: number
  readonly out: string
  readonly errors: string
}

export interface Bench {
  readonly desk: PeopleDesk
  /** What was recorded, without its form. */
  readonly entries: { readonly type: string; readonly details: Record<string, unknown> }[]
  /** While it is so, nothing can be recorded. */
  isDown: boolean
  run(...args: readonly string[]): Promise<Ran>
}

export async function openBench(t: TestContext): Promise<Bench> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-people-'))
  const clock = systemClock()
  const file = join(dir, 'state.sqlite')
  const { recorder } = await openRecord({
    dir: join(dir, 'record'),
    writer: 'w1',
    disk: realDisk,
    clock,
    freeBytesMin: 0,
    segmentBytesMax: 1_048_576,
  })
  const directory = openDirectory(file, { clock })
  const revocations = openRevocations(file, { clock })
  const serviceAccounts = openServiceAccounts(file, { clock, key: new Uint8Array(32) })
  t.after(async () => {
    await recorder.close()
    for (const store of [directory, revocations, serviceAccounts]) store.close()
    rmSync(dir, { recursive: true })
  })
  const entries: Bench['entries'] = []
  const append: PeopleDesk['recorder']['append'] = (digest, shared, items) => {
    if (bench.isDown) return Promise.reject(new Fault('record_down', 'The record is down.'))
    for (const { entry } of items) entries.push(plain(entry))
    return recorder.append(digest, shared, items)
  }
  const masker = createMasker({ sealKey: new Uint8Array(32) })
  const parts = { clock, recorder: { append }, masker, revocations }
  const desk: PeopleDesk = {
    ...parts,
    directory,
    serviceAccounts,
    issuers,
    connections: ['crm', 'warehouse'],
    serviceKeyMs: 90 * 86_400_000,
    ...createAloneStops(parts),
  }
  const bench: Bench = { desk, entries, isDown: false, run: (...args) => run(args, desk) }
  return bench
}

function plain(entry: EntryInput): Bench['entries'][number] {
  return { type: entry.type, details: 'details' in entry ? { ...entry.details?.value } : {} }
}

async function run(args: readonly string[], desk: PeopleDesk): Promise<Ran> {
  const [out, errors] = [new Sink(), new Sink()]
  const program = new Command('sallyport').exitOverride()
  program.configureOutput({ writeErr: (text) => errors.write(text), writeOut: () => undefined })
  let code = 0
  const ask: AskPeople = async (asked, _, outlets, through = (lines) => lines) => {
    // As over the socket: only what the form lets through arrives.
    const arrived = parsePeopleAsked(JSON.parse(JSON.stringify(asked)))
    if (arrived === undefined) throw new Fault('defect', 'The question has no form.')
    const lines = await answerPeople(arrived, 'op', desk)
    await pipeline(Readable.from(through(Readable.from(lines))), outlets.out, { end: false })
    return 0
  }
  addPeople({
    command: (name, description, example, under = program) =>
      under.command(name).description(description).exitOverride().addHelpText('after', example),
    where: (made) => made.option('-c, --config <file>').option('--data <dir>'),
    done: (result) => (code = result),
    out,
    errors,
    ask,
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) code = 2
    else if (error instanceof Fault) code = 1
    else throw error
    errors.write(error.message)
  }
  return { code, out: out.text, errors: errors.text }
}

class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
