import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { pciDetection } from '../mask/detection.ts'
import { createMasker } from '../mask/masker.ts'
import { share } from '../record/entry.ts'
import { openRecord } from '../record/record.ts'
import { parseQuery } from './parse.ts'
import { startIndexThreads } from './threads.ts'
import type { TestContext } from 'node:test'
import type { Item } from '../record/entry.ts'
import type { Recorder } from '../record/record.ts'
import type { KeyWrapper } from '../secrets/wrapping.ts'
import type { IndexThreads } from './threads.ts'

const masker = createMasker({ sealKey: new Uint8Array(32) })
const plan = { reveal: 'none', detect: pciDetection, rule: 'test' } as const
const method = masker.word('tools/call')
const target = { kind: 'tool', name: masker.word('execute_sql') } as const

function body(value: unknown): NonNullable<Item['body']> {
  return masker.text(Buffer.from(JSON.stringify(value)), plan).kept
}

/** Wraps by doing nothing, while it is there. */
class OpenWrapper implements KeyWrapper {
  readonly kind = 'file'
  isThere = true
  unwrapped = 0
  async current(): Promise<string> {
    return 'file/1/test'
  }
  async wrap(key: Uint8Array): ReturnType<KeyWrapper['wrap']> {
    const wrapped = Buffer.from(key).toString('base64')
    return { kind: 'file', by: await this.current(), wrapped }
  }
  async unwrap({ wrapped }: Parameters<KeyWrapper['unwrap']>[0]): Promise<Uint8Array> {
    if (!this.isThere) throw new Error('away')
    this.unwrapped++
    return Buffer.from(wrapped, 'base64')
  }
  async rewrap(wrapped: Parameters<KeyWrapper['rewrap']>[0]): ReturnType<KeyWrapper['rewrap']> {
    return await Promise.resolve(wrapped)
  }
}

interface House {
  readonly dir: string
  readonly recorder: Recorder
  readonly wrapper: OpenWrapper
  readonly start: () => IndexThreads
  readonly call: (exchange: string, sql: string) => Promise<void>
}

async function houseOf(t: TestContext): Promise<House> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-threads-'))
  const wrapper = new OpenWrapper()
  const keysDir = join(dir, 'keys', 'months')
  let durable = 0
  const { recorder } = await openRecord({
    dir: join(dir, 'record'),
    writer: 'w1',
    disk: realDisk,
    clock: systemClock(),
    freeBytesMin: 0,
    segmentBytesMax: 1_000_000,
    bodyKeys: { dir: join(keysDir, 'w1'), wrapper },
    onDurable: (index) => (durable = index),
  })
  const threads: IndexThreads[] = []
  t.after(async () => {
    for (const each of threads) await each.stop()
    await recorder.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const start = (): IndexThreads => {
    const started = startIndexThreads({
      indexDir: join(dir, 'index'),
      recordDir: join(dir, 'record'),
      keys: { dir: keysDir, wrapper },
      indexOutputs: true,
      durable: () => ({ w1: durable }),
    })
    threads.push(started)
    return started
  }
  const call = async (exchange: string, sql: string): Promise<void> => {
    const shared = share({ exchange, session: 'se_a', connection: 'shop' })
    const asked = body({ method: 'tools/call', params: { arguments: { sql } } })
    await recorder.append('d', shared, [
      {
        entry: {
          type: 'call.received',
          era: 'modern',
          version: '2026-07-28',
          rpcKind: 'request',
          method,
          target,
          bytes: 10,
          decision: 'allow',
          rule: 'test',
        },
        body: asked,
      },
      { entry: { type: 'call.dispatched', host: 'h', attempt: 1 } },
    ])
    const told = body({ result: { content: [{ type: 'text', text: `told ${exchange}` }] } })
    await recorder.append('d', shared, [
      { entry: { type: 'response.event', seq: 1, rpcKind: 'response', bytes: 4 }, body: told },
      {
        entry: {
          type: 'call.finished',
          outcome: 'ok',
          httpStatus: 200,
          durationUs: 5,
          bytesIn: 1,
          bytesOut: 2,
          messages: 1,
        },
      },
    ])
  }
  return { dir, recorder, wrapper, start, call }
}

const exchanges = async (index: IndexThreads, text: string): Promise<unknown[]> => {
  const { items } = await index.search(parseQuery(text, systemClock().nowUs()))
  return items.map(({ exchange }) => exchange)
}

test('what is recorded is found by its encrypted text, and the lag comes down to nothing', async (t) => {
  const house = await houseOf(t)
  await house.call('ex_a', 'SELECT name FROM customers')
  const index = house.start()
  await index.catchUp()
  assert.equal(index.figures().lag, 0)
  await house.call('ex_b', 'DELETE FROM orders')
  assert.ok(index.figures().lag > 0, 'what just came is not in yet')
  await index.catchUp()
  const found = await index.search(parseQuery('', 0))
  assert.deepEqual([found.total, found.lag, found.days?.length], [2, 0, 1])
  assert.deepEqual(await exchanges(index, '"from customers"'), ['ex_a'])
  assert.deepEqual(await exchanges(index, 'table:orders outcome:ok'), ['ex_b'])
  assert.deepEqual(await exchanges(index, 'told'), ['ex_b', 'ex_a'])
  assert.deepEqual(await index.names('tool', 'exec', 5), ['execute_sql'])
  assert.ok(house.wrapper.unwrapped > 0)
})

test('an index that was stopped goes on where it stood', async (t) => {
  const house = await houseOf(t)
  await house.call('ex_a', 'SELECT 1')
  const first = house.start()
  await first.catchUp()
  await first.stop()
  await assert.rejects(first.search({ kind: 'all' }), { code: 'busy' })
  await house.call('ex_b', 'SELECT 2')
  const second = house.start()
  await second.catchUp()
  assert.deepEqual(await exchanges(second, 'select'), ['ex_b', 'ex_a'])
  assert.equal(second.figures().entries, 4, 'only what was new was read')
})

test('without the key the index waits rather than miss a text, and then goes on', async (t) => {
  const house = await houseOf(t)
  await house.call('ex_a', 'SELECT 1')
  house.wrapper.isThere = false
  const index = house.start()
  await index.catchUp()
  const { fault, lag } = index.figures()
  assert.deepEqual([fault?.code, fault?.facts['reason']], ['secret_missing', 'index_locked'])
  assert.ok(lag >= 4)
  house.wrapper.isThere = true
  await index.catchUp()
  assert.equal(index.figures().fault, undefined)
  assert.deepEqual(await exchanges(index, 'select'), ['ex_a'])
})

test('a rebuild, a shredded month and a removed month leave what they should', async (t) => {
  const house = await houseOf(t)
  await house.call('ex_a', 'SELECT 1')
  const index = house.start()
  await index.catchUp()
  await index.rebuild()
  assert.deepEqual(await exchanges(index, 'select'), ['ex_a'])
  const month = new Date().toISOString().slice(0, 7)
  await index.forgetText(month)
  assert.deepEqual(await exchanges(index, 'select'), [])
  assert.deepEqual(await exchanges(index, 'exchange:ex_a'), ['ex_a'])
  await index.removeMonth(month)
  assert.deepEqual(await exchanges(index, ''), [])
})

test('damage found by a search is mended by the thread that writes', async (t) => {
  const house = await houseOf(t)
  await house.call('ex_a', 'SELECT 1')
  const first = house.start()
  await first.catchUp()
  await first.stop()
  const path = join(house.dir, 'index', `${new Date().toISOString().slice(0, 7)}.sqlite`)
  const bytes = readFileSync(path)
  writeFileSync(path, Buffer.concat([bytes.subarray(0, 8192), randomBytes(bytes.length - 8192)]))
  const index = house.start()
  const until = Date.now() + 10_000
  for (;;) {
    const found = await exchanges(index, 'select').catch(() => [])
    if (found.length === 1) break
    assert.ok(Date.now() < until, 'it was not mended')
    await index.catchUp()
  }
})
