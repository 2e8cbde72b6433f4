import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { openDirectory } from './directory-store.ts'
import { openRevocations } from './revocation-store.ts'

const clock = systemClock()
const fixture = join(import.meta.dirname, 'crash.fixture.ts')

for (const lines of [1, 7, 40]) {
  test(`a process killed after ${lines} stops and more has lost none it told of`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-crash-'))
    t.after(() => rmSync(dir, { recursive: true }))
    const file = join(dir, 'state.sqlite')
    const child = spawn(process.execPath, [fixture, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    let last = -1
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line)
      // It goes on meanwhile: where it is when it dies is up to chance.
      if (last === lines) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
    assert.ok(last >= lines)
    const revocations = openRevocations(file, { clock })
    const directory = openDirectory(file, { clock })
    t.after(() => {
      revocations.close()
      directory.close()
    })
    for (let i = 0; i <= last; i++) {
      const who = { issuer: 'https://issuer.example', subject: `s${i}` }
      const isStopped = revocations.find(who, undefined, Date.now()) !== undefined
      assert.equal(isStopped, i % 3 !== 0, `stop ${i} of ${last}`)
      assert.ok(directory.find(who.issuer, who.subject), `principal ${i} of ${last}`)
    }
    // At most the one under way when it died is there besides.
    assert.ok(directory.list().length <= last + 2)
  })
}
