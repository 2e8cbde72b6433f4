/** A real log in a folder of its own: segments, encrypted bodies, tiles, signed checkpoints. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import { share } from '../../src/record/entry.ts'
import { openRecord } from '../../src/record/record.ts'
import { LogTree } from '../../src/record/tree.ts'
import { checkpointKeys, vkeysOf } from '../../src/record/tree-keys.ts'
import { createWrapper } from '../../src/secrets/wrapper.ts'
import { makeKeyFile } from '../../src/secrets/key-file.ts'
import { hasMlDsa44 } from '../../src/tlog/keys.ts'
import { HandClock, masked } from '../faults/work.ts'
import type { EntryInput, Item } from '../../src/record/entry.ts'
import type { BodyKeys } from '../../src/record/months.ts'
import type { Recorder } from '../../src/record/record.ts'
import type { SigningKeys } from '../../src/record/tree-keys.ts'

export const origin = 'log.example/w1'

export interface MadeLog {
  /** The data folder, and what `verifyFolder` wants of it. */
  readonly dataDir: string
  readonly dir: string
  readonly writer: string
  readonly folder: string
  readonly keys: SigningKeys
  readonly vkeys: readonly string[]
  readonly bodyKeys: BodyKeys
  readonly clock: HandClock
}

/** An empty data folder with its keys. */
export async function newLog(start = '2026-11-20T10:00:00.000Z'): Promise<MadeLog> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-verify-'))
  const dir = join(dataDir, 'record')
  const keys: SigningKeys = {
    current: generateKeyPairSync('ed25519').privateKey,
    postQuantum: hasMlDsa44() ? generateKeyPairSync('ml-dsa-44').privateKey : undefined,
  }
  const file = join(dataDir, 'kek.key')
  await makeKeyFile(file, { disk: realDisk, clock: new HandClock(start) })
  const clock = new HandClock(start)
  const wrapper = createWrapper({ kind: 'file', file }, { env: {}, clock, hide: () => undefined })
  return {
    dataDir,
    dir,
    writer: 'w1',
    folder: join(dir, 'w1'),
    keys,
    vkeys: vkeysOf(origin, keys).slice(0, 1),
    bodyKeys: { dir: join(dataDir, 'months'), wrapper },
    clock,
  }
}

/** One life of a gateway on it: `work` appends, then it stops and signs. */
export async function live(
  log: MadeLog,
  work: (recorder: Recorder, sign: () => Promise<void>) => Promise<void>,
  keys: SigningKeys = log.keys,
): Promise<void> {
  const { bodyKeys, clock, dir, folder, writer } = log
  const { recorder } = await openRecord({
    dir,
    writer,
    disk: realDisk,
    clock,
    freeBytesMin: 1_000_000,
    segmentBytesMax: 20_000,
    origin,
    bodyKeys,
    compressFromBytes: 500,
    layOutBytes: 4096,
  })
  const at = { disk: realDisk, folder, origin, keys: checkpointKeys(origin, keys) }
  const tree = await LogTree.open(at, recorder.figures().durableIndex)
  const sign = async (): Promise<void> => {
    await tree.grow(recorder.figures().durableIndex)
    await tree.publish(false)
  }
  await append(recorder, {
    type: 'gateway.started',
    version: '1',
    configHash: 'x',
    keys: vkeysOf(origin, keys),
  })
  await work(recorder, sign)
  await append(recorder, { type: 'seal', everyMs: 60_000, refused: {} })
  await append(recorder, { type: 'gateway.stopped', reason: 'test' })
  await recorder.close()
  await tree.grow(recorder.figures().durableIndex)
  await tree.sync(await tree.publish(true))
  await tree.close()
}

export function append(recorder: Recorder, entry: EntryInput): Promise<unknown> {
  return recorder.append('', share({}), [{ entry }])
}

/** One call from its beginning to its end, in a session of its own if it is the first. */
export async function call(
  recorder: Recorder,
  clock: HandClock,
  of: { session: string; exchange: string; text: string; isFirst?: boolean; isLast?: boolean },
): Promise<void> {
  const { exchange, session } = of
  const shared = share({
    session,
    exchange,
    connection: 'shop',
    principal: masked({
      issuer: 'https://issuer',
      subject: 'u-1',
      kind: 'person' as const,
      name: 'Ada',
    }),
    source: { ip: '10.0.0.1', port: 4000 },
  })
  const body = (text: string): Item['body'] => masked(Buffer.from(text))
  const put = async (items: Item[]): Promise<void> => {
    clock.us += 1000
    await recorder.append('', shared, items)
  }
  const alone = share({ session })
  if (of.isFirst === true) {
    const entry = { type: 'session.opened', era: 'modern', version: '2026-07-28' } as const
    await recorder.append('', alone, [{ entry }])
  }
  const asked = JSON.stringify({ method: 'tools/call', params: { arguments: { sql: of.text } } })
  await put([
    {
      entry: {
        type: 'call.received',
        era: 'modern',
        version: '2026-07-28',
        rpcKind: 'request',
        method: masked('tools/call'),
        target: { kind: 'tool', name: masked('execute_sql') },
        bytes: asked.length,
        decision: 'allow',
        rule: 'grant 1',
      },
      body: body(asked),
    },
    { entry: { type: 'call.dispatched', host: 'db:1', attempt: 1 } },
  ])
  const told = JSON.stringify({ result: { content: [{ type: 'text', text: of.text.repeat(20) }] } })
  await put([
    {
      entry: { type: 'response.event', seq: 1, rpcKind: 'response', bytes: told.length },
      body: body(told),
    },
  ])
  const end = { outcome: 'ok', httpStatus: 200, durationUs: 1000, bytesIn: 1, bytesOut: 2 } as const
  await put([{ entry: { type: 'call.finished', ...end, messages: 1 } }])
  if (of.isLast === true) {
    const entry = { type: 'session.closed', durationUs: 4000, reason: 'test', calls: 1 } as const
    await recorder.append('', alone, [{ entry }])
  }
}

/** A log of a few lives, calls and segments. */
export async function filledLog(calls = 30): Promise<MadeLog> {
  const log = await newLog()
  for (const life of ['a', 'b']) {
    await live(log, async (recorder, sign) => {
      for (let i = 0; i < calls; i++) {
        const at = { isFirst: i === 0, isLast: i === calls - 1 }
        const text = `SELECT ${i} FROM t -- ${randomBytes(i).toString('hex')}`
        await call(recorder, log.clock, {
          session: `se_${life}`,
          exchange: `ex_${life}${i}`,
          text,
          ...at,
        })
        if (i % 7 === 0) await sign()
      }
    })
    log.clock.us += 3_600_000_000
  }
  return log
}
