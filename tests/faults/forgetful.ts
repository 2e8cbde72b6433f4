/** A disk whose commits report success and keep the bytes in this process's memory: what a missing
 *  sync and a loss of power do together, for a process that is killed. */
import type { Disk, DiskFile } from '../../src/base/disk.ts'

/** Names and small files stay real; of what is committed to a segment, nothing reaches it. */
export function forgetfulDisk(real: Disk): Disk {
  return {
    ...real,
    create: async (path) => forget(path, await real.create(path)),
    open: async (path, mode) => forget(path, await real.open(path, mode)),
  }
}

function forget(path: string, file: DiskFile): DiskFile {
  if (!path.endsWith('.seg')) return file
  return {
    ...file,
    commit(parts, _position, done) {
      const total = parts.reduce((sum, part) => sum + part.length, 0)
      setImmediate(() => done(null, total))
    },
    truncate: () => Promise.resolve(),
  }
}
