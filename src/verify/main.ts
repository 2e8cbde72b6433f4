/**
 * Becomes `verify.mjs` of a pack. It first compares the verifier's own files with the manifest, by
 * code that it shares with none of them; they compare this one. So a change of either is told by the
 * other, as each of both can end the process by itself.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeSync } from 'node:fs'
import process from 'node:process'

process.exitCode = 2
const here = new URL('./', import.meta.url)
const manifest = readFileSync(new URL('manifest', here), 'latin1')
const line = /^([0-9a-f]{64}) [0-9]+ (verifier[0-9A-Za-z/._-]+)$/gm
for (const [, digest = '', path = ''] of manifest.matchAll(line)) {
  const bytes = readFileSync(new URL(path, here))
  if (createHash('sha256').update(bytes).digest('hex') !== digest) {
    writeSync(2, `DISPROVEN: the verifier in this pack was changed: ${path}\n`)
    process.exit(1)
  }
}
const { packCommand } = await import('./pack-command.ts')
process.exit(await packCommand(process.argv.slice(2), here))
