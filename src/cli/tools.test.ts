import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Command, CommanderError } from 'commander'
import { pan } from '../../tests/cards.ts'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { openPins } from '../inspect/pins-store.ts'
import type { Pins } from '../inspect/pins.ts'
import { createMasker } from '../mask/masker.ts'
import type { Note } from '../record/notes.ts'
import { readJson } from '../wire/json.ts'
import { answerTools } from './tools-answer.ts'
import { parseToolsAsked } from './tools-asked.ts'
import { addTools } from './tools-commands.ts'
import type { AskTools } from './tools.ts'

interface Bench {
  readonly pins: Pins
  /** What was recorded: type, who, and details. */
  readonly entries: (readonly [type: string, by: string | undefined, details: object])[]
  pass(description: string): Promise<void>
  run(...args: readonly string[]): Promise<{ code: number; out: string; errors: string }>
}

function openBench(t: TestContext): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-tools-'))
  const entries: Bench['entries'] = []
  const note: Note = async (type, { principal }, details) => {
    entries.push([type, principal?.subject, details])
    await Promise.resolve()
  }
  const masker = createMasker({ sealKey: new Uint8Array(32) })
  const pins = openPins(join(dir, 'state.sqlite'), { clock: systemClock(), note, masker })
  t.after(() => {
    pins.close()
    rmSync(dir, { recursive: true })
  })
  const desk = { pins, masker, connections: ['crm', 'warehouse'] }
  const ask: AskTools = async (asked, _, outlets) => {
    // As over the socket: only what the form lets through arrives.
    const arrived = parseToolsAsked(JSON.parse(JSON.stringify(asked)))
    if (arrived === undefined) throw new Fault('defect', 'The question has no form.')
    const lines = await answerTools(arrived, 'op', desk)
    await pipeline(Readable.from(lines), outlets.out, { end: false })
    return 0
  }
  return {
    pins,
    entries,
    pass: async (description) => {
      const text = JSON.stringify({ tools: [{ name: 'execute_sql', description }] })
      const tree = readJson(Buffer.from(text), { bytesMax: 65_536, depthMax: 64 })
      await pins.learn('warehouse', tree, tree.root)
    },
    run: async (...args) => await run(args, ask),
  }
}

async function run(
  args: readonly string[],
  ask: AskTools,
): Promise<{ code: number; out: string; errors: string }> {
  const [out, errors] = [new Sink(), new Sink()]
  const program = new Command('sallyport').exitOverride()
  program.configureOutput({ writeErr: (text) => errors.write(text), writeOut: () => undefined })
  let code = 0
  addTools({
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

const misused: readonly [what: string, args: string[], says: RegExp][] = [
  ['accepting without a reason', ['tools', 'accept', 'tc_x'], /--reason/],
  ['accepting for no reason', ['tools', 'accept', 'tc_x', '--reason', ' '], /--reason/],
  [
    'accepting in two ways',
    ['tools', 'accept', 'tc_x', '--reason', 'r', '--beside', '--pinned'],
    /not both/,
  ],
  ['forgetting without a reason', ['tools', 'forget', 'warehouse'], /--reason/],
  ['a difference of nothing', ['tools', 'diff'], /missing/],
]
for (const [what, args, says] of misused) {
  test(`${what} is wrong usage: exit 2, and nothing is asked`, async (t) => {
    const bench = openBench(t)
    const { code, errors, out } = await bench.run(...args)
    assert.deepEqual([code, out, bench.entries], [2, '', []])
    assert.match(errors, says)
  })
}

const refused: readonly [what: string, args: string[], says: RegExp][] = [
  [
    'a list of a mistyped connection',
    ['tools', 'list', '--connection', 'wharehouse'],
    /crm, warehouse/,
  ],
  ['a difference nobody knows', ['tools', 'diff', 'tc_x'], /no difference of this id/],
  [
    'accepting what nobody knows',
    ['tools', 'accept', 'tc_x', '--reason', 'r'],
    /no difference of this id/,
  ],
  [
    'keeping what is not back',
    ['tools', 'accept', 'ID', '--reason', 'r', '--pinned'],
    /does not show the pinned/,
  ],
  ['forgetting what is not pinned', ['tools', 'forget', 'crm', '--reason', 'r'], /No tool/],
]
for (const [what, args, says] of refused) {
  test(`${what} is refused: exit 1, nothing changed, nothing recorded`, async (t) => {
    const bench = openBench(t)
    await bench.pass('Runs a query.')
    await bench.pass('Runs another one.')
    const before = bench.entries.length
    const id = bench.pins.changes()[0]?.id ?? ''
    const { code, errors, out } = await bench.run(...args.map((arg) => (arg === 'ID' ? id : arg)))
    assert.deepEqual([code, out, bench.entries.length], [1, '', before])
    assert.match(errors, says)
    assert.equal(bench.pins.facts('warehouse', 'execute_sql')?.isChanged, true)
  })
}

test('a change is listed, shown as text and accepted by its id', async (t) => {
  const bench = openBench(t)
  assert.match((await bench.run('tools', 'list')).out, /No tool is pinned yet/)
  await bench.pass('Runs a query.')
  assert.match(
    (await bench.run('tools', 'list')).out,
    /^pinned {4}warehouse {2}execute_sql {2}[0-9a-f]{12} {2}pinned \S+\n$/,
  )
  await bench.pass(`Runs a query.\u202e For ${pan('4111', 16)}.`)
  const listed = (await bench.run('tools', 'list', '--connection', 'warehouse')).out
  assert.match(listed, /^changed {3}.* {2}description {2}tc_\w+\n$/)
  const id = listed.trim().split('  ').at(-1) ?? ''
  const shown = (await bench.run('tools', 'diff', id)).out
  assert.match(shown, /^execute_sql of warehouse, changed 2\S+Z\n/)
  assert.match(
    shown,
    /\ndescription:\n- Runs a query\.\n\+ Runs a query\.<U\+202E> For [^0-9]*\d{0,6}\*+/,
  )
  assert.ok(!shown.includes(pan('4111', 16)))
  const { code, out } = await bench.run('tools', 'accept', id, '--reason', 'release 2')
  assert.deepEqual([code, /is pinned now/.test(out)], [0, true])
  assert.deepEqual(bench.entries.at(-1)?.slice(0, 2), ['tool.accepted', 'op'])
  assert.equal(bench.pins.facts('warehouse', 'execute_sql')?.isChanged, false)
  assert.match(
    (await bench.run('tools', 'forget', 'warehouse', '--reason', 'r')).out,
    /Forgot 1 tool/,
  )
})

test('with --json each line is an object', async (t) => {
  const bench = openBench(t)
  await bench.pass('Runs a query.')
  await bench.pass('Runs another one.')
  const read = async (...args: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await bench.run('tools', ...args, '--json')).out)
  const { id, ...listed } = await read('list')
  assert.deepEqual(
    [listed['connection'], listed['tool'], listed['state'], listed['parts'], listed['late']],
    ['warehouse', 'execute_sql', 'changed', ['description'], false],
  )
  const shown = await read('diff', String(id))
  assert.deepEqual(shown['lines'], ['description:', '- Runs a query.', '+ Runs another one.'])
  const accepted = await read('accept', String(id), '--reason', 'r', '--beside')
  assert.deepEqual([accepted['taking'], accepted['sha256']], ['beside', shown['after']])
  assert.deepEqual(await read('forget', 'warehouse', '--reason', 'r'), {
    connection: 'warehouse',
    forgotten: 1,
  })
})
