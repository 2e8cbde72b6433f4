/** `sallyport account` from the words of the command line to the tables and the record. */
import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Command, CommanderError } from 'commander'
import { Fault } from '../base/fault.ts'
import { openAccounts } from '../signin/accounts.ts'
import type { Accounts } from '../signin/accounts.ts'
import { Authenticator } from '../signin/authenticator.fixture.ts'
import { openPasskeys } from '../signin/passkeys.ts'
import type { Passkeys } from '../signin/passkeys.ts'
import { addLocalAccounts } from './account.ts'
import { answerLocalAccount, isLocalAccountAsked, parseLocalAccountAsked } from './local-account.ts'
import type { LocalAccountDesk } from './local-account.ts'
import { openBench } from './people.fixture.ts'
import type { Bench, Ran } from './people.fixture.ts'

const issuer = 'https://gw.example/local'
const inviteUrl = 'https://gw.example/oauth/login/invite'
const password = 'correct horse 4 battery'

interface Table extends Pick<Bench, 'desk' | 'entries' | 'run'> {
  readonly bench: Bench
  readonly accounts: Accounts
  readonly passkeys: Passkeys
}

async function opened(t: TestContext): Promise<Table> {
  const bench = await openBench(t)
  const { desk } = bench
  const { clock, directory } = desk
  const accounts = openAccounts(':memory:', { clock, issuer })
  const note = (): Promise<void> => Promise.resolve()
  const options = { clock, rpId: 'gw.example', origins: ['https://gw.example'], directory, note }
  const passkeys = openPasskeys(':memory:', options)
  t.after(() => {
    accounts.close()
    passkeys.close()
  })
  return {
    bench,
    desk,
    entries: bench.entries,
    accounts,
    passkeys,
    run: (...args) => run(args, { ...desk, accounts, passkeys, inviteUrl }),
  }
}

async function run(args: readonly string[], desk: LocalAccountDesk): Promise<Ran> {
  const [out, errors] = [new Sink(), new Sink()]
  const program = new Command('sallyport').exitOverride()
  program.configureOutput({ writeErr: (text) => errors.write(text), writeOut: () => undefined })
  let code = 0
  addLocalAccounts({
    command: (name, description, example, under = program) =>
      under.command(name).description(description).exitOverride().addHelpText('after', example),
    where: (made) => made.option('-c, --config <file>').option('--data <dir>'),
    done: (result) => (code = result),
    out,
    errors,
    ask: async (asked, _, outlets) => {
      // As over the socket: only what the form lets through arrives.
      const arrived = parseLocalAccountAsked(JSON.parse(JSON.stringify(asked)))
      assert.ok(arrived !== undefined && isLocalAccountAsked(arrived))
      const lines = await answerLocalAccount(arrived, 'op', desk)
      await pipeline(Readable.from(lines), outlets.out, { end: false })
      return 0
    },
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

const refused: readonly [what: string, args: string[], code: number][] = [
  ['without a name', ['account', 'add'], 2],
  ['with capitals', ['account', 'add', 'Ada'], 1],
  ['twice', ['account', 'add', 'bob'], 1],
  ['for nobody', ['account', 'invite', 'eve'], 1],
  ['away without a reason', ['account', 'remove', 'bob'], 2],
  ['away that is none', ['account', 'remove', 'eve', '--reason', 'x'], 1],
]
for (const [what, args, code] of refused) {
  test(`an account ${what} is refused, and nothing is recorded`, async (t) => {
    const at = await opened(t)
    await at.run('account', 'add', 'bob')
    const before = at.entries.length
    assert.equal((await at.run(...args)).code, code)
    assert.equal(at.entries.length, before)
  })
}

test('a new account has a link that works, and a place in the directory', async (t) => {
  const at = await opened(t)
  const { errors, out } = await at.run(
    'account',
    'add',
    'ada',
    '--title',
    'Ada',
    '--role',
    'admin',
    '--group',
    'ops',
    'dev',
  )
  const [url, secret = ''] = out.trim().split('#')
  assert.equal(url, inviteUrl)
  assert.match(errors, /24 hours/)
  const { name, title, groups, roles } = at.accounts.invited(secret) ?? assert.fail()
  assert.deepEqual(
    { name, title, groups, roles },
    { name: 'ada', title: 'Ada', groups: ['ops', 'dev'], roles: ['admin'] },
  )
  assert.deepEqual(at.desk.directory.find(issuer, 'ada')?.groups, ['ops', 'dev'])
  const [entry] = at.entries
  assert.deepEqual([entry?.type, entry?.details['change']], ['account.changed', 'made'])
  assert.ok(!JSON.stringify(at.entries).includes(secret))
})

test('what cannot be recorded hands out no link', async (t) => {
  const at = await opened(t)
  at.bench.isDown = true
  const { code, out } = await at.run('account', 'add', 'ada')
  assert.deepEqual([code, out], [1, ''])
})

test('a reset takes password and passkeys, an invitation neither', async (t) => {
  const at = await opened(t)
  const { out } = await at.run('account', 'add', 'ada')
  await at.accounts.setPassword(out.trim().split('#')[1] ?? '', password)
  const { id } = at.desk.directory.find(issuer, 'ada') ?? assert.fail()
  const { challenge } = await at.passkeys.beginEnrolment(id)
  await at.passkeys.finishEnrolment(
    id,
    new Authenticator('https://gw.example', 'gw.example').create(challenge),
  )
  await at.run('account', 'invite', 'ada')
  assert.deepEqual(
    [at.accounts.find('ada')?.hasPassword, at.passkeys.listPasskeys(id).length],
    [true, 1],
  )
  await at.run('account', 'invite', 'ada', '--reset')
  assert.deepEqual(
    [at.accounts.find('ada')?.hasPassword, at.passkeys.listPasskeys(id).length],
    [false, 0],
  )
  assert.deepEqual(
    at.entries.map(({ details }) => details['change']),
    ['made', 'invited', undefined, 'reset'],
  )
  const [stop, ...others] = at.desk.revocations.list()
  assert.deepEqual(others, [])
  assert.equal(at.entries[2]?.type, 'principal.revoked')
  assert.ok(stop?.target.kind === 'tokens-before')
  const nowMs = at.desk.clock.nowUs() / 1000
  const who = { issuer, subject: 'ada' }
  const stopped = (issuedAtMs: number): unknown =>
    at.desk.revocations.find({ ...who, issuedAtMs }, undefined, nowMs)
  assert.ok(stopped(stop.madeMs - 1), 'what was signed in before goes on')
  assert.equal(stopped(stop.madeMs + 1), undefined)
})

test('who is removed is stopped first', async (t) => {
  const at = await opened(t)
  await at.run('account', 'add', 'ada')
  assert.equal((await at.run('account', 'remove', 'ada', '--reason', 'left')).code, 0)
  assert.equal(at.accounts.find('ada'), undefined)
  const [stop] = at.desk.revocations.list()
  assert.deepEqual(stop?.target, { kind: 'principal', issuer, subject: 'ada' })
  const told = at.entries.map(({ details, type }) => details['change'] ?? type)
  assert.deepEqual(told, ['made', 'principal.revoked', 'removed'])
})

test('a list has a line for each', async (t) => {
  const at = await opened(t)
  assert.match((await at.run('account', 'list')).out, /There is no account/)
  await at.run('account', 'add', 'ada')
  await at.run('account', 'add', 'glass', '--break-glass')
  const { out } = await at.run('account', 'list')
  assert.match(out, /^ada {2}link until .*\nglass {2}for emergencies {2}link until .*\n$/)
  const lines = (await at.run('account', 'list', '--json')).out.trim().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).name),
    ['ada', 'glass'],
  )
})

test('where nobody signs in by such accounts there are none', async (t) => {
  const { desk } = await openBench(t)
  const none = { ...desk, accounts: undefined, passkeys: undefined, inviteUrl }
  assert.equal((await run(['account', 'list'], none)).code, 1)
})
