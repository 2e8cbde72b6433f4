/**
 * A gateway in a process of its own, for tests that kill it.
 * Arguments: configuration file, data folder, and `sync` or `forgetful`: the forgetful disk says a
 * commit is durable while its bytes are still in memory, as a disk does that lies about its cache.
 */
import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { realDisk } from '../../src/base/disk.ts'
import type { Disk, DiskFile } from '../../src/base/disk.ts'
import { startGateway } from '../../src/cli/start.ts'
import { readConfig } from '../../src/config/config.ts'

const forgetMs = 40

function forgetful(file: DiskFile): DiskFile {
  let last: Promise<void> = Promise.resolve()
  return {
    ...file,
    commit(parts, position, done) {
      const kept = parts.map((part) => Buffer.from(part))
      const total = kept.reduce((sum, part) => sum + part.length, 0)
      last = last.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, forgetMs))
        await new Promise((resolve) => file.commit(kept, position, resolve))
      })
      setImmediate(() => done(null, total))
    },
    close: async () => {
      await last
      await file.close()
    },
  }
}

const forgetfulDisk: Disk = {
  ...realDisk,
  create: async (path) => forgetful(await realDisk.create(path)),
  open: async (path, mode) => forgetful(await realDisk.open(path, mode)),
}

const [, , file = '', dataDir = '', mode = 'sync'] = process.argv
const gateway = await startGateway({
  checked: readConfig(readFileSync(file, 'utf8'), file),
  dataDir,
  env: {},
  disk: mode === 'forgetful' ? forgetfulDisk : realDisk,
  log: pino({ level: 'silent' }),
})
const { local, config, recovered } = gateway
const token = await local?.mint({
  subject: 'hammer',
  kind: 'service',
  audience: config.publicUrl,
  ttlSeconds: 3600,
})
// Before the parent knows of us: it may stop us at once.
process.once('SIGTERM', () => void gateway.stop('SIGTERM').then(() => process.exit(0)))
process.send?.({ url: `${gateway.gatewayUrl}/mcp/shop`, token, recovered })
