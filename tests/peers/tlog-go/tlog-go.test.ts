/** A tree of ours, judged by the Go project's code for the same formats. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { formatCheckpoint } from '../../../src/tlog/checkpoint.ts'
import { cosigner } from '../../../src/tlog/cosignature.ts'
import { leafHash } from '../../../src/tlog/merkle.ts'
import { noteSigner, signNote, vkeyOf } from '../../../src/tlog/note.ts'
import { encodeBundle, TileBuilder, tilePath } from '../../../src/tlog/tiles.ts'
import type { Tile } from '../../../src/tlog/tiles.ts'

const library = '/usr/share/gocode' // Where Debian keeps the sources of Go packages.
const hasGo = spawnSync('go', ['version']).status === 0
const hasLibrary = existsSync(`${library}/src/golang.org/x/mod/sumdb/tlog/tile.go`)
const skip =
  hasGo && hasLibrary ? false : 'no Go peer: apt-get install golang golang-golang-x-mod-dev'

const origin = 'audit.example.com/peer'
const { privateKey } = generateKeyPairSync('ed25519')
const vkey = vkeyOf(origin, privateKey)
const folder = mkdtempSync(join(tmpdir(), 'tlog-go-'))
const program = join(folder, 'tlog-go')

before(() => {
  if (skip) return
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GOPATH: library,
    GOCACHE: join(folder, 'cache'),
    GO111MODULE: 'off', // The sources come from GOPATH, nothing from the network.
    GOPROXY: 'off',
    GOFLAGS: '',
  }
  execFileSync('go', ['build', '-o', program, '.'], { cwd: import.meta.dirname, env })
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** Entries of many lengths, empty ones and the longest among them. */
function entryOf(i: number): Buffer {
  const length = i === 700 ? 65_535 : (i * 37) % 200
  return Buffer.alloc(length, `entry ${i} `)
}
function put(log: string, tile: Tile, bytes: Uint8Array): void {
  const path = join(log, tilePath(tile))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}
/** A log as it lies on disk, grown in uneven steps by a builder that restarts. */
async function writeLog(size: number): Promise<string> {
  const log = join(folder, `log-${size}`)
  let builder = new TileBuilder()
  for (let at = 0; at < size; at = builder.size) {
    const to = Math.min(size, at + 611)
    const entries = Array.from({ length: to - at }, (_, i) => entryOf(at + i))
    builder.append(Buffer.concat(entries.map(leafHash)))
    for (const { bytes, tile } of builder.take()) {
      put(log, tile, bytes)
      if (tile.level !== 0) continue
      const inside = Array.from({ length: tile.width }, (_, i) => entryOf(tile.index * 256 + i))
      put(log, { ...tile, level: 'entries' }, encodeBundle(inside))
    }
    builder = await TileBuilder.from(to, async (tile) => readFileSync(join(log, tilePath(tile))))
  }
  const text = formatCheckpoint({ origin, size, root: builder.frontier().root() })
  const signers = [noteSigner(origin, privateKey), cosigner('w.example', privateKey, () => 1)]
  writeFileSync(join(log, 'checkpoint'), signNote(text, signers))
  return log
}
function judge(
  log: string,
  { key = vkey, step = 1 } = {},
): { counts?: Record<string, number>; refusal?: string } {
  const args = [log, key, String(step)]
  const { status, stderr, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? { counts: JSON.parse(stdout) } : { refusal: stderr }
}

// Go's code reads and hashes all tiles on the way anew for each proof: of the large tree, which has
// a third level of tiles, only some entries are tried.
const trees = [
  { size: 1, step: 1, included: 1, consistent: 2 },
  { size: 256, step: 1, included: 256, consistent: 8 },
  { size: 257, step: 1, included: 257, consistent: 9 },
  { size: 3000, step: 1, included: 3000, consistent: 10 },
  { size: 70_000, step: 100, included: 701, consistent: 10 },
]
for (const { consistent, included, size, step } of trees) {
  test(
    `Go proves ${included} entries of a tree of ${size}, and older sizes`,
    { skip },
    async () => {
      const { counts, refusal } = judge(await writeLog(size), { step })
      assert.equal(refusal, undefined)
      const { tilesRead, ...rest } = counts ?? {}
      assert.deepEqual(rest, { size, signatures: 1, included, consistent })
      assert.ok(tilesRead)
    },
  )
}
test('Go refuses a tree in which a byte was changed, whichever file has it', { skip }, async () => {
  const log = await writeLog(1300)
  assert.equal(judge(log).refusal, undefined)
  const files = [
    'tile/0/003',
    'tile/0/005.p/20',
    'tile/1/000.p/5',
    'tile/entries/002',
    'checkpoint',
  ]
  for (const path of files) {
    const file = join(log, path)
    const bytes = readFileSync(file)
    writeFileSync(
      file,
      bytes.map((byte, i) => (i === 30 ? byte ^ 1 : byte)),
    )
    assert.match(judge(log).refusal ?? 'accepted', /^tlog-go: /, path)
    writeFileSync(file, bytes)
  }
  const stranger = vkeyOf(origin, generateKeyPairSync('ed25519').privateKey)
  assert.match(judge(log, { key: stranger }).refusal ?? 'accepted', /no verifiable signatures/)
})
