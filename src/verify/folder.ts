/**
 * A log's folder, verified whole: every byte of its segments, bodies, tiles and checkpoints. It reads
 * each file once, front to back, and keeps one batch and one tile of each level in memory.
 */
import { join } from 'node:path'
import { readWhole } from '../base/disk.ts'
import { derivedFiles } from '../base/derived.ts'
import { Fault } from '../base/fault.ts'
import { readNotes } from '../record/checkpoints.ts'
import { readOrigin } from '../record/read.ts'
import { splitNote } from '../tlog/note.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { leafHash } from '../tlog/merkle.ts'
import { Unproven } from '../tlog/unproven.ts'
import { Cosigned } from './cosigned.ts'
import { Findings } from './findings.ts'
import { headOf } from './heads.ts'
import { checkNames, checkRemovals, checkTorn } from './leftovers.ts'
import { isLive } from './live.ts'
import { readLog } from './log.ts'
import { Tiles } from './tiles.ts'
import { Trust } from './trust.ts'
import { EntryWalk, placeOf } from './walk.ts'
import type { Disk } from '../base/disk.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import type { KeptNote } from '../record/checkpoints.ts'
import type { Frontier } from '../tlog/merkle.ts'
import type { WitnessSeen } from './cosigned.ts'
import type { LogPiece } from './log.ts'
import type { WalkTotals } from './walk.ts'

export interface FolderToVerify {
  readonly disk: Disk
  /** `DATA/record` and the writer's name. */
  readonly dir: string
  readonly writer: string
  /** The log's keys (vkeys) as the verifier has them; witnesses' likewise. */
  readonly keys: readonly string[]
  readonly witnesses: readonly string[]
  /** Checkpoints kept elsewhere, as signed notes: the log must still hold what they say. */
  readonly older: readonly string[]
  /** The signed roll-up of all writers, which must fit; undefined where there is none. */
  readonly heads?: string | undefined
  /** Called every few thousand entries with bytes read and bytes in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** What was verified. */
export interface LogReport {
  readonly origin: string
  readonly totals: WalkTotals
  /** Entries under a checkpoint that a trusted key signed, and all there are. */
  readonly signed: number
  readonly size: number
  readonly root: string
  readonly checkpoints: number
  readonly open: { readonly calls: number; readonly sessions: number }
  /** Of the verifier's witnesses, those that have cosigned, with their newest cosignature. */
  readonly witnesses: readonly WitnessSeen[]
  /** Keys which the log names, for comparing; they are not trusted for standing here. */
  readonly namedKeys: readonly string[]
  /** Stretches of which only tiles are left. */
  readonly proofOnly: readonly { readonly from: number; readonly to: number }[]
  readonly findings: Findings
}

/** Verifies one log. @throws only for what the disk does; whatever the files say is a finding. */
export async function verifyFolder(of: FolderToVerify): Promise<LogReport> {
  const run = new FolderRun(of)
  return await run.verify()
}

class FolderRun {
  readonly #of: FolderToVerify
  readonly #folder: string
  readonly #findings = new Findings()
  readonly #walk: EntryWalk
  readonly #trust: Trust
  readonly #tiles: Tiles
  readonly #proofOnly: { from: number; to: number }[] = []
  #notes: AsyncGenerator<KeptNote> | undefined
  #next: { note: string; size: number } | undefined // The first one not reached yet.
  #lastNote: string | undefined
  #isUnsettled = false // Some notes have lines of keys that were not named or trusted yet.
  #synced: string | undefined // Until the note that it repeats has come by.
  #cosigned: Cosigned | undefined
  #checkpoints = 0
  #named = 0
  #signed = 0
  #origin = ''

  constructor(of: FolderToVerify) {
    this.#of = of
    this.#folder = join(of.dir, of.writer)
    this.#walk = new EntryWalk(this.#findings, 0)
    this.#trust = new Trust(of.keys, of.witnesses)
    this.#tiles = new Tiles(derivedFiles(this.#folder), this.#findings)
  }

  async verify(): Promise<LogReport> {
    const { disk } = this.#of
    this.#origin = (await readOrigin(this.#of)) ?? ''
    if (this.#origin === '') this.#findings.add('wrong', 'origin', 'The log has no name.')
    else if ((await this.#file('origin')) !== `${this.#origin}\n`) {
      this.#findings.add('wrong', 'origin', 'It is not one line with the name of the log.')
    }
    this.#synced = await this.#file('synced')
    // Read before the notes: a gateway that runs adds to both, and to those first.
    const cosigned = await this.#file('cosigned')
    if (cosigned !== undefined) this.#cosigned = new Cosigned(cosigned, this.#of.witnesses)
    this.#notes = readNotes(disk, this.#folder)
    await this.#nextNote()
    if (!this.#trust.hasKeys) {
      this.#findings.add('unsure', 'keys', 'No key was given, so no signature can be believed.')
    }
    try {
      for await (const piece of readLog(this.#of, this.#findings)) await this.#take(piece)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      const weight = error.facts['reason'] === 'newer_version' ? 'unsure' : 'wrong'
      this.#findings.add(weight, String(error.facts['segment'] ?? 'log'), error.message)
    }
    await this.#checkpointsAt(this.#tiles.size)
    await this.#finish()
    return this.#report()
  }

  async #take(piece: LogPiece): Promise<void> {
    if (piece.what === 'gap') return await this.#skip(piece.from, piece.to)
    this.#of.onProgress?.(piece.bytesDone, piece.bytesTotal)
    for (const [i, line] of piece.lines.entries()) {
      const index = piece.firstIndex + i
      if (this.#next && this.#next.size <= index) await this.#checkpointsAt(index)
      const entry = this.#walk.take(line)
      this.#checkMonth(entry, piece.month, index)
      if (this.#tiles.append(leafHash(line))) await this.#tiles.compare()
      for (; this.#named < this.#walk.keys.length; this.#named++) {
        const key = this.#walk.keys[this.#named]
        if (key) this.#trust.name(key)
      }
    }
  }

  #checkMonth(
    entry: Readonly<Record<string, unknown>> | undefined,
    month: string,
    index: number,
  ): void {
    const time = entry?.['time']
    if (typeof time === 'string' && !time.startsWith(month)) {
      this.#findings.add('wrong', placeOf(index), `stands among the entries of ${month}`)
    }
  }

  /** Segments that were removed: the tiles give the hashes of what stood in them. */
  async #skip(from: number, to: number): Promise<void> {
    this.#proofOnly.push({ from, to })
    for (let index = from; index < to; index++) {
      await this.#checkpointsAt(index)
      if (await this.#tiles.appendKept(index)) continue
      const words = 'is neither in a segment nor in a tile: nothing behind it can be proven'
      this.#findings.add('wrong', placeOf(index), words)
      return
    }
    this.#walk.skipTo(to)
  }

  /** Every checkpoint of a tree of this size: its root is the one of the entries so far. */
  async #checkpointsAt(size: number): Promise<void> {
    while (this.#next && this.#next.size <= size) {
      this.#checkpoints++
      const { note } = this.#next
      this.#checkNote(note, `checkpoint ${this.#checkpoints}`, this.#tiles.frontier)
      if (note === this.#synced) this.#synced = undefined
      this.#cosigned?.pass(note)
      this.#lastNote = note
      await this.#nextNote()
    }
  }

  async #nextNote(): Promise<void> {
    const kept = await this.#notes?.next()
    this.#next = undefined
    if (!kept || kept.done === true) return
    const { isWhole, note } = kept.value
    if (isWhole) this.#next = { note, size: sizeOf(note) }
    else {
      const words = 'It ends in the middle of a note: an unfinished write, or damage.'
      this.#findings.add('unsure', 'checkpoints.log', words)
    }
  }

  #checkNote(note: string, place: string, frontier: Frontier): void {
    try {
      const opened = this.#trust.open(note, this.#origin)
      if (opened.note.unknown.length > 0) this.#isUnsettled = true
      if (this.#isOfTree(opened, place, frontier))
        this.#signed = Math.max(this.#signed, opened.size)
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      const claimed = error.code === 'signature_missing' ? claimOf(note) : undefined
      if (!claimed) this.#findings.add('wrong', place, error.message)
      // Whose it is may be told by an entry behind it.
      else if (this.#isOfTree(claimed, place, frontier)) this.#isUnsettled = true
    }
  }

  #isOfTree({ root, size }: Checkpoint, place: string, frontier: Frontier): boolean {
    if (size !== frontier.size) {
      this.#findings.add('wrong', place, `is of ${size} entries; the log is at ${frontier.size}`)
      return false
    }
    if (root.equals(frontier.root())) return true
    const words = `signs another tree: an entry before ${size} was changed, removed or added`
    this.#findings.add('wrong', place, words)
    return false
  }

  /** The signatures once more, now that all keys are named: their trees were compared already. */
  async #settle(): Promise<void> {
    this.#trust.believePast(this.#signed)
    let count = 0
    for await (const { isWhole, note } of readNotes(this.#of.disk, this.#folder)) {
      const place = `checkpoint ${++count}`
      if (!isWhole) return
      try {
        const { unknown } = this.#trust.open(note, this.#origin).note
        if (unknown.length > 0) this.#findings.add('unsure', place, unnamedWords)
      } catch (error) {
        if (!(error instanceof Unproven)) throw error
        this.#findings.add('wrong', place, error.message)
      }
    }
  }

  async #finish(): Promise<void> {
    if (this.#isUnsettled && this.#trust.hasKeys) await this.#settle()
    if (this.#next) {
      const words = `The log ends at entry ${this.#tiles.size}, but a checkpoint of ${this.#next.size} entries was signed.`
      this.#findings.add('wrong', 'checkpoints.log', words)
    }
    if (this.#synced !== undefined) {
      this.#findings.add('wrong', 'synced', 'It is none of the notes in checkpoints.log.')
    }
    await checkNames(this.#of.disk, this.#folder, this.#findings)
    await this.#checkNewest()
    this.#cosigned?.check(this.#trust, this.#origin, this.#findings)
    await this.#checkOlder()
    await this.#checkHeads()
    await checkTorn(this.#of.disk, this.#folder, this.#walk.torn, this.#findings)
    checkRemovals(this.#proofOnly, this.#walk.removals, this.#findings)
    await this.#tiles.checkFiles()
    await this.#checkTail()
  }

  /** `checkpoint` shows the last note of the log of them, with cosignatures of witnesses perhaps. */
  async #checkNewest(): Promise<void> {
    const last = this.#lastNote
    const shown = await this.#file('checkpoint')
    if (this.#next || shown === last) return
    if (shown === undefined) {
      this.#findings.add('wrong', 'checkpoint', 'The newest checkpoint is missing.')
    } else if (last === undefined || !this.#isCosigned(shown, last)) {
      this.#findings.add('wrong', 'checkpoint', 'It is not the last one of checkpoints.log.')
    }
  }

  /** The same checkpoint with more signatures, each of a key that is known. */
  #isCosigned(shown: string, last: string): boolean {
    try {
      const { note } = this.#trust.open(shown, this.#origin)
      const { lines, text } = splitNote(last)
      return note.text === text && note.unknown.length === 0 && note.verified.length > lines.length
    } catch (error) {
      if (error instanceof Unproven) return false
      throw error
    }
  }

  async #file(name: string): Promise<string | undefined> {
    const { disk } = this.#of
    if (!(await disk.list(this.#folder)).includes(name)) return undefined
    return Buffer.from(await readWhole(disk, join(this.#folder, name))).toString('utf8')
  }

  /** What the verifier kept elsewhere: the log may have grown since, and nothing else. */
  async #checkOlder(): Promise<void> {
    for (const [i, note] of this.#of.older.entries()) {
      const place = `checkpoint ${i + 1} of yours`
      try {
        const opened = this.#trust.open(note, this.#origin)
        if (opened.size > this.#tiles.size) {
          const words = `signs ${opened.size} entries, the log holds ${this.#tiles.size}: it was rolled back`
          this.#findings.add('wrong', place, words)
        } else if (!(await this.#tiles.rootAt(opened.size))?.equals(opened.root)) {
          this.#findings.add('wrong', place, 'signs another history than the one in this log')
        }
      } catch (error) {
        if (!(error instanceof Unproven)) throw error
        this.#findings.add('wrong', place, error.message)
      }
    }
  }

  /** The roll-up names a tree of this log, which is one of its past. */
  async #checkHeads(): Promise<void> {
    const { heads } = this.#of
    if (heads === undefined || !this.#trust.hasKeys) return
    try {
      const head = headOf(this.#trust.openText(heads), this.#origin)
      if (head.size > this.#tiles.size) {
        const words = `names ${head.size} entries, the log holds ${this.#tiles.size}: it was rolled back`
        this.#findings.add('wrong', 'heads', words)
      } else if (!(await this.#tiles.rootAt(head.size))?.equals(head.root)) {
        this.#findings.add('wrong', 'heads', 'names another history than the one in this log')
      }
    } catch (error) {
      if (!(error instanceof Unproven)) throw error
      this.#findings.add('wrong', 'heads', error.message)
    }
  }

  async #checkTail(): Promise<void> {
    const { size } = this.#tiles
    if (this.#signed === size || !this.#trust.hasKeys) return
    const words = `The last ${size - this.#signed} of ${size} entries are under no signed checkpoint yet`
    const lives = await isLive(this.#of.disk, this.#folder)
    if (lives) this.#findings.add('note', placeOf(this.#signed), `${words}: the gateway runs`)
    else
      this.#findings.add(
        'unsure',
        placeOf(this.#signed),
        `${words}. A start of the gateway signs them`,
      )
  }

  #report(): LogReport {
    const { frontier } = this.#tiles
    return {
      origin: this.#origin,
      totals: this.#walk.totals,
      signed: this.#signed,
      size: frontier.size,
      root: frontier.root().toString('base64'),
      checkpoints: this.#checkpoints,
      open: this.#walk.open,
      witnesses: this.#cosigned?.seen ?? [],
      namedKeys: Array.from(new Set(this.#walk.keys.map(({ vkey }) => vkey))),
      proofOnly: this.#proofOnly,
      findings: this.#findings,
    }
  }
}

const unnamedWords = 'It has signatures of keys that neither you nor the log named'

/** How many entries a note speaks of; 0 when that cannot be told, which is told when it is opened. */
function sizeOf(note: string): number {
  return claimOf(note)?.size ?? 0
}

function claimOf(note: string): Checkpoint | undefined {
  try {
    return parseCheckpoint(splitNote(note).text)
  } catch {
    return undefined
  }
}
