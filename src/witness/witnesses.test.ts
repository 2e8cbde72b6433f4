/** The log's side: rounds over a growing log, and witnesses that are slow, hostile or gone. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { realDisk } from '../base/disk.ts'
import { formatCheckpoint } from '../tlog/checkpoint.ts'
import { emptyRoot } from '../tlog/merkle.ts'
import { privateKeyOf } from '../tlog/keys.ts'
import { logVerifier, witnessKey, witnessVector, witnessVerifier } from '../tlog/keys.fixture.ts'
import { cosigner, verifierOf } from '../tlog/cosignature.ts'
import { openNote, parseVkey, signatureLines, signNote, splitNote, vkeyOf } from '../tlog/note.ts'
import { parseRequest, sizeMediaType } from '../tlog/witness.ts'
import { GrownLog, logVkey, origin, StillClock } from './log.fixture.ts'
import { openLiar, openSite, read } from './site.fixture.ts'
import type { Liar } from './site.fixture.ts'
import { Witnesses } from './witnesses.ts'
import type { WitnessAddress } from './peer.ts'
import type { WitnessesOptions } from './witnesses.ts'

interface Side {
  readonly witnesses: Witnesses
  readonly clock: StillClock
  /** `+reason` when one begins, `-reason` when it is over. */
  readonly told: string[]
  readonly details: string[]
  /** A round, a minute after the last one. */
  round(): Promise<void>
}

function sideOf(
  t: TestContext,
  folder: string,
  addresses: readonly WitnessAddress[],
  more: Partial<WitnessesOptions> = {},
): Side {
  const clock = new StillClock(1_800_000_000)
  const told: string[] = []
  const details: string[] = []
  const witnesses = new Witnesses({
    disk: realDisk,
    folder,
    origin,
    witnesses: addresses,
    clock,
    onTrouble: ({ detail, isOver, reason }) => {
      told.push(`${isOver ? '-' : '+'}${reason}`)
      details.push(detail)
    },
    answerMs: 500,
    ...more,
  })
  t.after(() => witnesses.close())
  const round = (): Promise<void> => {
    clock.seconds += 60
    return witnesses.tick()
  }
  return { witnesses, clock, told, details, round }
}

const address = (url: string): WitnessAddress => ({ url, vkey: witnessVector.vkey })
const cosignedIn = (folder: string): string => readFileSync(join(folder, 'cosigned'), 'utf8')
const sizeIn = (note: string): number => Number(note.split('\n')[1])

test('a growing log is cosigned round by round, at most once a minute', async (t) => {
  const site = await openSite(t)
  const log = new GrownLog(t)
  const { clock, told, witnesses } = sideOf(t, log.folder, [address(site.url)])
  await witnesses.tick()
  assert.equal(existsSync(join(log.folder, 'cosigned')), false) // There was no checkpoint yet.
  for (const size of [3, 256, 257, 1000]) {
    await log.grow(size)
    await witnesses.tick()
    const note = cosignedIn(log.folder)
    const { text, verified } = openNote(note, [logVerifier, witnessVerifier])
    assert.deepEqual([text, verified.length], [splitNote(log.note).text, 2])
    clock.seconds += 59
    await log.grow(size + 1)
    await witnesses.tick()
    assert.equal(cosignedIn(log.folder), note)
    clock.seconds += 1
  }
  assert.deepEqual(told, [])
  assert.equal(site.logged.length, 4)
  assert.deepEqual(witnesses.figures(), [
    { witness: witnessVector.name, reason: undefined, size: 1000 },
  ])
})

test('a restart goes on from what was cosigned; without the file the witness names its size', async (t) => {
  const site = await openSite(t)
  const log = new GrownLog(t)
  await log.grow(300)
  await sideOf(t, log.folder, [address(site.url)]).round()
  await log.grow(400)
  await sideOf(t, log.folder, [address(site.url)]).round()
  assert.deepEqual(site.logged, ['cosigned', 'cosigned'])
  rmSync(join(log.folder, 'cosigned'))
  await log.grow(500)
  await sideOf(t, log.folder, [address(site.url)]).round()
  assert.deepEqual(site.logged.slice(2), ['another size', 'cosigned'])
  assert.equal(sizeIn(cosignedIn(log.folder)), 500)
})

test('a forked log and one that was rolled back are disputed, told once, until it is over', async (t) => {
  const site = await openSite(t)
  const good = new GrownLog(t)
  await good.grow(50)
  await sideOf(t, good.folder, [address(site.url)]).round()
  const fork = new GrownLog(t, 'another entry')
  await fork.grow(60)
  const forked = sideOf(t, fork.folder, [address(site.url)])
  for (let i = 0; i < 5; i++) await forked.round()
  assert.deepEqual(forked.told, ['+witness_disputes'])
  assert.equal(existsSync(join(fork.folder, 'cosigned')), false)
  const back = new GrownLog(t)
  await back.grow(40)
  const rolled = sideOf(t, back.folder, [address(site.url)])
  await rolled.round()
  assert.deepEqual(rolled.told, ['+witness_disputes'])
  assert.deepEqual(rolled.details, ['it has seen 50 entries'])
  await back.grow(70)
  await rolled.round()
  assert.deepEqual(rolled.told, ['+witness_disputes', '-witness_disputes'])
  assert.equal(sizeIn(cosignedIn(back.folder)), 70)
})

test('one size with two roots is disputed, as either edition of the protocol says it', async (t) => {
  for (const [status, type] of [
    [409, 'text/plain'],
    [422, 'text/plain'],
  ] as const) {
    const log = new GrownLog(t)
    await log.grow(9)
    const url = await openLiar(t, async (request, response) => {
      const { old } = parseRequest(await read(request))
      if (old === 0) response.writeHead(409, { 'content-type': sizeMediaType }).end('9\n')
      else response.writeHead(status, { 'content-type': type }).end('no\n')
    })
    const side = sideOf(t, log.folder, [address(url)])
    await side.round()
    assert.deepEqual(side.told, ['+witness_disputes'], String(status))
  }
})

const hostile: readonly [what: string, answer: Liar, reason: string, detail: string][] = [
  ['hangs', () => {}, 'witness_down', 'timeout'],
  [
    'hangs in its body',
    (_, response) => response.writeHead(200).write('— '),
    'witness_down',
    'timeout',
  ],
  ['hangs up', (request) => request.socket.destroy(), 'witness_down', 'unreachable'],
  ['never ends', (_, response) => endless(response.writeHead(200)), 'witness_down', 'too_large'],
  [
    'answers a page',
    (_, response) => response.end('<html></html>\n'),
    'witness_down',
    'note_malformed',
  ],
  ['answers nothing', (_, response) => response.end(), 'witness_down', 'note_malformed'],
  [
    'answers bytes',
    (_, response) => response.end(Buffer.alloc(500, 0xff)),
    'witness_down',
    'note_malformed',
  ],
  ['fails', (_, response) => response.writeHead(500).end(), 'witness_down', 'status 500'],
  ['says 400', (_, response) => response.writeHead(400).end(), 'witness_down', 'status 400'],
  [
    'does not know our key',
    (_, response) => response.writeHead(403).end(),
    'witness_refuses',
    'status 403',
  ],
  [
    'does not know us',
    (_, response) => response.writeHead(404).end(),
    'witness_refuses',
    'status 404',
  ],
  [
    'names no size',
    (_, response) => response.writeHead(409).end('20\n'),
    'witness_down',
    'status 409',
  ],
  ['names a bad size', conflict('07\n'), 'witness_down', 'status 409'],
  ['names our own old size', conflict('0\n'), 'witness_down', 'status 409'],
  ['names one size and another', hopping(), 'witness_down', 'another size each time'],
  [
    'signs with another key',
    signing(privateKeyOf('ed25519', Buffer.alloc(32, 9))),
    'witness_down',
    'signature_missing',
  ],
  ['signs another text', (_, response) => response.end(otherText), 'witness_down', 'signature_bad'],
]
const own = cosigner(witnessVector.name, witnessKey, () => 1_800_000_000)
const otherText = signatureLines('other.example\n0\n\n', [own])

function endless(response: { write(bytes: Buffer): boolean; destroyed: boolean }): void {
  response.write(Buffer.alloc(8192, 0x20))
  if (!response.destroyed) setTimeout(endless, 1, response)
}
function conflict(body: string): Liar {
  return (_, response) => response.writeHead(409, { 'content-type': sizeMediaType }).end(body)
}
function hopping(): Liar {
  let size = 3
  return (_, response) => {
    size = size === 3 ? 4 : 3
    response.writeHead(409, { 'content-type': sizeMediaType }).end(`${size}\n`)
  }
}
function signing(key: typeof witnessKey): Liar {
  return async (request, response) => {
    const { text } = splitNote(parseRequest(await read(request)).checkpoint)
    response.end(signatureLines(text, [cosigner(witnessVector.name, key, () => 1)]))
  }
}

for (const [what, answer, reason, detail] of hostile) {
  test(`a witness that ${what} is told as ${reason} and changes nothing`, async (t) => {
    const log = new GrownLog(t)
    await log.grow(20)
    let requests = 0
    const url = await openLiar(t, (request, response) => {
      requests++
      return answer(request, response)
    })
    const side = sideOf(t, log.folder, [address(url)], { answerMs: 150 })
    const began = performance.now()
    await side.round()
    assert.ok(performance.now() - began < 3000)
    assert.ok(requests === 1 || requests === 2, `${requests} requests`)
    assert.deepEqual([side.told, side.details], [[`+${reason}`], [detail]])
    assert.equal(existsSync(join(log.folder, 'cosigned')), false)
  })
}

test('no redirect is followed', async (t) => {
  const log = new GrownLog(t)
  await log.grow(5)
  let others = 0
  const other = await openLiar(t, (_, response) => {
    others++
    response.end()
  })
  const url = await openLiar(t, (_, response) => response.writeHead(307, { location: other }).end())
  const side = sideOf(t, log.folder, [address(url)])
  await side.round()
  assert.deepEqual([side.told, side.details, others], [['+witness_down'], ['status 307'], 0])
})

test('a witness that is down is asked less and less often, and taken back', async (t) => {
  const log = new GrownLog(t)
  await log.grow(5)
  let asked = 0
  let isUp = false
  const url = await openLiar(t, async (request, response) => {
    asked++
    const { checkpoint } = parseRequest(await read(request))
    if (isUp) response.end(signatureLines(splitNote(checkpoint).text, [own]))
    else response.writeHead(503).end()
  })
  const side = sideOf(t, log.folder, [address(url)])
  for (let minute = 0; minute < 64; minute++) await side.round()
  assert.equal(asked, 8) // After 0, 1, 3, 7, 15, 31, 47 and 63 minutes.
  assert.deepEqual(side.told, ['+witness_down'])
  isUp = true
  for (let minute = 0; minute < 17; minute++) await side.round()
  assert.deepEqual(side.told, ['+witness_down', '-witness_down'])
  assert.equal(asked, 10) // Once after a quarter of an hour, and again in the next minute.
  isUp = false
  for (let minute = 0; minute < 4; minute++) await side.round()
  assert.equal(asked, 13) // The pauses begin anew: after 0, 1 and 3 minutes.
})

const second = privateKeyOf('ed25519', Buffer.alloc(32, 5))
const secondVkey = vkeyOf('witness.example/w2', second, 4)

test('lines of two witnesses stand under one note, also while one is away for some minutes', async (t) => {
  const [one, two] = [
    await openSite(t),
    await openSite(t, { key: second, name: 'witness.example/w2' }),
  ]
  const log = new GrownLog(t)
  await log.grow(5)
  const all = [address(one.url), { url: two.url, vkey: secondVkey }]
  const side = sideOf(t, log.folder, all)
  one.clock.seconds = two.clock.seconds = side.clock.seconds
  const names = (): string[] => splitNote(cosignedIn(log.folder)).lines.map(({ name }) => name)
  const both = [origin, witnessVector.name, 'witness.example/w2']
  await side.round()
  assert.deepEqual(names(), both)
  await two.witness.close()
  await log.grow(9)
  for (let minute = 0; minute < 8; minute++) await side.round()
  assert.deepEqual([sizeIn(cosignedIn(log.folder)), names()], [5, both])
  for (let minute = 0; minute < 4; minute++) await side.round()
  assert.deepEqual([sizeIn(cosignedIn(log.folder)), names()], [9, [origin, witnessVector.name]])
  assert.deepEqual(side.told, ['+witness_down'])
  const known = [logVerifier, verifierOf(parseVkey(witnessVector.vkey))]
  assert.equal(openNote(cosignedIn(log.folder), known).verified.length, 2)
})

test('of two that answer at other times the lines come together under the same checkpoint', async (t) => {
  const two = await openSite(t, { key: second, name: 'witness.example/w2' })
  const log = new GrownLog(t)
  await log.grow(5)
  let isUp = false
  const url = await openLiar(t, async (request, response) => {
    if (!isUp) return void response.writeHead(500).end()
    return await signing(witnessKey)(request, response)
  })
  const side = sideOf(t, log.folder, [address(url), { url: two.url, vkey: secondVkey }])
  await side.round()
  isUp = true
  await two.witness.close()
  await side.round()
  const { lines } = splitNote(cosignedIn(log.folder))
  assert.equal(lines.length, 3)
})

test('a note that is newer than the log is never replaced, and one that is none always', async (t) => {
  const site = await openSite(t)
  const log = new GrownLog(t)
  await log.grow(30)
  await sideOf(t, log.folder, [address(site.url)]).round()
  const newer = cosignedIn(log.folder)
  const path = join(log.folder, 'cosigned')
  const back = new GrownLog(t)
  await back.grow(20)
  writeFileSync(join(back.folder, 'cosigned'), newer)
  const other = await openLiar(t, signing(witnessKey))
  const rolled = sideOf(t, back.folder, [address(site.url)])
  await rolled.round()
  assert.deepEqual(rolled.told, ['+witness_disputes'])
  await sideOf(t, back.folder, [address(other)]).round()
  assert.equal(cosignedIn(back.folder), newer)
  const foreign = formatCheckpoint({ origin: 'other.example', size: 99, root: emptyRoot })
  for (const bad of ['', 'no note\n', newer.slice(0, 60), signNote(foreign, [own])]) {
    writeFileSync(path, bad)
    await sideOf(t, log.folder, [address(site.url)]).round()
    assert.equal(sizeIn(cosignedIn(log.folder)), 30)
  }
})

test('a log that grew meanwhile is not taken for one that was rolled back', async (t) => {
  const log = new GrownLog(t)
  await log.grow(5)
  const url = await openLiar(t, async (_, response) => {
    await log.grow(8)
    conflict('8\n')(_, response)
  })
  const side = sideOf(t, log.folder, [address(url)])
  await side.round()
  assert.deepEqual(side.told, ['+witness_down'])
})

test('the checkpoint of another log is shown to nobody', async (t) => {
  const site = await openSite(t)
  const log = new GrownLog(t)
  await log.grow(5)
  const side = sideOf(t, log.folder, [address(site.url)], { origin: 'other.example' })
  await side.round()
  assert.deepEqual([side.told, site.logged], [[], []])
})

test('tiles that do not lead to the checkpoint are no dispute: nothing is asked', async (t) => {
  const site = await openSite(t)
  const log = new GrownLog(t)
  await log.grow(300)
  await sideOf(t, log.folder, [address(site.url)]).round()
  await log.grow(600)
  const tile = join(log.folder, 'tile/0/001')
  const bytes = readFileSync(tile)
  const side = sideOf(t, log.folder, [address(site.url)])
  writeFileSync(tile, Buffer.from(bytes).fill(0, 0, 32))
  await side.round()
  rmSync(tile)
  await side.round()
  assert.deepEqual(side.told, ['+witness_unproven'])
  writeFileSync(tile, bytes)
  await side.round()
  await side.round()
  assert.deepEqual(side.told, ['+witness_unproven', '-witness_unproven'])
  assert.deepEqual(site.logged, ['cosigned', 'cosigned'])
})

test('what the disk refuses is thrown once the round is over, and the next one goes on', async (t) => {
  const site = await openSite(t)
  const log = new GrownLog(t)
  await log.grow(5)
  let isFull = true
  const create: typeof realDisk.create = async (path) => {
    if (isFull) throw new Error('the disk is full')
    return await realDisk.create(path)
  }
  const side = sideOf(t, log.folder, [address(site.url)], { disk: { ...realDisk, create } })
  await assert.rejects(side.round(), /full/)
  isFull = false
  await side.round()
  assert.deepEqual([sizeIn(cosignedIn(log.folder)), side.told], [5, []])
})

test('calls during a round get that round, and closing breaks it off in silence', async (t) => {
  const log = new GrownLog(t)
  await log.grow(5)
  let asked = 0
  const here = Promise.withResolvers<void>()
  const url = await openLiar(t, () => {
    asked++
    here.resolve()
  })
  const side = sideOf(t, log.folder, [address(url)], { answerMs: 60_000 })
  const round = side.round()
  await here.promise
  assert.equal(side.round(), round)
  await side.witnesses.close()
  await round
  await side.round()
  assert.deepEqual([asked, side.told], [1, []])
})

test('addresses and keys that cannot be used are refused', (t) => {
  const good = 'https://witness.example/prefix/'
  const bad: readonly WitnessAddress[][] = [
    [address('http://witness.example')],
    [address('ftp://127.0.0.1')],
    [address('https://user@witness.example')],
    [address('https://witness.example/?a=b')],
    [address('https://witness.example/#a')],
    [address('witness.example')],
    [{ url: good, vkey: 'no key' }],
    [{ url: good, vkey: logVkey }],
    [address(good), address('https://other.example')],
  ]
  for (const addresses of bad) {
    assert.throws(() => sideOf(t, '/nowhere', addresses), { code: 'config_bad' }, addresses[0]?.url)
  }
  for (const url of [good, 'http://127.0.0.1:1', 'http://[::1]:1/a', 'http://localhost']) {
    sideOf(t, '/nowhere', [address(url)])
  }
})
