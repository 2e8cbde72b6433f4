/**
 * The layout of a segment: batch after batch, each one unit written and synced at once.
 *
 *     batch    header (64) | frames | bodies
 *     frame    header (16) | payload
 *
 *     batch header, integers little-endian
 *      0  4  magic "SPB1"
 *      4  4  CRC-32 of bytes 8 to 63 of this header
 *      8  8  segment id: random, the same in all batches of a file
 *     16  8  sequence: 1 for the writer's first batch, then one more each
 *     24  8  index of the first entry
 *     32  4  number of entries (may be 0)
 *     36  4  length of the frames
 *     40  8  length of the bodies
 *     48  4  CRC-32 of the frames
 *     52  4  header CRC-32 of the batch before (bytes 4 to 7 of its header); 0 for the first
 *     56  8  time of the first entry, microseconds since 1970
 *
 *     frame header
 *      0  2  magic "SF"
 *      2  1  kind: 1 entry, 2 carry, 3 tokens (`tokens.ts`) of the entry before it
 *      3  1  alg: 0 in clear (1 is kept for AES-256-GCM)
 *      4  4  key id: 0 when in clear
 *      8  4  length of the payload, 1 or more
 *     12  4  zero
 *
 * Bodies stand one after the other in the order of the entries that name them (`body.size`,
 * `body.sha256`). The CRCs detect a torn write, the SHA-256 does so for bodies; neither of them
 * proves anything against somebody who can write to the file.
 */
import { crc32 } from 'node:zlib'

export const batchHeaderBytes = 64
export const frameHeaderBytes = 16

const magic = Buffer.from('SPB1', 'latin1')
const frameMagic = 0x4653 // "SF"

export type FrameKind = 1 | 2 | 3
export const entryFrame = 1
export const carryFrame = 2
export const tokensFrame = 3

/** What a batch header says. */
export interface BatchHeader {
  /** 16 hex digits. */
  readonly segmentId: string
  readonly sequence: number
  readonly firstIndex: number
  readonly entries: number
  readonly framesBytes: number
  readonly bodiesBytes: number
  readonly framesCrc: number
  readonly previousCrc: number
  readonly timeUs: number
}

/** Writes the header into the first 64 bytes of `into`; returns its CRC, by which the next names it. */
export function writeBatchHeader(into: Buffer, header: BatchHeader): number {
  magic.copy(into, 0)
  into.write(header.segmentId, 8, 8, 'hex')
  writeUint64(into, header.sequence, 16)
  writeUint64(into, header.firstIndex, 24)
  into.writeUInt32LE(header.entries, 32)
  into.writeUInt32LE(header.framesBytes, 36)
  writeUint64(into, header.bodiesBytes, 40)
  into.writeUInt32LE(header.framesCrc, 48)
  into.writeUInt32LE(header.previousCrc, 52)
  writeUint64(into, header.timeUs, 56)
  const crc = crc32(into.subarray(8, batchHeaderBytes))
  into.writeUInt32LE(crc, 4)
  return crc
}

/** The header at the start of `bytes` and its CRC; a word says why there is none. */
export function readBatchHeader(
  bytes: Buffer,
): { header: BatchHeader; crc: number } | 'short' | 'zero' | 'newer' | 'bad' {
  if (bytes.length < batchHeaderBytes) return 'short'
  const head = bytes.subarray(0, batchHeaderBytes)
  if (isZero(head)) return 'zero'
  const crc = head.readUInt32LE(4)
  if (crc32(head.subarray(8)) !== crc) return 'bad'
  if (!head.subarray(0, 4).equals(magic)) {
    // The fourth byte is the version, a digit.
    return /^SPB[2-9]$/.test(head.toString('latin1', 0, 4)) ? 'newer' : 'bad'
  }
  const header = {
    segmentId: head.toString('hex', 8, 16),
    sequence: readUint64(head, 16),
    firstIndex: readUint64(head, 24),
    entries: head.readUInt32LE(32),
    framesBytes: head.readUInt32LE(36),
    bodiesBytes: readUint64(head, 40),
    framesCrc: head.readUInt32LE(48),
    previousCrc: head.readUInt32LE(52),
    timeUs: readUint64(head, 56),
  }
  return { header, crc }
}

/** Length of a whole batch in bytes. */
export function batchBytes(header: BatchHeader): number {
  return batchHeaderBytes + header.framesBytes + header.bodiesBytes
}

/** Writes a frame header at `at`; its payload follows. */
export function writeFrameHeader(into: Buffer, at: number, kind: FrameKind, length: number): void {
  into.writeUInt16LE(frameMagic, at)
  into.writeUInt16LE(kind, at + 2) // The second byte is alg, 0.
  into.writeUInt32LE(0, at + 4)
  into.writeUInt32LE(length, at + 8)
  into.writeUInt32LE(0, at + 12)
}

/** One frame of a batch. */
export interface Frame {
  readonly kind: number
  readonly payload: Buffer
}

/** All frames of a batch in order, or undefined when they do not fill `frames` exactly. */
export function readFrames(frames: Buffer): Frame[] | undefined {
  const found: Frame[] = []
  let at = 0
  while (at < frames.length) {
    if (at + frameHeaderBytes > frames.length) return undefined
    const length = frames.readUInt32LE(at + 8)
    const end = at + frameHeaderBytes + length
    const isKnown = frames.readUInt32LE(at + 4) === 0 && frames.readUInt32LE(at + 12) === 0
    const isFrame = frames.readUInt16LE(at) === frameMagic && frames[at + 3] === 0 && isKnown
    if (!isFrame || length === 0 || end > frames.length) return undefined
    found.push({
      kind: frames[at + 2] ?? 0,
      payload: frames.subarray(at + frameHeaderBytes, end),
    })
    at = end
  }
  return found
}

/** Whether all bytes are zero; true of none. */
export function isZero(bytes: Uint8Array): boolean {
  // A compare with itself one byte further on is far faster than a loop over the bytes.
  if (bytes.length === 0) return true
  return bytes[0] === 0 && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0
}

function writeUint64(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value >>> 0, at)
  into.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4)
}

function readUint64(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 0x1_0000_0000
}
