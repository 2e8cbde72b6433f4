/**
 * Servers are asked for plain bytes. One that compresses all the same is decoded here: what reaches
 * the masker must be what a client would read.
 */
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { createZstdDecompress } from 'node:zlib'
import type { Transform } from 'node:stream'

/** Where the decoded bytes go. `failed` and `ended` come once, one of them. */
export interface Decoded {
  readonly bytes: (chunk: Uint8Array) => void
  readonly ended: () => void
  readonly failed: (reason: 'encoding' | 'size', cause?: unknown) => void
  /** The decoder is full, or has room again, for encoded bytes. */
  readonly full: (isFull: boolean) => void
}

export interface Decoder {
  write(chunk: Uint8Array): void
  end(): void
  pause(): void
  resume(): void
  destroy(): void
}

const makers: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  // RFC 8878 §3.1.1.1.2: decoders need no more than 8 MiB of window; more is asked to hurt.
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
}

/** Whether a Content-Encoding means plain bytes. */
export function isPlainEncoding(encoding: string | undefined): boolean {
  return encoding === undefined || /^\s*(?:identity)?\s*$/i.test(encoding)
}

/**
 * A decoder for one Content-Encoding (RFC 9110 §8.4.1), or undefined for one we do not take; lists of
 * several are not taken either.
 * @param decodedBytesMax bytes handed on at most; 0: no limit (streams, which are bounded by event).
 */
export function decoder(
  encoding: string,
  decodedBytesMax: number,
  out: Decoded,
): Decoder | undefined {
  const name = encoding.trim().toLowerCase()
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined
  if (make === undefined) return undefined
  const stream = make()
  let isDone = false
  let decodedBytes = 0
  const fail = (reason: 'encoding' | 'size', cause?: unknown): void => {
    if (isDone) return
    isDone = true
    stream.destroy()
    out.failed(reason, cause)
  }
  stream.on('data', (chunk: Buffer) => {
    decodedBytes += chunk.length
    if (decodedBytesMax > 0 && decodedBytes > decodedBytesMax) fail('size')
    else if (!isDone) out.bytes(chunk)
  })
  stream.on('drain', () => out.full(false))
  stream.on('error', (error) => fail('encoding', error))
  stream.on('end', () => {
    if (isDone) return
    isDone = true
    out.ended()
  })
  return {
    write: (chunk) => {
      if (!isDone && !stream.write(chunk)) out.full(true)
    },
    end: () => stream.end(),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    destroy: () => {
      isDone = true
      stream.destroy()
    },
  }
}
