import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startEverything, startShop } from '../../src/cli/demo-servers.ts'
import { firstJson, missingServer } from './servers.ts'

const skip = missingServer('everything') ?? missingServer('shop') ?? false

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Resolves when the process is gone; the test's own limit ends the wait. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((done) => setTimeout(done, 20))
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: 1000 })
    const end = (yes: boolean) => () => {
      socket.destroy()
      done(yes)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
}

test('a folder that is not there is a fault, and nothing is left running', { skip }, async () => {
  await assert.rejects(async () => startShop('/nowhere/at/all'))
})

test('a server is gone when its close resolves', { skip }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-servers-'))
  try {
    const shop = await startShop(dir)
    assert.ok(existsSync(join(dir, 'shop.db')))
    assert.ok(isAlive(shop.pid))
    await shop.close()
    assert.equal(isAlive(shop.pid), false)
    await shop.close() // Twice is harmless.
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('server-everything listens on loopback alone, whatever it asks for', { skip }, async () => {
  const server = await startEverything()
  try {
    const port = Number(new URL(server.url).port)
    assert.equal(await accepts('127.0.0.1', port), true)
    const others = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
    for (const { address } of others) assert.equal(await accepts(address, port), false)
    assert.equal(await accepts('127.0.0.2', port), false)
  } finally {
    await server.close()
  }
})

test('a parent killed by SIGKILL takes its servers along', { skip, timeout: 30_000 }, async () => {
  const from = JSON.stringify(new URL('../../src/cli/demo-servers.ts', import.meta.url).href)
  const program = `
    const { startEverything } = await import(${from})
    const { pid } = await startEverything()
    console.log(JSON.stringify({ pid: String(pid) }))
    setInterval(() => {}, 1000)`
  const args = ['--no-warnings', '--input-type=module', '-e', program]
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(await firstJson(parent, 'pid', 20_000))
  assert.ok(isAlive(pid))
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  await gone(pid)
})
