/**
 * One run: several lives of a gateway's record on one machine in bad weather, then one in good
 * weather, and after each of them the record is held against what it promised. All of it is decided
 * by one seed.
 */
import { mock } from 'node:test'
import { Fault } from '../../src/base/fault.ts'
import { checkRecord } from '../../src/record/check.ts'
import { share } from '../../src/record/entry.ts'
import { Dice } from './dice.ts'
import { endsMissing, Ledger } from './ledger.ts'
import { StormyMachine } from './stormy.ts'
import { busyHours, say } from './traffic.ts'
import { calm, weather } from './weather.ts'
import { all, HandClock, open, place } from './work.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { RecordOptions, Recorder, Recovered } from '../../src/record/record.ts'
import type { Hardware } from './stormy.ts'
import type { Weather } from './weather.ts'

/** Whether a start makes durable the names it finds: the process before may have died between a
 *  rename and the sync of its folder. Off until the start syncs the folder of `origin`. */
const startSyncsNames: boolean = true
/** Whether a start makes durable the last batch it finds: memory may hold what a failed sync never
 *  wrote and never will. Off until recovery writes that batch again. */
const startWritesAgain: boolean = true

/** A deliberate breakage, of the disk or of the recorder that stands on it. */
export interface Mutant {
  readonly liesOf?: Hardware['liesOf']
  readonly disk?: (real: Disk) => Disk
  readonly recorder?: (real: Recorder) => Recorder
}

/** One gateway's record through all its lives. */
export interface Story {
  readonly dice: Dice
  readonly machine: StormyMachine
  readonly clock: HandClock
  readonly ledger: Ledger
  readonly options: Partial<RecordOptions>
  readonly mutant: Mutant
  /** The furthest that the clock has ever been. */
  latestUs: number
  /** The origin that was told, and whether the last end was a clean one. */
  origin: string | undefined
  isClean: boolean
  /** Of this life: its number, whether nothing goes wrong in it, whether its clock has stepped back
   *  too far. */
  life: number
  isCalm: boolean
  clockFailed: boolean
  /** Calls and sessions of this life that are under way. */
  begun: number
}

/** What came of a run: appends by what their callers were told. */
export interface Run {
  readonly lives: number
  readonly told: number
  readonly failed: number
  readonly away: number
}

/**
 * @param tally counts the faults by kind.
 * @throws {Error} with the first sentence of what went against the promises.
 */
export async function run(
  seed: number,
  tally: Map<string, number> = new Map(),
  mutant: Mutant = {},
): Promise<Run> {
  const { ledger, life: lives } = await liveThrough(seed, tally, mutant)
  const [told, failed, away] = [ledger.count('told'), ledger.count('failed'), ledger.count('away')]
  return { lives, told, failed, away }
}

/** All lives of one run; what comes back was stopped well, and was found whole. @throws as `run`. */
export async function liveThrough(
  seed: number,
  tally: Map<string, number> = new Map(),
  mutant: Mutant = {},
): Promise<Story> {
  mock.timers.enable({ apis: ['setInterval'] })
  try {
    const story = begin(seed, tally, mutant)
    for (let lives = 1 + story.dice.below(3); lives > 0; lives--) {
      await live(story, weather(story.dice))
    }
    await live(story, calm)
    await assertWhole(story)
    return story
  } finally {
    mock.timers.reset()
  }
}

function begin(seed: number, tally: Map<string, number>, mutant: Mutant): Story {
  const dice = new Dice(seed)
  const hardware: Hardware = {
    sectorBytes: dice.pick([512, 512, 4096]),
    tears: dice.chance(0.5),
    callsClean: dice.chance(0.5) && startWritesAgain,
    liesOf: mutant.liesOf,
  }
  const clock = new HandClock(dice.pick(['2026-11-30T23:59:50.000Z', '2026-12-11T10:00:00.000Z']))
  return {
    dice,
    clock,
    mutant,
    machine: new StormyMachine(dice, hardware, tally),
    ledger: new Ledger(),
    options: {
      segmentBytesMax: dice.pick([3_000, 12_000, 50_000, 200_000]),
      layOutBytes: dice.pick([0, 2_000, 2_000, 20_000]),
      compressFromBytes: dice.pick([undefined, 500]),
      pendingBytesMax: dice.pick([undefined, undefined, 5_000, 60_000]),
      freeCheckMs: 1_000,
    },
    latestUs: clock.us,
    origin: undefined,
    isClean: true,
    life: 0,
    isCalm: false,
    clockFailed: false,
    begun: 0,
  }
}

/** One process, from its start to its end. */
async function live(story: Story, sky: Weather): Promise<void> {
  const { clock, dice, machine, mutant } = story
  story.life++
  story.isCalm = sky === calm
  story.clockFailed = false
  story.begun = 0
  if (story.isCalm) clock.us = Math.max(clock.us, story.latestUs)
  const bare = machine.boot(sky)
  const disk = mutant.disk?.(bare) ?? bare
  const opened = await openOrSay(story, disk)
  if (!opened) {
    // Nobody starts: the process ends, and somebody sets the clock right.
    machine.die(dice.pick(['crash', 'kill']))
    clock.us = Math.max(clock.us, story.latestUs)
    return
  }
  const recorder = mutant.recorder?.(opened.recorder) ?? opened.recorder
  if (dice.chance(0.15)) await assertKept(story, !opened.recovered.isClean)
  await busyHours(story, recorder)
  if (machine.isAlive && (story.isCalm || dice.chance(0.4))) return await stop(story, recorder)
  machine.die(dice.pick(['crash', 'kill']))
  story.isClean = false
  await opened.recorder.close()
}

async function openOrSay(
  story: Story,
  disk: Disk,
): Promise<{ recorder: Recorder; recovered: Recovered } | undefined> {
  const { clock, latestUs, machine, options } = story
  let opened: { recorder: Recorder; recovered: Recovered }
  try {
    opened = await open(disk, clock, options)
  } catch (error) {
    if (error instanceof Fault && error.facts?.['reason'] === 'damaged') {
      throw new Error(`life ${story.life}: said to be damaged: ${error.message}`, { cause: error })
    }
    if (!machine.isAlive || machine.failures > 0) return undefined
    const fault = error instanceof Fault ? error : undefined
    const reason = fault?.facts?.['reason']
    if (reason === 'clock_behind' && clock.us < latestUs) return undefined
    if (fault?.code === 'record_full' && !story.isCalm) return undefined
    throw new Error(
      `life ${story.life}: it did not open (${String(reason)}) and nothing had failed`,
    )
  }
  // Dead between its last operation and this line: it told nobody.
  if (!machine.isAlive) {
    await opened.recorder.close()
    return undefined
  }
  const { isClean, origin } = opened.recovered
  const isOther = story.origin !== undefined && story.origin !== origin
  if (isOther && startSyncsNames) {
    throw new Error(`life ${story.life}: another origin`)
  }
  if (story.isClean && !isClean) {
    throw new Error(`life ${story.life}: it was stopped well, and started as if not`)
  }
  story.origin = origin
  return opened
}

/** As the gateway stops: it says so in the record, then closes it. */
async function stop(story: Story, recorder: Recorder): Promise<void> {
  const { machine } = story
  const isOpen = recorder.state() === 'open'
  const fate = await say(story, recorder, share({}), [
    [(serial) => ({ type: 'gateway.stopped', reason: `${serial}` }), undefined],
  ])
  await recorder.close()
  if (isOpen && machine.isAlive && machine.failures === 0 && fate !== 'told') {
    throw new Error(`the stop was not recorded (${fate}) and nothing had failed`)
  }
  story.isClean = fate === 'told' && machine.isAlive && story.begun === 0
  machine.die('leave')
}

/** @param isSettled whether all that is there stands before something durable, and must stay. */
async function assertKept(story: Story, isSettled: boolean): Promise<void> {
  const { ledger, machine } = story
  const entries = await all(machine.look())
  const [first] = [...ledger.differences(entries, isSettled), ...endsMissing(entries)]
  if (first !== undefined) throw new Error(`life ${story.life}: ${first}`)
}

async function assertWhole(story: Story): Promise<void> {
  await assertKept(story, true)
  if (story.dice.chance(0.8)) return // The check reads all of it once more.
  const { openExchanges, openSessions, problems } = await checkRecord(place(story.machine.look()))
  const [first] = [...problems, ...openExchanges, ...openSessions]
  if (first !== undefined) throw new Error(`the check of the record: ${first}`)
}
