/** What is looked at on this machine: the data folder, the keys of the listener and of the record. */
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readTls } from '../listener/tls.ts'
import { createWrapper } from '../secrets/wrapper.ts'
import { codeOf, wrong } from './live-look.ts'
import type { Look, LookParts } from './live-look.ts'

export function machineLooks(parts: LookParts): Look[] {
  return [dataLook(parts), ...wrapperLooks(parts), ...tlsLooks(parts)]
}

function dataLook({ config: { record }, dataDir }: LookParts): Look {
  return {
    what: 'data folder',
    path: ['data_dir'],
    async look(): Promise<string> {
      let folder = dataDir // Or the nearest folder above it: serve makes what is missing.
      while (!existsSync(folder)) folder = dirname(folder)
      if (!statSync(folder).isDirectory()) throw wrong(`${folder} is no folder`)
      tryWriting(folder)
      const { bavail, bsize } = await statfs(folder)
      const free = bavail * bsize
      if (free < record.freeBytesMin) {
        const floor = `record.free_bytes_min asks for ${mebibytes(record.freeBytesMin)}`
        throw wrong(
          `${dataDir} has only ${mebibytes(free)} free, ${floor}: no call would be let through`,
        )
      }
      return `${dataDir} is writable, ${mebibytes(free)} are free`
    },
  }
}

function tryWriting(folder: string): void {
  const file = join(folder, `.sallyport-check-${randomUUID().slice(0, 8)}`)
  try {
    const descriptor = openSync(file, 'wx', 0o600)
    try {
      writeSync(descriptor, 'x')
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw wrong(`${folder} cannot be written to (${codeOf(error)})`)
  } finally {
    rmSync(file, { force: true })
  }
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 ** 2).toLocaleString('en')} MiB`
}

/** A key in a vault is tried: wrapped by it, and unwrapped again. The file of ours is made by serve. */
function wrapperLooks({ clock, config: { record }, env, secrets }: LookParts): Look[] {
  const { keyEncryptionKey: spec } = record
  if (spec.kind === 'file') return []
  return [
    {
      what: 'key-encryption key',
      path: ['record', 'key_encryption_key'],
      async look(): Promise<string> {
        const hide = (value: string): void => secrets.hide(value)
        const wrapper = createWrapper(spec, { env, clock, hide })
        // What comes back from `wrap` has been unwrapped once and was the same.
        const { by } = await wrapper.wrap(randomBytes(32), 'sallyport/check')
        return `${by} wraps and unwraps`
      },
    },
  ]
}

function tlsLooks({ config: { listen }, secrets }: LookParts): Look[] {
  const { tls } = listen
  if (tls === undefined) return []
  const look = async (): Promise<string> => {
    const where = 'listen.tls.key'
    await secrets.ready([{ ref: tls.key, where }])
    const key = secrets.open(tls.key, 'pem', where)
    readTls({ certFile: tls.certFile, key: { reveal: () => key.read().reveal() } })
    return 'certificate and key belong together'
  }
  return [{ what: 'TLS', path: ['listen', 'tls'], look }]
}
