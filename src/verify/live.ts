/** Whether a process writes to a log now. */
import { join } from 'node:path'
import { readWhole } from '../base/disk.ts'
import type { Disk } from '../base/disk.ts'

export async function isLive(disk: Disk, folder: string): Promise<boolean> {
  if (!(await disk.list(folder)).includes('lock')) return false
  try {
    const holder: unknown = JSON.parse(
      Buffer.from(await readWhole(disk, join(folder, 'lock'))).toString('utf8'),
    )
    const pid: unknown = Object(holder).pid
    return typeof pid === 'number' && process.kill(pid, 0)
  } catch {
    return false // Nobody, or a holder that is gone.
  }
}
