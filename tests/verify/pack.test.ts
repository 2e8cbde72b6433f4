/** What a pack must prove by itself: intact, with any byte changed, and forged so that it fits together. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { realDisk } from '../../src/base/disk.ts'
import { share } from '../../src/record/entry.ts'
import { replay } from '../../src/replay/replay.ts'
import { checkpointKeys, vkeysOf } from '../../src/record/tree-keys.ts'
import { cosigner } from '../../src/tlog/cosignature.ts'
import { signatureLines, signNote, splitNote, vkeyOf } from '../../src/tlog/note.ts'
import { makePack } from '../../src/verify/pack-make.ts'
import {
  formatManifest,
  parseManifest,
  parseProofLine,
  formatProofLine,
} from '../../src/verify/pack-format.ts'
import { packReader } from '../../src/verify/pack-folder.ts'
import { reportPack } from '../../src/verify/pack-verify.ts'
import { append, call, live, newLog, origin } from './make-log.ts'
import type { Recorder } from '../../src/record/record.ts'
import type { SigningKeys } from '../../src/record/tree-keys.ts'
import type { Shows } from '../../src/verify/pack-make.ts'
import type { PackReport } from '../../src/verify/pack-verify.ts'
import type { MadeLog } from './make-log.ts'

/** A session of so many calls from its beginning to its end. */
async function session(
  recorder: Recorder,
  log: MadeLog,
  name: string,
  calls: number,
): Promise<void> {
  for (let i = 0; i < calls; i++) {
    const text = `SELECT ${i} FROM ${name} -- ${randomBytes(20 + 10 * i).toString('hex')}`
    await call(recorder, log.clock, {
      session: name,
      exchange: `${name}_${i}`,
      text,
      isFirst: i === 0,
    })
  }
  const entry = { type: 'session.closed', durationUs: 4000, reason: 'test', calls } as const
  await recorder.append('', share({ session: name }), [{ entry }])
}

async function madeLog(): Promise<MadeLog> {
  const log = await newLog()
  await live(log, async (recorder, sign) => {
    await session(recorder, log, 'se_before', 3)
    await sign()
    await session(recorder, log, 'se_a', 4)
    await session(recorder, log, 'se_between', 2)
    await session(recorder, log, 'se_b', 3)
  })
  return log
}

const log = await madeLog()
const [vkey = ''] = log.vkeys

async function pack(of: MadeLog, shows: Shows, keys: SigningKeys = of.keys): Promise<string> {
  const out = join(mkdtempSync(join(tmpdir(), 'sallyport-pack-')), 'pack')
  const { bodyKeys, dir, writer } = of
  await makePack({
    place: { disk: realDisk, dir, writer, bodyKeys },
    out,
    shows,
    asked: 'ticket 4711',
    signers: checkpointKeys(origin, keys).signers,
    vkeys: vkeysOf(origin, keys),
    version: '1.2.3',
    now: new Date('2026-11-21T00:00:00.000Z'),
    replay,
  })
  return out
}

const good = await pack(log, new Set(['se_a', 'se_b']))

const verify = (folder: string, keys: readonly string[] = [vkey]): Promise<PackReport> =>
  reportPack(packReader(folder), { keys, witnesses: [] })

const words = ({ findings }: PackReport): string =>
  findings
    .list()
    .map((each) => `${each.weight} ${each.place}: ${each.words}`)
    .join('\n')

function copyOf(folder: string = good): string {
  const to = join(mkdtempSync(join(tmpdir(), 'sallyport-pack-')), 'copy')
  cpSync(folder, to, { recursive: true })
  return to
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))

/** Signs whatever lies in the folder, as a gateway with this key would. */
function sign(
  folder: string,
  keys: SigningKeys,
  change: (text: string) => string = (text) => text,
): void {
  const { text } = splitNote(readFileSync(join(folder, 'manifest')))
  const files = filesIn(folder)
    .filter((path) => path !== 'manifest')
    .toSorted()
    .map((path) => {
      const bytes = readFileSync(join(folder, path))
      return { path, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    })
  const manifest = change(formatManifest({ ...parseManifest(text), files }))
  writeFileSync(join(folder, 'manifest'), signNote(manifest, checkpointKeys(origin, keys).signers))
}

function edit(folder: string, path: string, change: (text: string) => string): void {
  const file = join(folder, path)
  const before = readFileSync(file, 'latin1')
  const after = change(before)
  assert.notEqual(after, before)
  writeFileSync(file, after, 'latin1')
}

/** In the order of the file. */
const linesIn = (folder: string, path: string): string[] =>
  readFileSync(join(folder, path), 'utf8').split('\n').slice(0, -1)

const ownNodes = [process.execPath, '/usr/bin/node', '/usr/local/bin/node'].filter((path) =>
  existsSync(path),
)

for (const node of new Set(ownNodes)) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  test(`an intact pack is proven by its own verifier with nothing but Node ${version}`, () => {
    const { status, stderr, stdout } = run(copyOf(), ['--key', vkey], node)
    assert.equal(stderr, '')
    assert.match(stdout, /^PROVEN/)
    assert.equal(status, 0)
  })
}

function run(
  folder: string,
  args: string[],
  node = process.execPath,
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(node, [join(folder, 'verify.mjs'), ...args], {
    encoding: 'utf8',
    cwd: tmpdir(),
    env: {},
  })
}

test('an intact pack is proven, and says what it holds', async () => {
  const report = await verify(good)
  assert.equal(words(report), '')
  assert.equal(report.findings.exitCode, 0)
  assert.deepEqual(report.seen?.counts, {
    entries: 32,
    sessions: 2,
    calls: 7,
    bodies: 14,
    keys: 14,
  })
  assert.equal(report.manifest?.asked, 'ticket 4711')
  const text = readFileSync(join(good, 'replay.txt'), 'utf8')
  assert.match(text, /SELECT 0 FROM se_a/)
  assert.match(text, /SELECT 2 FROM se_b/)
  assert.doesNotMatch(text, /se_between/)
})

test('without a key everything is checked and nothing proven', async () => {
  const report = await verify(good, [])
  assert.equal(report.findings.exitCode, 2)
  assert.match(words(report), /unsure keys: You gave no key/)
  const { status, stdout } = run(good, [])
  assert.equal(status, 2)
  assert.match(stdout, /^CANNOT TELL/)
})

test('the key in the pack is shown and refused as the verifier’s own', () => {
  const folder = copyOf()
  const { status, stderr } = run(folder, ['--key', join(folder, 'log.vkey')])
  assert.equal(status, 2)
  assert.match(stderr, /lies in the pack itself/)
  assert.ok(run(folder, ['--key', vkey]).stdout.includes(vkey))
})

test('a key may stand in a file elsewhere', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sallyport-key-')), 'log.vkey')
  writeFileSync(file, `${vkey}\n`)
  assert.equal(run(good, ['--key', file]).status, 0)
})

for (const args of [
  ['--nothing'],
  ['--key'],
  ['--key', 'no such file'],
  ['--key', 'a+00000000+AAAA'],
  ['extra'],
]) {
  test(`asked with ${args.join(' ')} it cannot tell`, () => {
    assert.equal(run(good, args).status, 2)
  })
}

const digits: readonly [path: string, from: RegExp, to: string, said: RegExp][] = [
  [
    'entries.jsonl',
    /"durationUs":1000/,
    '"durationUs":1001',
    /entry \d+: does not stand in the signed log/,
  ],
  ['replay.html', /SELECT 1/, 'SELECT 9', /replay.html: The file is not the one/],
  ['replay.txt', /SELECT 1/, 'SELECT 9', /replay.txt: The file is not the one/],
  ['proofs.jsonl', /"index":(\d)/, '"index":9', /proofs.jsonl: The file is not the one/],
  ['log.vkey', /\+[0-9a-f]/, '+z', /log.vkey: The file is not the one/],
  ['README.txt', /calls: 7/, 'calls: 6', /README.txt: The file is not the one/],
  ['manifest', /calls 7/, 'calls 6', /manifest: The signature of key/],
  ['checkpoint', /\n\d/, '\n9', /checkpoint: The signature of key/],
]
for (const [path, from, to, said] of digits) {
  test(`a digit altered in ${path} disproves the pack, in words`, async () => {
    const folder = copyOf()
    edit(folder, path, (text) => text.replace(from, to))
    const report = await verify(folder)
    assert.equal(report.findings.exitCode, 1)
    assert.match(words(report), said)
    const own = run(folder, ['--key', vkey])
    assert.equal(own.status, 1)
    assert.match(own.stdout + own.stderr, /^DISPROVEN/)
  })
}

test('a body with one byte altered is named by its entry', async () => {
  const folder = copyOf()
  const bytes = readFileSync(join(folder, 'bodies.bin'))
  bytes.writeUInt8(bytes.readUInt8(70) ^ 1, 70)
  writeFileSync(join(folder, 'bodies.bin'), bytes)
  assert.match(
    words(await verify(folder)),
    /entry \d+: names another body than the one in bodies.bin/,
  )
})

/** Changes that leave everything else fitting: signed anew where the key is at hand. */
const stranger: SigningKeys = { current: generateKeyPairSync('ed25519').privateKey }
const other = await madeLog()
const otherPack = await pack(other, new Set(['se_a', 'se_b']))
const forgeries: readonly [what: string, forge: (folder: string) => void, said: RegExp][] = [
  [
    'signed anew by a stranger, with the stranger’s key in it',
    (folder) => {
      writeFileSync(join(folder, 'log.vkey'), `${vkeysOf(origin, stranger)[0]}\n`)
      sign(folder, stranger)
    },
    /manifest: No known key has signed/,
  ],
  [
    'of another log, whole and signed by that one',
    (folder) => {
      rmSync(folder, { recursive: true })
      cpSync(otherPack, folder, { recursive: true })
    },
    /manifest: No known key has signed/,
  ],
  [
    'with the proofs and checkpoint of another log',
    (folder) => {
      for (const name of ['proofs.jsonl', 'checkpoint'])
        cpSync(join(otherPack, name), join(folder, name))
      sign(folder, log.keys)
    },
    /checkpoint: No known key has signed/,
  ],
  [
    'with the proofs alone of another log',
    (folder) => {
      cpSync(join(otherPack, 'proofs.jsonl'), join(folder, 'proofs.jsonl'))
      sign(folder, log.keys)
    },
    /entry \d+: does not stand in the signed log/,
  ],
  [
    'with the bodies of two sessions swapped and the entries edited to fit',
    (folder) => {
      swapBodies(folder)
      sign(folder, log.keys)
    },
    /entry \d+: does not stand in the signed log/,
  ],
  [
    'with two bodies and their entries’ places swapped',
    (folder) => {
      edit(folder, 'entries.jsonl', (text) => {
        const lines = text.split('\n')
        const [first = '', second = ''] = lines.filter((line) => line.includes('"body"'))
        return lines
          .map((line) => (line === first ? second : line === second ? first : line))
          .join('\n')
      })
      sign(folder, log.keys)
    },
    /line \d+ of entries.jsonl: The entry does not come after/,
  ],
  [
    'with a whole call dropped and the counts edited',
    (folder) => {
      drop(folder, (line) => line.includes('"exchange":"se_a_1"'))
      sign(folder, log.keys, (text) =>
        text
          .replace('entries 32', 'entries 28')
          .replace('calls 7', 'calls 6')
          .replace('bodies 14', 'bodies 12')
          .replace('keys 14', 'keys 12'),
      )
    },
    /ends a session of 4 calls, of which 3 are here/,
  ],
  [
    'with an answer dropped and the counts left',
    (folder) => {
      drop(
        folder,
        (line) => line.includes('"exchange":"se_a_1"') && line.includes('response.event'),
      )
      sign(folder, log.keys)
    },
    /It says 32 entries; there are 31/,
  ],
  [
    'with the end of a call dropped and the counts edited',
    (folder) => {
      drop(folder, (line) => line.includes('"exchange":"se_a_1"') && line.includes('call.finished'))
      sign(folder, log.keys, (text) => text.replace('entries 32', 'entries 31'))
    },
    /is a call without an end, though its session ended/,
  ],
  [
    'with the key of one body put to another',
    (folder) => {
      edit(folder, 'keys.jsonl', (text) => {
        const keys = [...text.matchAll(/"key":"([^"]+)"/g)].map(([, key = '']) => key)
        return text
          .replace(keys[0] ?? '', '-')
          .replace(keys[1] ?? '', keys[0] ?? '')
          .replace('-', keys[1] ?? '')
      })
      sign(folder, log.keys)
    },
    /has a body that the key in keys.jsonl does not open/,
  ],
  [
    'with bytes behind the last body',
    (folder) => {
      edit(folder, 'bodies.bin', (text) => `${text}x`)
      sign(folder, log.keys)
    },
    /bodies.bin: Bytes follow/,
  ],
  [
    'with an entry spelt otherwise',
    (folder) => {
      edit(folder, 'entries.jsonl', (text) => text.replace('"v":1', '"v": 1'))
      sign(folder, log.keys)
    },
    /line 1 of entries.jsonl: The entry is not in canonical form/,
  ],
  [
    'whose manifest speaks of another checkpoint',
    (folder) => sign(folder, log.keys, (text) => text.replace(/\ncheckpoint /, '\ncheckpoint 1')),
    /checkpoint: It is not the one that the manifest speaks of/,
  ],
  [
    'with a proof that names another index',
    (folder) => {
      edit(folder, 'proofs.jsonl', (text) => text.replace(/"index":\d+/, '"index":1'))
      sign(folder, log.keys)
    },
    /entry \d+: does not stand in the signed log/,
  ],
  [
    'with a proof more than it has entries',
    (folder) => {
      edit(folder, 'proofs.jsonl', (text) => `${text}${text.split('\n')[0]}\n`)
      sign(folder, log.keys)
    },
    /proofs.jsonl: It has proofs of entries that are not here/,
  ],
  [
    'with a key of an entry that is not here',
    (folder) => {
      edit(
        folder,
        'keys.jsonl',
        (text) => `${text}{"index":9999,"key":"${randomBytes(32).toString('base64')}"}\n`,
      )
      sign(folder, log.keys)
    },
    /keys.jsonl: It has keys of entries that are not here/,
  ],
  [
    'with a key for an entry without a body',
    (folder) => {
      const { index } = JSON.parse(linesIn(folder, 'entries.jsonl')[0] ?? '')
      edit(
        folder,
        'keys.jsonl',
        (text) => `{"index":${index},"key":"${randomBytes(32).toString('base64')}"}\n${text}`,
      )
      sign(folder, log.keys)
    },
    /entry \d+: has a key for a body, and no body/,
  ],
  [
    'with an entry that is there twice',
    (folder) => {
      for (const name of ['entries.jsonl', 'proofs.jsonl']) {
        edit(folder, name, (text) => `${text.split('\n')[0]}\n${text}`)
      }
      sign(folder, log.keys)
    },
    /line 2 of entries.jsonl: The entry does not come after/,
  ],
  [
    'with a file more',
    (folder) => writeFileSync(join(folder, 'verifier', 'more.mjs'), ''),
    /more.mjs: The manifest does not name/,
  ],
  [
    'with a file less',
    (folder) => rmSync(join(folder, 'replay.txt')),
    /replay.txt: The file is missing/,
  ],
  [
    'with a file less, signed',
    (folder) => {
      rmSync(join(folder, 'replay.txt'))
      sign(folder, log.keys)
    },
    /replay.txt: No pack is without/,
  ],
  [
    'with a link in it',
    (folder) => symlinkSync('entries.jsonl', join(folder, 'more')),
    /more: It is neither/,
  ],
  [
    'without a manifest',
    (folder) => rmSync(join(folder, 'manifest')),
    /manifest: The file is missing/,
  ],
]
for (const [what, forge, said] of forgeries) {
  test(`a pack ${what} is not proven`, async () => {
    const folder = copyOf()
    forge(folder)
    const report = await verify(folder)
    assert.match(words(report), said)
    assert.notEqual(report.findings.exitCode, 0)
    assert.notEqual(run(folder, ['--key', vkey]).status, 0)
  })
}

const bent: readonly [what: string, path: string, from: string, to: string, said: RegExp][] = [
  [
    'findings end well',
    'verifier/verify/findings.mjs',
    'return 1',
    'return 0',
    /verifier in this pack was changed/,
  ],
  [
    'command ends well',
    'verifier/verify/pack-command.mjs',
    'process.exit(report',
    'void (report',
    /verifier in this pack was changed/,
  ],
  [
    'first look is left out',
    'verify.mjs',
    '!== digest',
    "=== ''",
    /verify.mjs: The file is not the one/,
  ],
  [
    'end is a good one',
    'verify.mjs',
    'process.exit(await packCommand',
    'process.exit(0 * await packCommand',
    /verify.mjs: The file is not the one/,
  ],
]
for (const [what, path, from, to, said] of bent) {
  test(`a verifier whose ${what} does not say yes`, () => {
    const folder = copyOf()
    edit(folder, path, (text) => text.replace(from, to))
    const { status, stderr, stdout } = run(folder, ['--key', vkey])
    assert.match(stdout + stderr, said)
    assert.equal(status, 1)
  })
}

/** Takes out entries with their proofs, bodies and keys. */
function drop(folder: string, isOut: (line: string) => boolean): void {
  const proofs = linesIn(folder, 'proofs.jsonl')
  const bodies = readFileSync(join(folder, 'bodies.bin'))
  const kept: { lines: string[]; proofs: string[]; bodies: Buffer[]; out: Set<number> } = {
    lines: [],
    proofs: [],
    bodies: [],
    out: new Set(),
  }
  let at = 0
  for (const [i, line] of linesIn(folder, 'entries.jsonl').entries()) {
    const { body, index } = JSON.parse(line)
    const size = body?.size ?? 0
    if (isOut(line)) kept.out.add(index)
    else {
      kept.lines.push(line)
      kept.proofs.push(proofs[i] ?? '')
      kept.bodies.push(bodies.subarray(at, at + size))
    }
    at += size
  }
  assert.ok(kept.out.size > 0)
  const keys = linesIn(folder, 'keys.jsonl').filter((line) => !kept.out.has(JSON.parse(line).index))
  writeFileSync(join(folder, 'entries.jsonl'), kept.lines.map((line) => `${line}\n`).join(''))
  writeFileSync(join(folder, 'proofs.jsonl'), kept.proofs.map((line) => `${line}\n`).join(''))
  writeFileSync(join(folder, 'keys.jsonl'), keys.map((line) => `${line}\n`).join(''))
  writeFileSync(join(folder, 'bodies.bin'), Buffer.concat(kept.bodies))
}

/** The first body of one session stands where that of another stood, with its digest, size and key. */
function swapBodies(folder: string): void {
  const lines = linesIn(folder, 'entries.jsonl').map((line) => JSON.parse(line))
  const bytes = readFileSync(join(folder, 'bodies.bin'))
  let at = 0
  const bodies = new Map<number, Buffer>()
  for (const { body, index } of lines) {
    if (!body) continue
    bodies.set(index, bytes.subarray(at, at + body.size))
    at += body.size
  }
  const withBody = lines.filter(({ body }) => body)
  const a = withBody.find(({ session: name }) => name === 'se_a')
  const b = withBody.find(({ session: name }) => name === 'se_b')
  const [bodyA, bodyB] = [bodies.get(a.index), bodies.get(b.index)]
  assert.ok(bodyA && bodyB)
  bodies.set(a.index, bodyB).set(b.index, bodyA)
  ;[a.body, b.body] = [b.body, a.body]
  const keys = linesIn(folder, 'keys.jsonl').map((line) => JSON.parse(line))
  const keyA = keys.find(({ index }) => index === a.index)
  const keyB = keys.find(({ index }) => index === b.index)
  ;[keyA.key, keyB.key] = [keyB.key, keyA.key]
  writeFileSync(join(folder, 'bodies.bin'), Buffer.concat([...bodies.values()]))
  writeFileSync(
    join(folder, 'entries.jsonl'),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  )
  writeFileSync(
    join(folder, 'keys.jsonl'),
    keys.map((line) => `${JSON.stringify(line)}\n`).join(''),
  )
}

test('an entry of the same log at another place is not taken for it', async () => {
  const folder = copyOf()
  const [first = '', second = ''] = linesIn(folder, 'proofs.jsonl')
  const swapped = formatProofLine({
    ...parseProofLine(Buffer.from(second)),
    index: parseProofLine(Buffer.from(first)).index,
  })
  edit(folder, 'proofs.jsonl', (text) => text.replace(`${first}\n`, swapped))
  sign(folder, log.keys)
  assert.match(words(await verify(folder)), /entry \d+: does not stand in the signed log/)
})

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('a changed byte anywhere in a pack is seen', async (t) => {
  const runs = Number(process.env['SALLYPORT_FLIPS'] ?? 300)
  const next = random(Number(process.env['SALLYPORT_SEED'] ?? 1))
  const folder = copyOf()
  const files = filesIn(folder).filter((path) => readFileSync(join(folder, path)).length > 0)
  const missed: string[] = []
  for (let i = 0; i < runs; i++) {
    // Each file in turn: by their sizes most bytes would fall on a few of them.
    const path = files[i % files.length] ?? ''
    const at = flip(folder, path, next)
    const { findings } = await verify(folder)
    if (findings.exitCode === 0) missed.push(`${path} byte ${at}`)
    writeFileSync(join(folder, path), readFileSync(join(good, path)))
  }
  assert.deepEqual(missed, [])
  t.diagnostic(`${runs} bytes changed over ${files.length} files: all seen`)
})

test('a changed byte in the verifier itself does not make it say yes', async (t) => {
  const runs = Math.ceil(Number(process.env['SALLYPORT_FLIPS'] ?? 300) / 10)
  const next = random(Number(process.env['SALLYPORT_SEED'] ?? 2))
  const folder = copyOf()
  const files = filesIn(folder).filter((path) => path.endsWith('.mjs'))
  const missed: string[] = []
  for (let i = 0; i < runs; i++) {
    const path = i % 2 === 0 ? 'verify.mjs' : (files[i % files.length] ?? '')
    const at = flip(folder, path, next)
    if (run(folder, ['--key', vkey]).status === 0) missed.push(`${path} byte ${at}`)
    writeFileSync(join(folder, path), readFileSync(join(good, path)))
  }
  assert.deepEqual(missed, [])
  t.diagnostic(`${runs} bytes of the verifier changed, and it run: none proven`)
})

function flip(folder: string, path: string, next: () => number): number {
  const bytes = readFileSync(join(folder, path))
  const at = Math.floor(next() * bytes.length)
  bytes.writeUInt8((bytes.readUInt8(at) + 1 + Math.floor(next() * 255)) % 256, at)
  writeFileSync(join(folder, path), bytes)
  return at
}

const rotated: SigningKeys = { ...log.keys, current: generateKeyPairSync('ed25519').privateKey }

test('who has the key from before a rotation can verify a pack signed by the one after it', async () => {
  const own = await newLog()
  const next: SigningKeys = { current: rotated.current }
  const [to = ''] = vkeysOf(origin, next)
  const [from = ''] = own.vkeys
  await live(own, async (recorder, checkpointNow) => {
    await checkpointNow() // Under the old key, and without the entry that follows.
    await append(recorder, { type: 'keys.rotated', from, to, overlapUntilUs: own.clock.us })
  })
  await live(own, async (recorder) => await session(recorder, own, 'se_a', 2), {
    ...next,
    old: own.keys.current,
  })
  await live(own, async (recorder) => await session(recorder, own, 'se_b', 2), next)
  const folder = await pack(own, new Set(['se_a', 'se_b']), next)
  assert.equal(words(await verify(folder, [from])), '')
  assert.equal(words(await verify(folder, [to])), '')
  assert.equal((await verify(folder, [vkey])).findings.exitCode, 1)
  assert.equal(run(folder, ['--key', from]).status, 0)

  // The same hand-over, made up by who has neither key.
  const forged = copyOf(folder)
  const stolen = linesIn(forged, 'handovers.jsonl').map((line) => JSON.parse(line))
  const strange = vkeysOf(origin, stranger)[0] ?? ''
  stolen[0].entry = stolen[0].entry.replace(to, strange)
  writeFileSync(join(forged, 'handovers.jsonl'), `${JSON.stringify(stolen[0])}\n`)
  sign(forged, stranger)
  const report = await verify(forged, [from])
  assert.match(words(report), /handover \d+: It does not stand in the tree/)
  assert.match(words(report), /manifest: No known key/)
})

test('a witness has its time told, and one that signed nothing is missed', async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const witness = cosigner('witness.example', privateKey, () => 1_800_000_000)
  const key = vkeyOf('witness.example', privateKey, 4)
  const unheard = vkeyOf('stranger.example', generateKeyPairSync('ed25519').privateKey, 4)
  const own = await madeLog()
  // An older checkpoint of the log, as a witness has cosigned it.
  const notes = readFileSync(join(own.folder, 'checkpoints.log'), 'utf8')
  const [older = ''] = notes.split(/(?<=\n— [^\n]+\n)\n/)
  const cosigned = older + signatureLines(splitNote(older).text, [witness])
  writeFileSync(join(own.folder, 'cosigned'), cosigned)
  const folder = await pack(own, new Set(['se_a']))
  const report = (at: string, witnesses: string[]): Promise<PackReport> =>
    reportPack(packReader(at), { keys: own.vkeys, witnesses })
  const seen = await report(folder, [key])
  assert.equal(words(seen), '')
  assert.equal(seen.witnessed[0]?.time, 1_800_000_000)
  assert.ok((seen.witnessed[0]?.size ?? 0) > 0)
  assert.match(
    words(await report(folder, [key, unheard])),
    /^unsure checkpoint: 1 of the witnesses/,
  )
  const { stdout } = run(folder, ['--key', own.vkeys[0] ?? '', '--witness', key])
  assert.match(stdout, /witnessed +\d+ entries by witness.example at 2027-01-15T08:00:00.000Z/)

  // The same, of a tree from which the log's own did not go on.
  const forged = copyOf(folder)
  const strange = `"consistency":["${randomBytes(32).toString('base64')}"`
  edit(forged, 'witnessed.jsonl', (text) => text.replace(/"consistency":\["[^"]+"/, strange))
  sign(forged, own.keys)
  assert.match(words(await report(forged, [key])), /wrong witnessed.jsonl: The tree that witnesses/)
})

test('a session that goes on behind the pack is said to', async () => {
  const folder = await pack(log, new Set(['se_a']))
  drop(folder, (line) => line.includes('session.closed'))
  sign(folder, log.keys, (text) => text.replace('entries 18', 'entries 17'))
  assert.match(words(await verify(folder)), /^note entry \d+: begins a session that goes on/)
})

test('a pack of what a query found says that it is not complete', async () => {
  const folder = await pack(log, ({ type }) => type === 'call.received')
  const report = await verify(folder)
  assert.equal(words(report), '')
  assert.equal(report.manifest?.scope, 'chosen')
  assert.match(run(folder, ['--key', vkey]).stdout, /complete +not shown/)
})

test('what stands behind the newest checkpoint is not in a pack', async () => {
  const own = await madeLog()
  const notes = readFileSync(join(own.folder, 'checkpoints.log'), 'utf8')
  const [older = ''] = notes.split(/(?<=\n— [^\n]+\n)\n/)
  writeFileSync(join(own.folder, 'checkpoint'), older)
  const folder = await pack(own, new Set(['se_before', 'se_a']))
  const report = await verify(folder, own.vkeys)
  assert.equal(words(report), '')
  assert.equal(report.seen?.counts.sessions, 1)
  await assert.rejects(pack(own, new Set(['se_a'])), { code: 'session_unknown' })
})

test('no pack is made of entries that are not the signed ones', async () => {
  const own = await madeLog()
  const [tile = ''] = filesIn(join(own.folder, 'tile', '0'))
  flip(join(own.folder, 'tile', '0'), tile, () => 0.5)
  await assert.rejects(
    pack(own, new Set(['se_a'])),
    (error: Error & { facts?: { reason?: string } }) => error.facts?.reason === 'tree_differs',
  )
})

test('bodies whose key is gone stay closed, and it is said', async () => {
  const own = await madeLog()
  const months = own.bodyKeys.dir
  for (const name of readdirSync(months)) if (name.startsWith('2026-11')) rmSync(join(months, name))
  const folder = await pack(own, new Set(['se_a']))
  const report = await verify(folder, own.vkeys)
  assert.equal(report.findings.exitCode, 0)
  assert.match(words(report), /note keys.jsonl: 8 bodies stay closed/)
  assert.doesNotMatch(readFileSync(join(folder, 'replay.txt'), 'utf8'), /SELECT/)
})

test('nothing is written into a folder that is taken, and nothing is left of a pack of nothing', async () => {
  const out = mkdtempSync(join(tmpdir(), 'sallyport-pack-'))
  mkdirSync(join(out, 'here'))
  const order = {
    place: { disk: realDisk, dir: log.dir, writer: log.writer },
    signers: checkpointKeys(origin, log.keys).signers,
    vkeys: log.vkeys,
    asked: '',
    version: '1',
    now: new Date(),
    replay,
  }
  await assert.rejects(makePack({ ...order, out, shows: new Set(['se_a']) }), { code: 'refused' })
  const empty = join(out, 'empty')
  await assert.rejects(makePack({ ...order, out: empty, shows: new Set(['se_none']) }), {
    code: 'session_unknown',
  })
  assert.deepEqual(readdirSync(out), ['here'])
})
