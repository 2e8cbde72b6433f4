/** `sallyport audit`: what an auditor runs, and what is given to one. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { systemClock } from '../base/clock.ts'
import { readWhole, realDisk } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { createMasker } from '../mask/masker.ts'
import { listWriters, readOrigin } from '../record/read.ts'
import type { RecordPlace } from '../record/read.ts'
import { isObject } from '../record/unfinished.ts'
import { checkpointKeys, vkeysOf } from '../record/tree-keys.ts'
import { replay } from '../replay/replay.ts'
import { verifyFolder } from '../verify/folder.ts'
import { Findings } from '../verify/findings.ts'
import type { ExitCode } from '../verify/findings.ts'
import { verifyHttp } from '../verify/http.ts'
import { packReader, reportPack } from '../verify/pack-verify.ts'
import { packLines } from '../verify/pack-words.ts'
import { makePack } from '../verify/pack-make.ts'
import { proveEntry } from '../verify/prove.ts'
import { ask } from './ask.ts'
import { askGateway } from './control.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'
import { openKeys, readSigningKeys } from './keys.ts'
import { recordPlace, settingsOf } from './record-parts.ts'
import { printReport, progressOn } from './report.ts'
import { version } from './version.ts'

export interface VerifyOptions extends Where {
  readonly key?: readonly string[]
  readonly checkpoint?: readonly string[]
  readonly witness?: readonly string[]
  readonly token?: string
  readonly json?: boolean
}

/** @returns 0 proven, 1 disproven, 2 cannot tell. */
export async function verifyCommand(
  target: string | undefined,
  options: VerifyOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const older = (options.checkpoint ?? []).map((file) => readFileSync(file, 'utf8'))
  const given = { keys: options.key ?? [], witnesses: options.witness ?? [], older }
  const progress = progressOn(errors)
  try {
    if (target !== undefined && /^https?:/.test(target)) {
      const { token } = options
      const report = await verifyHttp({ ...given, url: target, token, onProgress: progress.show })
      progress.end()
      printReport([report], report.findings, options, out)
      return report.findings.exitCode
    }
    if (target !== undefined && existsSync(join(target, 'manifest'))) {
      const report = await reportPack(packReader(target), given)
      if (options.json === true) printReport([], report.findings, options, out)
      else
        out.write(
          packLines(report)
            .map((line) => `${line}\n`)
            .join(''),
        )
      return report.findings.exitCode
    }
    return await verifyDataFolder(target, { ...given, options, out, errors, show: progress.show })
  } finally {
    progress.end()
  }
}

async function verifyDataFolder(
  target: string | undefined,
  of: {
    keys: readonly string[]
    witnesses: readonly string[]
    older: readonly string[]
    options: VerifyOptions
    out: Writable
    errors: Writable
    show: (done: number, total: number) => void
  },
): Promise<ExitCode> {
  const dataDir = target === undefined ? findDataDir(of.options) : resolve(target)
  // A running gateway signs what it has, so that the end of the log is covered too.
  await askGateway(dataDir, { what: 'sign' }, userInfo().username).then(drain, () => undefined)
  const dir = existsSync(join(dataDir, 'record')) ? join(dataDir, 'record') : dataDir
  const writers = await listWriters(realDisk, dir)
  // The roll-up is signed by one writer; with several it is for the one whose key was given.
  const heads = writers.length === 1 ? await headsIn(dir) : undefined
  const logs = []
  const all = new Findings()
  for (const writer of writers) {
    const place = { disk: realDisk, dir, writer }
    if ((await readOrigin(place)) === undefined) continue
    const keys = of.keys.length > 0 ? of.keys : await ownKeys(dataDir, place, of.errors)
    const { older, show, witnesses } = of
    const report = await verifyFolder({ ...place, keys, witnesses, older, heads, onProgress: show })
    logs.push(report)
    for (const { place: where, weight, words } of report.findings.list()) {
      all.add(weight, writers.length > 1 ? `${writer}/${where}` : where, words)
    }
  }
  if (logs.length === 0) {
    const message = `There is no record in ${dataDir}. Name a data folder, a pack, or a log's address.`
    throw new Fault('path_unknown', message)
  }
  printReport(logs, all, of.options, of.out)
  return all.exitCode
}

async function headsIn(dir: string): Promise<string | undefined> {
  if (!(await realDisk.list(dir)).includes('heads')) return undefined
  return Buffer.from(await readWhole(realDisk, join(dir, 'heads'))).toString('utf8')
}

/** Without a key of the verifier's own: the one that lies in the folder, which proves less. */
async function ownKeys(dataDir: string, place: RecordPlace, errors: Writable): Promise<string[]> {
  const keys = readSigningKeys(dataDir)
  if (!keys) return []
  errors.write(
    'No --key was given: the public key of this folder is used. That proves the record against ' +
      'everybody but those who hold the folder. Keep "sallyport audit key" elsewhere, and give it.\n',
  )
  return vkeysOf((await readOrigin(place)) ?? '', keys)
}

/** Prints the public keys of the log, one a line. */
export async function keyCommand(options: Where, out: Writable): Promise<number> {
  const dataDir = findDataDir(options)
  const place = placeOf(options)
  if ((await readOrigin(place)) === undefined) {
    const message = 'The log has no name yet. Start the gateway once, then ask again.'
    throw new Fault('path_unknown', message)
  }
  for (const vkey of vkeysOf((await readOrigin(place)) ?? '', openKeys(dataDir).signing)) {
    out.write(`${vkey}\n`)
  }
  return 0
}

export interface ProveOptions extends Where {
  readonly out?: string
}

/** The proof of one entry as a file or on standard output. @returns 2 for an index that is none. */
export async function proveCommand(
  text: string,
  options: ProveOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const index = Number(text)
  if (!/^\d{1,15}$/.test(text)) {
    errors.write('An index is a whole number from 0.\n')
    return 2
  }
  const dataDir = findDataDir(options)
  await askGateway(dataDir, { what: 'sign' }, userInfo().username).then(drain)
  const place = placeOf(options)
  const { line, proof } = await proveEntry(place, index)
  const exporting = {
    what: 'exporting',
    kind: 'proof',
    query: text,
    entries: 1,
    bodies: 0,
  } as const
  await ask(exporting, options, { out, errors })
  if (options.out === undefined) out.write(proof)
  else {
    writeFileSync(options.out, proof, { flag: 'wx' })
    writeFileSync(`${options.out}.json`, line, { flag: 'wx' })
    errors.write(`Wrote ${options.out}, and the entry itself as ${options.out}.json.\n`)
  }
  return 0
}

export interface PackOptions extends Where {
  readonly out: string
  readonly query?: string
}

/** A folder with sessions, their proofs and a verifier. @returns 2 when nothing was named. */
export async function packCommand(
  ids: readonly string[],
  options: PackOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const { query } = options
  if (ids.length === 0 && query === undefined) {
    errors.write('Name sessions, or find them by --query.\n')
    return 2
  }
  const dataDir = findDataDir(options)
  const found = query === undefined ? [] : await sessionsFor(query, options, errors)
  const shows = new Set([...ids, ...found])
  await askGateway(dataDir, { what: 'sign' }, userInfo().username).then(drain)
  const place = placeOf(options)
  const origin = (await readOrigin(place)) ?? ''
  const keys = openKeys(dataDir)
  const asked = createMasker({ sealKey: keys.seal }).word(query ?? ids.join(' ')).value
  const counts = await makePack({
    place,
    out: resolve(options.out),
    shows,
    asked,
    signers: checkpointKeys(origin, keys.signing).signers,
    vkeys: vkeysOf(origin, keys.signing),
    version,
    now: new Date(),
    replay,
  })
  const exporting = { what: 'exporting', kind: 'pack', query: asked } as const
  const sizes = { entries: counts.entries, bodies: counts.keys }
  try {
    await ask({ ...exporting, ...sizes }, options, { out, errors })
  } catch (error) {
    // What cannot be recorded is not handed out.
    rmSync(resolve(options.out), { recursive: true, force: true })
    throw error
  }
  out.write(`${JSON.stringify({ out: resolve(options.out), ...counts })}\n`)
  return 0
}

/** The sessions of all that a query finds, through the gateway or without it. */
async function sessionsFor(query: string, where: Where, errors: Writable): Promise<string[]> {
  const names = new Set<string>()
  for (let cursor: string | undefined; ;) {
    const chunks: Buffer[] = []
    const out = new Writable({
      write: (chunk: Buffer, _, done) => {
        chunks.push(chunk)
        done()
      },
    })
    const page = {
      what: 'search',
      query,
      limit: 1000,
      cursor,
      order: 'oldest',
      format: 'jsonl',
    } as const
    await ask(page, where, { out, errors })
    const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
    const found = lines.map(objectOf)
    for (const { exchange, session } of found.slice(0, -1)) {
      const name = session ?? exchange
      if (typeof name === 'string') names.add(name)
    }
    const next = found.at(-1)?.['cursor']
    if (typeof next !== 'string') return Array.from(names)
    cursor = next
  }
}

function objectOf(line: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(line)
  return isObject(value) ? value : {}
}

function placeOf(where: Where): RecordPlace {
  const { key } = settingsOf(where)
  const parts = { key, env: process.env, clock: systemClock(), hide: () => undefined }
  return recordPlace(findDataDir(where), parts)
}

async function drain(lines: AsyncIterable<Buffer> | undefined): Promise<void> {
  for await (const _ of lines ?? []) continue
}
