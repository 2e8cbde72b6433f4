/** Encrypted bodies in the benchmarks, as in a gateway. */
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { realDisk } from '../src/base/disk.ts'
import { makeKeyFile } from '../src/secrets/key-file.ts'
import { createWrapper } from '../src/secrets/wrapper.ts'
import type { BodyKeys } from '../src/record/months.ts'

/** Keys for bodies in `folder`, wrapped by a file of ours. */
export async function benchBodyKeys(folder: string): Promise<BodyKeys> {
  const clock = systemClock()
  const file = join(folder, 'bench.kek')
  await makeKeyFile(file, { disk: realDisk, clock })
  const wrapper = createWrapper({ kind: 'file', file }, { env: {}, clock, hide: () => undefined })
  return { dir: join(folder, 'months'), wrapper }
}
