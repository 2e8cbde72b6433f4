/** The harness itself, on the smallest suite: it must pass a faithful proxy and catch a careless one. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const suite = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance')
const skip = existsSync(suite) ? false : '@modelcontextprotocol/conformance is missing: npm ci'

function harness(...args: string[]): Promise<{ code: number; last: string; all: string }> {
  const entry = join(import.meta.dirname, 'run.ts')
  const narrow = ['--server', 'fixture', '--suite', '0.1.16', ...args]
  return new Promise((done) => {
    execFile(process.execPath, [entry, ...narrow], { timeout: 90_000 }, (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      done({ code, last: stdout.trim().split('\n').at(-1) ?? '', all: stdout })
    })
  })
}

test('a proxy that hides Host and Origin loses a check, which is named', { skip }, async () => {
  const { code, last, all } = await harness('--stand-in', 'forgetful')
  assert.equal(code, 1, all)
  assert.match(last, /FAILED .*fixture 0\.1\.16 40\/0 -> 39\/1; lost 1,/)
  assert.match(all, /again \(2 of 2\), it differed: dns-rebinding-protection/)
  assert.match(all, /LOST dns-rebinding-protection localhost-host-rebinding-rejected/)
})

test('a faithful proxy loses nothing', { skip }, async () => {
  const { code, last, all } = await harness('--stand-in', 'faithful')
  assert.equal(code, 0, all)
  assert.match(last, /PASSED .*fixture 0\.1\.16 40\/0 -> 40\/0; lost 0,/)
})

test('a server, suite or stand-in that there is not is a wrong use', { skip }, async () => {
  for (const args of [
    ['--server', 'x'],
    ['--suite', 'x'],
    ['--stand-in', 'x'],
  ]) {
    assert.equal((await harness(...args)).code, 2)
  }
})
