import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bound, Desk, held } from './desk.fixture.ts'

const fixture = join(import.meta.dirname, 'crash.fixture.ts')

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
}

/** Runs the story until it dies before step `at`. @returns how it ended. */
async function killed(dir: string, story: string, at: number): Promise<NodeJS.Signals | null> {
  return await new Promise((resolve) => {
    const child = execFile(process.execPath, [fixture, dir, story, String(at)], () => {
      resolve(child.signalCode)
    })
  })
}

/** What the next start makes of it, where the caller comes back with the same call. */
async function comesBack(dir: string): Promise<void> {
  const record = linesOf(join(dir, 'record'))
  const ran = linesOf(join(dir, 'server')).length
  const desk = new Desk(join(dir, 'state.sqlite'))
  desk.holds = { ...desk.holds, emergency: {} }
  const { tickets } = desk
  try {
    const before = tickets.list()[0]
    await tickets.tick()
    const found = tickets.find(held())
    const has = (type: string): boolean => record.includes(type) || desk.types().includes(type)
    if (found !== undefined) assert.ok(has('ticket.created'), 'a ticket that is found is recorded')
    if (found?.state === 'approved') {
      assert.ok(has('ticket.decided') && has('ticket.approved'), 'so is what lets it run')
    }
    const isRunning = found !== undefined && tickets.take(found.id, bound()) !== undefined
    assert.ok(ran + (isRunning ? 1 : 0) <= 1, 'it runs once at most')
    if (ran === 1) assert.match(before?.state ?? '', /^(unknown|executed)$/)
    if (before !== undefined && /^(unknown|executed|denied|withdrawn|void)$/.test(before.state)) {
      assert.equal(isRunning, false, 'what has ended does not run')
      assert.ok(has(before.state === 'executed' ? 'ticket.executed' : 'ticket.ended'))
    }
    desk.reopen()
    if (isRunning) assert.equal(desk.tickets.byId(found.id)?.state, 'unknown')
  } finally {
    desk.tickets.close()
  }
}

// The first is killed before each of its steps, the others before every third.
for (const [story, every] of [
  ['run', 1],
  ['emergency', 3],
  ['deny', 3],
  ['withdraw', 3],
] as const) {
  test(`"${story}", killed at its steps, leaves what runs once at most`, async () => {
    const whole = mkdtempSync(join(tmpdir(), 'sallyport-hold-'))
    const dirs = [whole]
    try {
      const steps = Number(execFileSync(process.execPath, [fixture, whole, story, '-1']))
      assert.ok(steps >= 10, `${steps} steps`)
      await comesBack(whole)
      const work = Array.from(
        { length: Math.floor(steps / every) },
        (_, i) => i * every + every - 1,
      )
      const next = async (): Promise<void> => {
        for (let at = work.pop(); at !== undefined; at = work.pop()) {
          const dir = mkdtempSync(join(tmpdir(), 'sallyport-hold-'))
          dirs.push(dir)
          assert.equal(await killed(dir, story, at), 'SIGKILL', `step ${at}`)
          await comesBack(dir)
        }
      }
      await Promise.all([next(), next()])
    } finally {
      for (const dir of dirs) rmSync(dir, { recursive: true })
    }
  })
}
