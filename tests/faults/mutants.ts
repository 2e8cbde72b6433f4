/**
 * Deliberate breakages of a disk or a recorder, each of a kind that has happened somewhere. The model
 * has to see every one of them, or what it says of the sound ones means nothing.
 */
import type { Disk, DiskFile } from '../../src/base/disk.ts'
import type { Recorder } from '../../src/record/record.ts'
import type { Mutant } from './lives.ts'

/** Files of a disk, each changed on its way out. */
function files(change: (file: DiskFile, path: string) => DiskFile): NonNullable<Mutant['disk']> {
  return (real: Disk) => ({
    ...real,
    create: async (path) => change(await real.create(path), path),
    open: async (path, mode) => change(await real.open(path, mode), path),
  })
}

const total = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0)

export const mutants: readonly (readonly [what: string, mutant: Mutant])[] = [
  ['writes are acknowledged by a disk that syncs nothing', { liesOf: 'bytes' }],
  ['syncs of folders report success and do nothing', { liesOf: 'names' }],
  [
    'a batch is acknowledged before its sync',
    {
      disk: files((file) => ({
        ...file,
        commit(parts, position, done) {
          const kept = parts.map((part) => Uint8Array.from(part))
          file.commit(kept, position, () => undefined)
          setImmediate(() => done(null, total(parts)))
        },
      })),
    },
  ],
  [
    'a short write is taken for a whole one',
    {
      disk: files((file) => ({
        ...file,
        commit: (parts, position, done) =>
          file.commit(parts, position, (error) => done(error, total(parts))),
      })),
    },
  ],
  [
    'an error of a write or sync is passed over',
    {
      disk: files((file) => ({
        ...file,
        commit: (parts, position, done) =>
          file.commit(parts, position, () => done(null, total(parts))),
      })),
    },
  ],
  [
    'a failed commit is tried once more, and the second time counts',
    {
      disk: files((file) => ({
        ...file,
        commit: (parts, position, done) =>
          file.commit(parts, position, (error, written) => {
            if (error) file.commit(parts, position, done)
            else done(null, written)
          }),
      })),
    },
  ],
  [
    'one byte of a batch in ten is written wrong',
    {
      disk: files((file, path) => {
        let count = 0
        return {
          ...file,
          commit(parts, position, done) {
            const bytes = Buffer.concat(parts)
            if (path.endsWith('.seg') && ++count % 10 === 0) bytes[100] = (bytes[100] ?? 0) ^ 1
            file.commit([bytes], position, done)
          },
        }
      }),
    },
  ],
  [
    'the end of a segment is cut off when it is opened again',
    {
      disk: (real) => ({
        ...real,
        open: async (path, mode) => {
          const file = await real.open(path, mode)
          const isSegment = path.endsWith('.seg') && mode === 'write'
          if (isSegment) await file.truncate(Math.max(0, (await file.size()) - 4_500))
          return file
        },
      }),
    },
  ],
  ['a rejected append is reported as done', { recorder: forgiving }],
  ['a latched recorder says that it is open', { recorder: posing }],
]

/** Hands out the receipt of an earlier append for one that failed. */
function forgiving(real: Recorder): Recorder {
  let last: Awaited<ReturnType<Recorder['append']>> | undefined
  return {
    append: async (digest, shared, items) => {
      try {
        return (last = await real.append(digest, shared, items))
      } catch (error) {
        if (last) return last
        throw error
      }
    },
    state: () => real.state(),
    figures: () => real.figures(),
    latch: (reason) => real.latch(reason),
    close: () => real.close(),
  }
}

function posing(real: Recorder): Recorder {
  return {
    append: (digest, shared, items) => real.append(digest, shared, items),
    state: () => (real.state() === 'latched' ? 'open' : real.state()),
    figures: () => real.figures(),
    latch: (reason) => real.latch(reason),
    close: () => real.close(),
  }
}
