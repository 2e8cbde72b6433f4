/** A log served over HTTP and verified through it: what is shown, what is kept back, what is forged. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync, cpSync, mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { checkpointKeys } from '../../src/record/tree-keys.ts'
import { signNote, splitNote } from '../../src/tlog/note.ts'
import { formatCheckpoint, parseCheckpoint } from '../../src/tlog/checkpoint.ts'
import { decodeBundle, encodeBundle } from '../../src/tlog/tiles.ts'
import { verifyHttp } from '../../src/verify/http.ts'
import { serveLog } from '../../src/verify/serve-log.ts'
import { filledLog, origin } from './make-log.ts'
import type { LogReport } from '../../src/verify/folder.ts'
import type { LogAnswer } from '../../src/verify/serve-log.ts'
import type { AddressInfo } from 'node:net'
import type { MadeLog } from './make-log.ts'

const log = await filledLog(50)
const checkpoint = readFileSync(join(log.folder, 'checkpoint'), 'utf8')
const { size } = parseCheckpoint(splitNote(checkpoint).text)
assert.ok(size > 256)

type Change = (path: string, answer: LogAnswer) => LogAnswer | undefined

/** Serves a log on a port of its own; `change` stands between. @returns its address. */
async function serve(of: MadeLog, change: Change = (_, answer) => answer): Promise<string> {
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const maySeeEntries = request.headers.authorization === 'Bearer right'
    void serveLog(path, { folder: of.folder, disk: realDisk, maySeeEntries }).then((answer) => {
      const shown = change(path, answer)
      if (!shown) return response.destroy()
      return response.writeHead(shown.status, shown.headers).end(shown.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`
}

interface More {
  readonly token?: string
  readonly older?: readonly string[]
  readonly keys?: readonly string[]
}

const verify = (url: string, more: More = { token: 'right' }): Promise<LogReport> =>
  verifyHttp({ url, keys: log.vkeys, witnesses: [], older: [], ...more })

const words = ({ findings }: LogReport): string =>
  findings
    .list()
    .map((each) => `${each.weight} ${each.place}: ${each.words}`)
    .join('\n')

const url = await serve(log)

/** Each note of `checkpoints.log`. */
const olderNotes = readFileSync(join(log.folder, 'checkpoints.log'), 'utf8')
  .split(/(?<=\n— [^\n]+\n)\n/)
  .filter((note) => note !== '')

test('a log is proven through HTTP, entries and all', async () => {
  const seen: number[] = []
  const report = await verifyHttp({
    url,
    token: 'right',
    keys: log.vkeys,
    witnesses: [],
    older: olderNotes,
    onProgress: (done, total) => seen.push(done, total),
  })
  assert.equal(words(report), '')
  assert.equal(report.findings.exitCode, 0)
  assert.equal(report.signed, size)
  assert.equal(report.totals.calls, 100)
  assert.equal(report.origin, origin)
  assert.deepEqual(seen.slice(-2), [size, size])
})

test('without a token the tree is checked, and the entries are said not to be', async () => {
  const report = await verify(url, { older: olderNotes })
  assert.equal(report.findings.exitCode, 2)
  assert.match(words(report), /^unsure entries: No token was given/)
  assert.equal(report.signed, size)
})

test('a token that lets nothing be seen is told', async () => {
  const report = await verify(url, { token: 'wrong' })
  assert.equal(report.findings.exitCode, 2)
  assert.match(words(report), /unsure entry 0: The token does not let entries be read/)
})

test('without a key nothing is believed', async () => {
  const report = await verify(url, { token: 'right', keys: [] })
  assert.equal(report.findings.exitCode, 2)
  assert.equal(report.signed, 0)
})

function changed(answer: LogAnswer, change: (body: Buffer) => Buffer): LogAnswer {
  return { ...answer, body: change(Buffer.from(answer.body)) }
}

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('a byte changed in any answer is seen', async (t) => {
  const runs = Math.ceil(Number(process.env['SALLYPORT_FLIPS'] ?? 100) / 2)
  const next = random(Number(process.env['SALLYPORT_SEED'] ?? 1))
  const paths: string[] = []
  let target = ''
  const bad = await serve(log, (path, answer) => {
    if (target === '') paths.push(path)
    if (path !== target) return answer
    return changed(answer, (body) => {
      const at = Math.floor(next() * body.length)
      body.writeUInt8((body.readUInt8(at) + 1 + Math.floor(next() * 255)) % 256, at)
      return body
    })
  })
  assert.equal((await verify(bad)).findings.exitCode, 0)
  const missed: string[] = []
  const all = [...new Set(paths)]
  assert.ok(all.length >= 6)
  for (let run = 0; run < runs; run++) {
    target = all[run % all.length] ?? ''
    const report = await verify(bad)
    // A line of a key that nobody named says nothing, whether it was changed or not.
    if (report.findings.exitCode === 0) missed.push(target)
  }
  assert.deepEqual(missed, [])
  t.diagnostic(`${runs} bytes changed over ${all.length} answers: all seen`)
})

const forged = (of: { size: number; root: Buffer }): Buffer =>
  Buffer.from(
    signNote(formatCheckpoint({ origin, ...of }), checkpointKeys(origin, log.keys).signers),
  )

const strange: readonly [what: string, change: Change, said: RegExp, code: number][] = [
  [
    'an entry was changed with its bundle left whole',
    (path, answer) => {
      if (!path.includes('/entries/001')) return answer
      return changed(answer, (body) => {
        const lines = decodeBundle(body, size - 256).map((line) => Buffer.from(line))
        const [first = Buffer.alloc(0), ...rest] = lines
        return encodeBundle([Buffer.from(first.toString().replace(/"v":1/, '"v":2')), ...rest])
      })
    },
    /wrong entry 256: is not the one whose hash is in the tree/,
    1,
  ],
  [
    'the key signed another tree',
    (path, answer) =>
      path === '/log/checkpoint'
        ? changed(answer, () => forged({ size, root: createHash('sha256').digest() }))
        : answer,
    /wrong checkpoint: signs another tree/,
    1,
  ],
  [
    'the log was rolled back',
    (path, answer) =>
      path === '/log/checkpoint' ? changed(answer, () => Buffer.from(olderNotes[1] ?? '')) : answer,
    /wrong checkpoint 1 of yours: signs \d+ entries, the log shows \d+: it was rolled back/,
    1,
  ],
  [
    'entries are held back that nobody removed',
    (path, answer) => (path.includes('entries/000') ? { ...answer, status: 404 } : answer),
    /wrong entry 0: Entries 0 to 255 are not shown/,
    1,
  ],
  [
    'a tile is missing',
    (path, answer) => (path.includes('tile/0/000') ? { ...answer, status: 404 } : answer),
    /unsure tile.*: The server answers 404/,
    2,
  ],
  [
    'a tile is cut',
    (path, answer) =>
      path.includes('tile/0/000') ? changed(answer, (body) => body.subarray(32)) : answer,
    /unsure tile.*: tile\/0\/000 is too short/,
    2,
  ],
  [
    'a tile is too long',
    (path, answer) =>
      path.includes('tile/0/000') ? changed(answer, (body) => Buffer.concat([body, body])) : answer,
    /is longer than 8192 bytes/,
    2,
  ],
  [
    'the server breaks off',
    (path, answer) => (path.includes('tile/0/000') ? undefined : answer),
    /cannot be reached, or broke off/,
    2,
  ],
  [
    'the server leads elsewhere',
    (path, answer) =>
      path.includes('tile/0/000')
        ? { status: 404, headers: { location: '/log/checkpoint' }, body: answer.body }
        : answer,
    /unsure/,
    2,
  ],
  [
    'there is no log',
    (_, answer) => ({ ...answer, status: 404 }),
    /unsure checkpoint: The server answers 404/,
    2,
  ],
]
for (const [what, change, said, code] of strange) {
  test(`it is told when ${what}`, async () => {
    const report = await verify(await serve(log, change), { token: 'right', older: [checkpoint] })
    assert.match(words(report), said)
    assert.equal(report.findings.exitCode, code)
  })
}

test('a redirect is not followed', async () => {
  const other: string[] = []
  const elsewhere = await serve(log, (path, answer) => {
    other.push(path)
    return answer
  })
  const server = createServer((_, response) =>
    response.writeHead(302, { location: `${elsewhere}/checkpoint` }).end(),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  const report = await verify(`http://127.0.0.1:${(server.address() as AddressInfo).port}/log/`)
  assert.equal(report.findings.exitCode, 2)
  assert.deepEqual(other, [])
})

test('another history under the same key is told by an older checkpoint', async () => {
  const old = olderNotes[2] ?? ''
  const small = parseCheckpoint(splitNote(old).text).size
  const fork = forged({ size: small, root: createHash('sha256').digest() }).toString()
  const report = await verify(url, { token: 'right', older: [fork] })
  assert.match(words(report), /wrong checkpoint 1 of yours: signs another history/)
})

for (const address of [
  'http://log.example/log',
  'ftp://127.0.0.1/log',
  'no address',
  'https://me:word@log.example/',
  'file:///tmp',
]) {
  test(`nothing is asked at ${address}`, async () => {
    await assert.rejects(verify(address), { code: 'refused' })
  })
}

const asked = (path: string, maySeeEntries = false, folder = log.folder): Promise<LogAnswer> =>
  serveLog(path, { folder, disk: realDisk, maySeeEntries })

test('tiles and the checkpoint are served to everybody, entries to who may read them', async () => {
  const note = await asked('/log/checkpoint')
  assert.equal(note.body.toString(), checkpoint)
  assert.equal(note.headers['content-type'], 'text/plain; charset=utf-8')
  const tile = await asked('/log/tile/0/000')
  assert.equal(tile.body.length, 8192)
  assert.match(tile.headers['cache-control'] ?? '', /immutable/)
  assert.equal((await asked('/log/tile/entries/000')).status, 403)
  const bundle = await asked('/log/tile/entries/000', true)
  assert.equal(bundle.headers['cache-control'], 'no-store')
  assert.equal(decodeBundle(bundle.body, 256).length, 256)
})

test('a narrower tile is cut from the wider one, and one beyond the signed tree is not there', async () => {
  const width = size - 256
  const wide = await asked(`/log/tile/0/001.p/${width}`)
  const narrow = await asked('/log/tile/0/001.p/3')
  assert.deepEqual(narrow.body, wide.body.subarray(0, 96))
  assert.deepEqual(
    (await asked('/log/tile/0/000.p/255')).body,
    (await asked('/log/tile/0/000')).body.subarray(0, 255 * 32),
  )
  assert.equal((await asked(`/log/tile/0/001.p/${width + 1}`)).status, 404)
  assert.equal((await asked('/log/tile/0/001')).status, 404)
  assert.equal((await asked('/log/tile/0/002.p/1')).status, 404)
  assert.equal((await asked('/log/tile/1/000.p/1')).status, 200)
  assert.equal((await asked('/log/tile/1/000.p/2')).status, 404)
  assert.equal((await asked(`/log/tile/entries/001.p/${width}`, true)).status, 200)
  assert.equal((await asked(`/log/tile/entries/001.p/${width + 1}`, true)).status, 404)
  assert.equal((await asked('/log/tile/63/000', true)).status, 404)
})

const outside = [
  '/',
  '/log',
  '/log/',
  '/log/../lock',
  '/log/tile/../lock',
  '/log/tile/0/..',
  '/log/tile/0/000.p/0',
  '/log/tile/0/000.p/256',
  '/log/tile/0/x000/000',
  '/log/tile/0/000?x',
  '/log/tile/0/%2e%2e',
  '/log/origin',
  '/log/checkpoints.log',
  '/log/tile/00/000',
  '/log//checkpoint',
  '/tile/0/000',
  '/log/log/2026-11/0001.seg',
]
test('no other path leads to anything', async () => {
  for (const path of outside) assert.equal((await asked(path, true)).status, 404, path)
})

test('what is there but not signed yet is not shown', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'sallyport-served-')), 'w1')
  cpSync(log.folder, folder, { recursive: true })
  const signed = olderNotes.find((note) => parseCheckpoint(splitNote(note).text).size > 256) ?? ''
  writeFileSync(join(folder, 'checkpoint'), signed)
  const width = parseCheckpoint(splitNote(signed).text).size - 256
  assert.ok(width < size - 256)
  for (const name of ['0', 'entries']) {
    assert.equal((await asked(`/log/tile/${name}/001.p/${width}`, true, folder)).status, 200)
    assert.equal((await asked(`/log/tile/${name}/001.p/${width + 1}`, true, folder)).status, 404)
  }
})

test('of a folder without a checkpoint nothing is served', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'sallyport-served-'))
  assert.equal((await asked('/log/checkpoint', true, empty)).status, 404)
})

test('entries whose segment was removed are not there, and their tiles are', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'sallyport-served-')), 'w1')
  cpSync(log.folder, folder, { recursive: true })
  rmSync(join(folder, 'log', '2026-11', '0001.seg'))
  assert.equal((await asked('/log/tile/entries/000', true, folder)).status, 404)
  assert.equal((await asked('/log/tile/0/000', true, folder)).status, 200)
  rmSync(join(folder, 'tile', '0', '000'))
  assert.equal((await asked('/log/tile/0/000', true, folder)).status, 404)
  mkdirSync(join(folder, 'tile', '0'), { recursive: true })
  writeFileSync(join(folder, 'tile', '0', '000'), '')
})
