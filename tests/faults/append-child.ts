/**
 * Appends under load until it is killed, and says on stdout what was acknowledged: one exchange id
 * a line. With `forgetful` its disk is taken out of the way of every sync: bytes stay in memory.
 *
 *     node tests/faults/append-child.ts FOLDER NAME [forgetful]
 */
import { writeSync } from 'node:fs'
import { realDisk } from '../../src/base/disk.ts'
import { systemClock } from '../../src/base/clock.ts'
import { share } from '../../src/record/entry.ts'
import { openRecord } from '../../src/record/record.ts'
import { forgetfulDisk } from './forgetful.ts'
import { finished, masked, received } from './work.ts'

const [, , dir = '', name = '', how] = process.argv
const disk = how === 'forgetful' ? forgetfulDisk(realDisk) : realDisk
const { recorder } = await openRecord({
  dir,
  writer: 'main',
  disk,
  clock: systemClock(),
  freeBytesMin: 0,
  segmentBytesMax: 300_000,
})
writeSync(1, 'ready\n')

await Promise.all(
  Array.from({ length: 16 }, async (_, writer) => {
    for (let i = 0; ; i++) {
      const exchange = `ex_${name}_${writer}_${i}`
      const shared = share({ exchange })
      const body = masked(Buffer.alloc(50 + ((i * 37) % 900), 97))
      await recorder.append('d', shared, [
        { entry: received(), body },
        { entry: { type: 'call.dispatched', host: 'localhost:1', attempt: 1 } },
      ])
      await recorder.append('d', shared, [{ entry: finished() }])
      writeSync(1, `${exchange}\n`)
    }
  }),
)
