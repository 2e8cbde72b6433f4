/** What was put survives: a kill at any moment, and a file that cannot be written for a while. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { desk, hook, site, ticketOf } from './site.fixture.ts'

const fixture = join(import.meta.dirname, 'crash.fixture.ts')

function stateFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-notify-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'state.sqlite')
}

for (const lines of [1, 17, 60]) {
  test(`a process killed after ${lines} events and more has lost none`, async (t) => {
    const file = stateFile(t)
    const { got, url } = await site(t)
    const child = spawn(process.execPath, [fixture, file, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let last = -1
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line)
      // It goes on meanwhile, sending too: where it is when it dies is up to chance.
      if (last === lines) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
    const at = desk(t, [hook(url)], { file, pace: { burst: 1_000_000 } })
    await at.until(() => at.notices.figures()[0]?.waiting === 0)
    const ids = new Map<string, Set<unknown>>()
    for (const { body, headers } of got) {
      const { ticket } = (JSON.parse(body) as { data: { ticket: string } }).data
      ids.set(ticket, (ids.get(ticket) ?? new Set()).add(headers['webhook-id']))
    }
    for (let i = 0; i <= last; i++) assert.ok(ids.has(`tk_${i}x`), `event ${i} of ${last}`)
    // Twice at most, and under the same number, is that which was under way when it died.
    assert.ok([...ids.values()].every(({ size }) => size === 1))
    assert.ok(got.length <= ids.size + 2, `${got.length} messages of ${ids.size} events`)
  })
}

test('while the file cannot be written no hold fails; afterwards it is told', async (t) => {
  const file = stateFile(t)
  const { came, got, url } = await site(t)
  const at = desk(t, [hook(url)], { file })
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  await at.notices.tell({ kind: 'created', ticket: ticketOf({ id: 'tk_1x' }) })
  assert.deepEqual(at.told, ['failed notices state_file'])
  const began = performance.now()
  for (let i = 0; i < 2_000; i++) {
    await at.notices.tell({ kind: 'created', ticket: ticketOf({ id: `tk_${i}y` }) })
  }
  assert.ok(performance.now() - began < 5_000, 'a flood does not wait for the file each time')
  assert.equal(got.length, 0)
  other.exec('ROLLBACK')
  await came(1)
  await at.until(() => at.told.length === 2 && at.notices.figures()[0]?.waiting === 0)
  assert.deepEqual(at.told, ['failed notices state_file', 'restored notices'])
  assert.equal(at.notices.figures()[0]?.sent, 500)
})

test('a queue that is damaged is not passed over', (t) => {
  const file = stateFile(t)
  const made = new DatabaseSync(file)
  made.exec(`CREATE TABLE notice (id TEXT PRIMARY KEY, receiver TEXT NOT NULL, summary TEXT NOT NULL,
    tries INTEGER NOT NULL, next_ms INTEGER NOT NULL) STRICT;
    INSERT INTO notice VALUES ('no_1', 'ops', '{"kind":"else"}', 0, 0)`)
  made.close()
  assert.throws(() => desk(t, [], { file }), { name: 'Fault', code: 'identity_down' })
})
