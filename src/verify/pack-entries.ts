/** The entries of a pack with their proofs, bodies and keys: four files gone through side by side. */
import { canonicalize } from '../tlog/canonical.ts'
import { leafHash, verifyInclusion } from '../tlog/merkle.ts'
import { isCount, textOf } from '../tlog/spelling.ts'
import { decodeBody, openBody } from './pack-body.ts'
import { ByteRun, linesOf } from './pack-folder.ts'
import { membersOf, parseKeyLine, parseProofLine, sha256Of } from './pack-format.ts'
import { PackWalk } from './pack-walk.ts'
import { placeOf } from './walk.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import type { Findings } from './findings.ts'
import type { PackFolder } from './pack-folder.ts'
import type { KeyLine, Manifest, PackCounts, ProofLine } from './pack-format.ts'

type Fields = Readonly<Record<string, unknown>>

/** What was found in a pack. */
export interface EntriesSeen {
  readonly counts: PackCounts
  readonly firstTime: string | undefined
  readonly lastTime: string | undefined
  /** Bodies that are encrypted and have no key here: shredded, or not to be had when it was made. */
  readonly closed: number
  /** Bodies whose key fits, but which this Node cannot decompress. */
  readonly unread: number
}

const lineBytesMax = 65_536
/** No gateway keeps longer ones; what says so is not read. */
const bodyBytesMax = 1_073_741_824

export class PackEntries {
  readonly #folder: PackFolder
  readonly #origin: string
  readonly #checkpoint: Checkpoint
  readonly #findings: Findings
  readonly #walk: PackWalk
  readonly #bodies: ByteRun
  readonly #proofs: Ahead<ProofLine>
  readonly #keys: Ahead<KeyLine>
  #counts = { entries: 0, bodies: 0, keys: 0 }
  #closed = 0
  #unread = 0
  #last = -1
  #isBodiesEnd = false

  constructor(folder: PackFolder, manifest: Manifest, checkpoint: Checkpoint, findings: Findings) {
    this.#folder = folder
    this.#origin = manifest.origin
    this.#checkpoint = checkpoint
    this.#findings = findings
    this.#walk = new PackWalk(findings, manifest.scope)
    this.#bodies = new ByteRun(folder, 'bodies.bin')
    this.#proofs = new Ahead(linesOf(folder, 'proofs.jsonl', lineBytesMax), parseProofLine)
    this.#keys = new Ahead(linesOf(folder, 'keys.jsonl', lineBytesMax), parseKeyLine)
  }

  /** @throws {Unproven} `bundle_malformed` when one of the files cannot be read on. */
  async verify(): Promise<EntriesSeen> {
    try {
      for await (const line of linesOf(this.#folder, 'entries.jsonl', lineBytesMax)) {
        await this.#take(line)
      }
      await this.#end()
    } finally {
      await Promise.all([this.#bodies.close(), this.#proofs.close(), this.#keys.close()])
    }
    const { calls, firstTime, lastTime, sessions } = this.#walk
    const counts = { ...this.#counts, sessions, calls }
    return { counts, firstTime, lastTime, closed: this.#closed, unread: this.#unread }
  }

  async #take(line: Buffer): Promise<void> {
    this.#counts.entries++
    const proof = await this.#proofs.take()
    const entry = this.#parse(line)
    const index = entry && this.#indexOf(entry)
    if (!entry || index === undefined) return
    if (entry['v'] !== 1) {
      this.#findings.add('unsure', placeOf(index), 'is of a version not known here')
    }
    const { root, size } = this.#checkpoint
    const isProven =
      proof?.index === index && verifyInclusion(index, size, leafHash(line), proof.hashes, root)
    if (!isProven) {
      const words = 'does not stand in the signed log: it, or its proof, was changed'
      this.#findings.add('wrong', placeOf(index), words)
    }
    await this.#takeBody(entry, index)
    this.#walk.take(entry, index)
  }

  #parse(line: Buffer): Fields | undefined {
    const text = textOf(line) ?? ''
    const place = `line ${this.#counts.entries} of entries.jsonl`
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('')
      if (canonicalize(value) !== text) {
        this.#findings.add('wrong', place, 'The entry is not in canonical form.')
      }
      return { ...value }
    } catch {
      this.#findings.add('wrong', place, 'It is no JSON object.')
      return undefined
    }
  }

  #indexOf({ index }: Fields): number | undefined {
    if (typeof index === 'number' && isCount(index) && index > this.#last) {
      this.#last = index
      return index
    }
    const place = `line ${this.#counts.entries} of entries.jsonl`
    this.#findings.add('wrong', place, 'The entry does not come after the one before it.')
    return undefined
  }

  async #takeBody({ body }: Fields, index: number): Promise<void> {
    const key = await this.#keyOf(index)
    if (body === undefined) {
      if (key) this.#findings.add('wrong', placeOf(index), 'has a key for a body, and no body')
      return
    }
    this.#counts.bodies++
    const { encoding, key: keyId, sha256, size } = membersOf(body)
    const isPlausible = typeof size === 'number' && isCount(size) && size <= bodyBytesMax
    if (!isPlausible || typeof encoding !== 'string' || this.#isBodiesEnd) {
      if (!this.#isBodiesEnd) this.#wrong(index, 'names a body that cannot be')
      this.#isBodiesEnd = true // Where the next one begins is not known any more.
      return
    }
    const stored = await this.#bodies.take(size)
    if (stored.length < size || sha256Of(stored) !== sha256) {
      this.#isBodiesEnd ||= stored.length < size
      return this.#wrong(index, 'names another body than the one in bodies.bin')
    }
    if (typeof keyId !== 'string') {
      if (key) this.#wrong(index, 'has a key for a body that is not encrypted')
    } else if (!key) this.#closed++
    else this.#open(stored, key, { keyId, encoding }, index)
  }

  #open(
    stored: Buffer,
    { key }: KeyLine,
    of: { readonly keyId: string; readonly encoding: string },
    index: number,
  ): void {
    const inner = openBody(stored, key, { ...of, origin: this.#origin })
    const message = inner && decodeBody(inner, of.encoding)
    if (!inner) this.#wrong(index, 'has a body that the key in keys.jsonl does not open')
    else if (message === undefined) this.#wrong(index, 'has a body that cannot be decompressed')
    else if (message === 'cannot') this.#unread++
  }

  async #keyOf(index: number): Promise<KeyLine | undefined> {
    const next = await this.#keys.peek()
    if (next?.index !== index) return undefined
    this.#counts.keys++
    return await this.#keys.take()
  }

  async #end(): Promise<void> {
    this.#walk.end()
    if (await this.#proofs.peek()) {
      this.#findings.add('wrong', 'proofs.jsonl', 'It has proofs of entries that are not here.')
    }
    if (await this.#keys.peek()) {
      this.#findings.add('wrong', 'keys.jsonl', 'It has keys of entries that are not here.')
    }
    if (!this.#isBodiesEnd && (await this.#bodies.take(1)).length > 0) {
      this.#findings.add('wrong', 'bodies.bin', 'Bytes follow the last body.')
    }
    if (this.#closed > 0) {
      const words = `${this.#closed} bodies stay closed: their keys were shredded, or were not to be had. Their digests fit`
      this.#findings.add('note', 'keys.jsonl', words)
    }
    if (this.#unread > 0) {
      const words = `${this.#unread} bodies open with their keys, but this Node cannot decompress them (zstd: 22.15 and later)`
      this.#findings.add('note', 'bodies.bin', words)
    }
  }

  #wrong(index: number, words: string): void {
    this.#findings.add('wrong', placeOf(index), words)
  }
}

/** Parsed lines, of which the next can be looked at. */
class Ahead<T> {
  readonly #lines: AsyncGenerator<Buffer>
  readonly #parse: (line: Buffer) => T
  #next: T | undefined

  constructor(lines: AsyncGenerator<Buffer>, parse: (line: Buffer) => T) {
    this.#lines = lines
    this.#parse = parse
  }

  async peek(): Promise<T | undefined> {
    if (this.#next !== undefined) return this.#next
    const found = await this.#lines.next()
    this.#next = found.done === true ? undefined : this.#parse(found.value)
    return this.#next
  }

  async take(): Promise<T | undefined> {
    const next = await this.peek()
    this.#next = undefined
    return next
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined)
  }
}
