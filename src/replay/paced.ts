/** The text of a replay at the pace at which it happened. */
import { Fault } from '../base/fault.ts'
import { duration } from './plain.ts'

export interface Pace {
  /** Waits longer than this are cut to it, and a line says how much was left out. Milliseconds of
   *  the viewer's time, that is after scaling. */
  readonly idleMsMax?: number | undefined
}

/** The time with which a line that shows an entry begins. Nothing said by others stands there. */
const stamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3})Z {2}/m

/** A timer takes at most 2^31 - 1 ms, after that it fires at once. */
const sleepMsMax = 3_600_000

/**
 * The same texts, each held back until its time has come. Who and from where, which stand before an
 * entry, come with it; what is indented below an entry follows at once.
 * @param lines pieces of a replay as text, as they come or cut into whole lines.
 * @param speed how many times faster than it happened: 1 as it was, 10 ten times as fast.
 * @param sleep waits that many milliseconds; a whole number of at least 1 and at most an hour. A
 *   rejection ends the replay.
 * @throws {Fault} `bad_params` when the speed is no number above 0.
 */
export async function* paced(
  lines: AsyncIterable<string>,
  speed: number,
  sleep: (ms: number) => Promise<void>,
  { idleMsMax = Infinity }: Pace = {},
): AsyncGenerator<string> {
  if (!Number.isFinite(speed) || speed <= 0) {
    throw new Fault('bad_params', 'The speed of a replay is a number above 0, such as 1 or 10.')
  }
  let beforeUs: number | undefined
  let heading = ''
  let owedMs = 0 // What is below a millisecond is kept, so that the sum stays true.
  for await (const text of lines) {
    const nowUs = timeUsOf(text)
    if (nowUs === undefined && !text.startsWith('    ')) {
      heading += text
      continue
    }
    if (nowUs !== undefined) {
      const gapUs = Math.max(0, nowUs - (beforeUs ?? nowUs))
      const waitMs = gapUs / 1000 / speed
      beforeUs = nowUs
      owedMs += Math.min(waitMs, idleMsMax)
      if (waitMs > idleMsMax) yield `    … ${duration(gapUs)} without an entry, cut short\n`
    }
    while (owedMs >= 1) {
      const ms = Math.min(Math.floor(owedMs), sleepMsMax)
      await sleep(ms)
      owedMs -= ms
    }
    yield heading + text
    heading = ''
  }
  if (heading !== '') yield heading
}

/** Microseconds since 1970 at which the text's first entry happened. */
function timeUsOf(text: string): number | undefined {
  const [, ms, us] = stamp.exec(text) ?? []
  return ms === undefined ? undefined : Date.parse(`${ms}Z`) * 1000 + Number(us)
}
