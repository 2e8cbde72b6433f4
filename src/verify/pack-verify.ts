/**
 * A pack, verified whole: every file by the signed manifest, every entry by its proof, every body by
 * its digest and its key. Files are read in pieces; one entry with its body is in memory at a time.
 */
import { openCheckpoint, parseCheckpoint } from '../tlog/checkpoint.ts'
import { openNote, splitNote } from '../tlog/note.ts'
import { Unproven } from '../tlog/unproven.ts'
import { Findings } from './findings.ts'
import { PackEntries } from './pack-entries.ts'
import { digestFile, linesOf, packReader, readSmall } from './pack-folder.ts'
import { countNames, parseHandover, parseManifest, parseWitnessed } from './pack-format.ts'
import { PackKeys } from './pack-keys.ts'
import { PackWitnesses } from './pack-witnesses.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import type { EntriesSeen } from './pack-entries.ts'
import type { PackFolder } from './pack-folder.ts'
import type { Manifest } from './pack-format.ts'
import type { Sight } from './pack-witnesses.ts'

/** Whom the verifier trusts: vkeys (C2SP signed-note), got elsewhere than from the pack. */
export interface PackTrust {
  readonly keys: readonly string[]
  readonly witnesses: readonly string[]
}

/** What was verified. */
export interface PackReport {
  /** Undefined when the manifest cannot be read: then nothing else was looked at. */
  readonly manifest: Manifest | undefined
  /** Of the log, under which all entries of the pack stand; undefined when it cannot be read. */
  readonly checkpoint: Checkpoint | undefined
  /** What the verifier's witnesses have signed. */
  readonly witnessed: readonly Sight[]
  readonly seen: EntriesSeen | undefined
  /** Keys that the pack names, for comparing; they are not trusted for standing here. */
  readonly namedKeys: readonly string[]
  readonly findings: Findings
}

export { packReader }

const noteBytesMax = 1_048_576
const longLineBytesMax = 1_048_576

/** What every pack has. */
const needed = [
  'README.txt',
  'bodies.bin',
  'checkpoint',
  'entries.jsonl',
  'handovers.jsonl',
  'keys.jsonl',
  'log.vkey',
  'proofs.jsonl',
  'replay.html',
  'replay.txt',
  'verify.mjs',
  'witnessed.jsonl',
]

/**
 * Verifies one pack.
 * @throws {Unproven} `key_malformed` or `key_unsupported` for a key of the verifier's; else only for
 *   what the disk does: whatever the files say is a finding.
 */
export async function reportPack(folder: PackFolder, trust: PackTrust): Promise<PackReport> {
  return await new PackRun(folder, trust).verify()
}

class PackRun {
  readonly #folder: PackFolder
  readonly #findings = new Findings()
  readonly #given: PackKeys
  readonly #witnesses: PackWitnesses
  #keys: PackKeys
  #namedKeys: string[] = []

  constructor(folder: PackFolder, { keys, witnesses }: PackTrust) {
    this.#folder = folder
    this.#given = new PackKeys(keys)
    this.#keys = this.#given
    this.#witnesses = new PackWitnesses(witnesses)
  }

  async verify(): Promise<PackReport> {
    const note = await this.#tell('manifest', () => this.#small('manifest'))
    const unsigned = note && (await this.#tell('manifest', () => splitNote(note).text))
    const manifest =
      unsigned === undefined
        ? undefined
        : await this.#tell('manifest', () => parseManifest(unsigned))
    if (!note || !manifest) return this.#report(manifest, undefined, undefined)
    await this.#chooseKeys()
    await this.#takeHandovers(manifest.origin)
    await this.#tell('manifest', () => openNote(note, this.#keys.verifiers))
    await this.#checkFiles(manifest)
    const checkpoint = await this.#openCheckpoint(manifest)
    if (!checkpoint) return this.#report(manifest, checkpoint, undefined)
    await this.#takeWitnessed(checkpoint)
    for (const index of this.#keys.forksFrom(checkpoint)) {
      const words =
        'The tree that the old key signed is not the beginning of the tree of this pack.'
      this.#findings.add('wrong', `handover ${index}`, words)
    }
    const entries = new PackEntries(this.#folder, manifest, checkpoint, this.#findings)
    const seen = await this.#tell('entries', () => entries.verify())
    return this.#report(manifest, checkpoint, seen)
  }

  /** Without a key of the verifier's everything is checked all the same, and nothing is proven. */
  async #chooseKeys(): Promise<void> {
    const text = await this.#tell('log.vkey', () => this.#small('log.vkey'))
    this.#namedKeys = (text?.toString() ?? '').split('\n').filter((line) => line !== '')
    if (this.#given.hasKeys) return
    const words =
      'You gave no key of the log (Ed25519), so this was checked with the key found in the pack, ' +
      'which anybody can have put there. Get the key from whoever runs the log, by another way.'
    this.#findings.add('unsure', 'keys', words)
    this.#keys = (await this.#tell('log.vkey', () => new PackKeys(this.#namedKeys))) ?? this.#given
  }

  async #takeHandovers(origin: string): Promise<void> {
    await this.#tell('handovers.jsonl', async () => {
      for await (const line of linesOf(this.#folder, 'handovers.jsonl', longLineBytesMax)) {
        const handover = parseHandover(line)
        const place = `handover ${handover.index}`
        await this.#tell(place, () => this.#keys.takeHandover(handover, origin))
      }
    })
  }

  async #takeWitnessed(checkpoint: Checkpoint): Promise<void> {
    await this.#tell('witnessed.jsonl', async () => {
      for await (const line of linesOf(this.#folder, 'witnessed.jsonl', longLineBytesMax)) {
        this.#witnesses.takeOlder(parseWitnessed(line), this.#keys.verifiers, checkpoint)
      }
    })
    const { missing } = this.#witnesses
    if (missing === 0) return
    const words = `${missing} of the witnesses that you named have signed nothing in this pack`
    this.#findings.add('unsure', 'checkpoint', words)
  }

  /** Each file is the one that was signed; there is none besides, and none is missing. */
  async #checkFiles({ files }: Manifest): Promise<void> {
    const { files: there, odd } = await this.#folder.list()
    const listed = new Set(files.map(({ path }) => path))
    for (const path of odd) this.#findings.add('wrong', path, 'It is neither a file nor a folder.')
    for (const path of there) {
      if (path !== 'manifest' && !listed.has(path)) {
        this.#findings.add('wrong', path, 'The manifest does not name this file.')
      }
    }
    for (const path of needed) {
      if (!listed.has(path)) this.#findings.add('wrong', path, 'No pack is without this file.')
    }
    for (const { path, sha256, size } of files) {
      if (!there.includes(path)) {
        this.#findings.add('wrong', path, 'The file is missing.')
        continue
      }
      const found = await digestFile(this.#folder, path)
      if (found.sha256 !== sha256 || found.size !== size) {
        this.#findings.add(
          'wrong',
          path,
          'The file is not the one that was signed: it was changed.',
        )
      }
    }
  }

  async #openCheckpoint(manifest: Manifest): Promise<Checkpoint | undefined> {
    const note = await this.#tell('checkpoint', () => this.#small('checkpoint'))
    if (!note) return undefined
    const { origin } = manifest
    const opened = await this.#tell('checkpoint', () => {
      return openCheckpoint(note, origin, this.#keys.verifiers, this.#witnesses.verifiers)
    })
    if (opened) this.#witnesses.take(opened)
    // What is not signed is still compared with the rest: that tells where it was changed.
    const checkpoint =
      opened ?? (await this.#tell('checkpoint', () => parseCheckpoint(splitNote(note).text)))
    if (checkpoint && checkpoint.size !== manifest.checkpoint) {
      this.#findings.add('wrong', 'checkpoint', 'It is not the one that the manifest speaks of.')
    }
    return checkpoint
  }

  /** What `make` gives; its refusal becomes a finding. */
  async #tell<T>(place: string, make: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await make()
    } catch (error) {
      const words = wordsOf(error)
      if (words === undefined) throw error
      this.#findings.add('wrong', place, words)
      return undefined
    }
  }

  #small(path: string): Promise<Buffer> {
    return readSmall(this.#folder, path, noteBytesMax)
  }

  #report(
    manifest: Manifest | undefined,
    checkpoint: Checkpoint | undefined,
    seen: EntriesSeen | undefined,
  ): PackReport {
    const { counts } = manifest ?? {}
    if (counts && seen) {
      for (const name of countNames) {
        const said = counts[name]
        const found = seen.counts[name]
        if (found === said) continue
        const words = `It says ${said} ${name}; there are ${found}.`
        this.#findings.add('wrong', 'manifest', words)
      }
    }
    return {
      manifest,
      checkpoint,
      witnessed: this.#witnesses.seen,
      seen,
      namedKeys: this.#namedKeys,
      findings: this.#findings,
    }
  }
}

/** Words for what the files cause; undefined for what is no fault of theirs. */
function wordsOf(error: unknown): string | undefined {
  if (error instanceof Unproven) return error.message
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  return isMissing ? 'The file is missing.' : undefined
}
