/** A gateway's hours at random: sessions and calls side by side, and a clock that steps. */
import { Fault } from '../../src/base/fault.ts'
import { share } from '../../src/record/entry.ts'
import { turns } from './stormy.ts'
import { masked } from './work.ts'
import { mock } from 'node:test'
import type { Item, Shared } from '../../src/record/entry.ts'
import type { Recorder } from '../../src/record/record.ts'
import type { Fate, Numbered } from './ledger.ts'
import type { Story } from './lives.ts'

type Making = readonly (readonly [Numbered, Item['body']])[]

const received: Numbered = (bytes) => ({
  type: 'call.received',
  era: 'legacy',
  version: '2025-11-25',
  rpcKind: 'request',
  bytes,
  decision: 'allow',
  rule: 'test',
})
const dispatched: Numbered = (attempt) => ({ type: 'call.dispatched', host: 'local:1', attempt })
const answered: Numbered = (bytes) => ({
  type: 'response.event',
  seq: 1,
  rpcKind: 'response',
  bytes,
})
const denied: Numbered = (status) => ({ type: 'call.denied', reason: 'test', code: 'x', status })
const finished: Numbered = (durationUs) => ({
  type: 'call.finished',
  outcome: 'ok',
  httpStatus: 200,
  durationUs,
  bytesIn: 1,
  bytesOut: 2,
  messages: 1,
})
const opened: Numbered = (version) => ({
  type: 'session.opened',
  era: 'legacy',
  version: `${version}`,
})
const closed: Numbered = (durationUs) => ({
  type: 'session.closed',
  reason: 'test',
  durationUs,
  calls: 1,
})

/**
 * Some callers at once, each with some calls; then the recorder must be latched exactly if something
 * failed. Returns early when the process dies.
 */
export async function busyHours(story: Story, recorder: Recorder): Promise<void> {
  const { dice, isCalm, machine } = story
  const before = machine.failures
  const callers = 1 + dice.below(4)
  const calls = 1 + dice.below(isCalm ? 2 : 5)
  await Promise.all(
    Array.from({ length: callers }, (_, i) => caller(story, recorder, `${story.life}_${i}`, calls)),
  )
  if (!machine.isAlive) return
  const hasFailed = machine.failures > before || story.clockFailed
  const isLatched = recorder.state() === 'latched'
  if (hasFailed !== isLatched) {
    throw new Error(`life ${story.life}: ${machine.failures} failures, and ${recorder.state()}`)
  }
  if (isLatched) await assertRefuses(story, recorder)
}

async function assertRefuses(story: Story, recorder: Recorder): Promise<void> {
  const commits = story.machine.segmentCommits
  const fate = await say(story, recorder, share({}), [[denied, undefined]])
  await turns(2)
  if (fate !== 'away') throw new Error(`a latched record took an entry (${fate})`)
  if (story.machine.segmentCommits > commits) throw new Error('a latched record was written to')
}

/**
 * Appends, and notes what the caller was told. A process that is dead by then told nobody.
 * @throws {Error} when the answer itself breaks a promise.
 */
export async function say(
  story: Story,
  recorder: Recorder,
  shared: Shared,
  making: Making,
): Promise<Fate> {
  const { clock, ledger, machine } = story
  const { append, items } = ledger.issue(shared, making)
  const failures = machine.failures
  const wasShut = recorder.state() === 'latched'
  const wasFull = recorder.state() === 'full'
  story.latestUs = Math.max(story.latestUs, clock.us)
  append.fate = await recorder.append('digest', shared, items).then(
    (durable) => {
      if (!machine.isAlive) return 'failed'
      if (!durable.covers('digest')) throw new Error('a receipt for something else')
      if (wasShut) throw new Error('a latched record took an entry')
      if (wasFull && begins(items) > 0) throw new Error('something new began without room for it')
      if (machine.failures > failures) throw new Error('acknowledged after a failure')
      return 'told'
    },
    (error: unknown) => (machine.isAlive ? refused(story, error, wasShut) : 'failed'),
  )
  if (append.fate === 'told') story.begun += begins(items)
  return append.fate
}

/** How many more calls and sessions are under way by these entries. */
function begins(items: readonly Item[]): number {
  let more = 0
  for (const { entry } of items) {
    if (entry.type === 'call.received' || entry.type === 'session.opened') more++
    if (entry.type === 'call.finished' || entry.type === 'session.closed') more--
  }
  return more
}

/** What a refusal means: only a write that was begun may have left something. */
function refused(story: Story, error: unknown, wasShut: boolean): Fate {
  if (!(error instanceof Fault)) throw error
  if (error.code === 'busy' || error.code === 'record_full' || wasShut) return 'away'
  if (error.code !== 'record_down') throw error
  if (error.facts?.['reason'] === 'clock_behind') story.clockFailed = true
  return 'failed'
}

/** One caller's calls; over at the first that cannot be recorded. */
async function caller(
  story: Story,
  recorder: Recorder,
  name: string,
  calls: number,
): Promise<void> {
  const { dice } = story
  let session = dice.chance(0.5) ? `se_${name}` : undefined
  if (session !== undefined) {
    const fate = await say(story, recorder, share({ session }), [[opened, undefined]])
    if (fate !== 'told') session = undefined
  }
  for (let i = 0; i < calls; i++) {
    await pass(story)
    const shared = share({ session, exchange: `ex_${name}_${i}`, connection: 'shop' })
    const fate = dice.chance(0.1)
      ? await say(story, recorder, shared, [[denied, body(story)]])
      : await call(story, recorder, shared)
    if (fate === 'failed') return
  }
  if (session !== undefined)
    await insist(story, recorder, share({ session }), [[closed, undefined]])
}

async function call(story: Story, recorder: Recorder, shared: Shared): Promise<Fate> {
  const { dice } = story
  const first: Making = [
    [received, body(story)],
    [dispatched, undefined],
  ]
  const isHeld = dice.chance(0.2)
  const begun = await say(story, recorder, shared, isHeld ? first.slice(0, 1) : first)
  if (begun !== 'told') return begun
  for (let i = dice.below(4); i > 0; i--) {
    await turns(dice.below(2))
    const fate = await insist(story, recorder, shared, [[answered, body(story)]])
    if (fate === 'failed') return fate
  }
  return await insist(story, recorder, shared, [[finished, undefined]])
}

/** What only ends something is said again when there was no room for it. */
async function insist(
  story: Story,
  recorder: Recorder,
  shared: Shared,
  making: Making,
): Promise<Fate> {
  for (let attempt = 0; ; attempt++) {
    const fate = await say(story, recorder, shared, making)
    if (fate !== 'away' || attempt === 30) return fate
    await turns(2)
    mock.timers.tick(1_000)
  }
}

/** Time goes on: as a rule a little, now and then over the end of a month, or backwards. */
async function pass({ clock, dice, isCalm }: Story): Promise<void> {
  await turns(dice.below(3))
  if (dice.chance(0.2)) mock.timers.tick(1_000)
  clock.us += dice.below(400_000)
  if (dice.chance(0.02)) clock.us += 31 * 86_400_000_000
  if (isCalm) return
  if (dice.chance(0.05)) clock.us -= dice.below(3_000_000)
  if (dice.chance(0.004)) clock.us -= 20_000_000
}

/** Bytes that no other body has; most of them are few. */
const noise = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i * 31 + i) >>> 7))

function body({ dice }: Story): Item['body'] {
  const size = dice.below(dice.pick([1, 60, 300, 300, 3_000, 3_000, 20_000, 100_000]))
  const from = dice.below(100_000)
  return masked<Uint8Array>(
    dice.chance(0.5) ? noise.subarray(from, from + size) : Buffer.alloc(size, `text ${from} `),
  )
}
