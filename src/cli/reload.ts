/** Takes up a changed configuration file while the gateway runs: whole, or not at all. */
import { createHash } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { Fault } from '../base/fault.ts'
import { checkConfig, showMistake } from '../config/config.ts'
import type { CheckedConfig, Config } from '../config/config.ts'
import type { Log } from '../exchange/stations.ts'
import type { Stops } from '../exchange/stop.ts'
import type { Note } from '../record/notes.ts'
import { isSame, keepLast, needRestart, noteChange, rulesOf } from './in-force.ts'
import type { InForce, Live } from './in-force.ts'
import type { RecordWatch } from './record-watch.ts'

/** How often the file is looked at. */
const lookMs = 2000

export interface ReloadParts {
  readonly checked: CheckedConfig
  readonly dataDir: string
  readonly live: Live
  /** Ports that were really taken. */
  readonly ports: { readonly gateway: number; readonly console: number }
  readonly make: (config: Config, sha256: string) => InForce
  readonly stops: Pick<Stops, 'recheck'>
  readonly note: Note
  readonly watch: RecordWatch
  readonly log: Log
}

export interface Reload {
  /**
   * Reads the file again. @param by who asked.
   * @returns whether anything changed.
   * @throws {Fault} `config_bad` with every mistake, or the parts that need a restart; nothing of the
   *   file was taken then. `record_down` where the change cannot be recorded.
   */
  now(by: string): Promise<boolean>
  close(): void
}

export function openReload(parts: ReloadParts): Reload {
  const { checked, log, watch } = parts
  let turn: Promise<unknown> = Promise.resolve()
  const now = (by: string): Promise<boolean> => {
    const next = turn.then(() => take(by, parts))
    turn = next.catch(() => undefined) // Whoever asked is told; the next one is not held up.
    return next.then((taken) => {
      if (taken !== undefined) look(taken)
      return taken !== undefined
    })
  }
  const byItself = (by: string): void => {
    now(by).then(
      (isNew) => {
        if (isNew) log.info({ by }, 'configuration taken up')
        watch.restored('configuration', log)
      },
      (error: unknown) => {
        // The file that was good stays in force, and the control that watches it says so.
        const { code, message } =
          error instanceof Fault ? error : { code: 'defect', message: 'a defect' }
        log.error({ by, mistakes: message.split('\n') }, 'configuration not taken up')
        watch.failed('configuration', code, log)
      },
    )
  }
  const onHangUp = (): void => byItself('SIGHUP')
  const onLook = (
    is: { mtimeMs: number; ino: number },
    was: { mtimeMs: number; ino: number },
  ): void => {
    if (is.mtimeMs !== was.mtimeMs || is.ino !== was.ino) byItself('file')
  }
  process.on('SIGHUP', onHangUp)
  const watched = new Set<string>()
  let isClosed = false
  const look = ({ file, profileFiles }: CheckedConfig): void => {
    for (const each of [file, ...profileFiles]) {
      if (watched.has(each) || isClosed) continue
      watched.add(each)
      watchFile(each, { interval: lookMs, persistent: false }, onLook)
    }
  }
  look(checked)
  // Changed while the gateway started: the watch takes what is there now for what was read.
  if (isOther(checked)) byItself('file')
  return {
    now,
    close: () => {
      process.off('SIGHUP', onHangUp)
      isClosed = true
      for (const file of watched) unwatchFile(file, onLook)
    },
  }
}

function isOther({ file, sha256 }: CheckedConfig): boolean {
  try {
    return createHash('sha256').update(readFileSync(file, 'utf8')).digest('hex') !== sha256
  } catch {
    return false // It cannot be read now; when it can be, the watch sees it.
  }
}

/** @returns the file where anything changed. */
async function take(by: string, parts: ReloadParts): Promise<CheckedConfig | undefined> {
  const { checked: first, dataDir, live, make, note, ports, stops } = parts
  const checked = read(first.file)
  const config = checked.withPorts(ports.gateway, ports.console)
  if (isSame(live.now, config, checked.sha256)) return undefined
  const fixed = needRestart(live.now.config, config)
  if (fixed.length > 0) {
    const message = `These parts of the file changed and are read at start-up only: ${fixed.join(', ')}. Nothing of it was taken; restart the gateway.`
    throw new Fault('config_bad', message, { facts: { reason: 'restart' } })
  }
  const next = make(config, checked.sha256)
  // Recorded before it is in force: nobody gets by a grant which the record does not know.
  await noteChange(rulesOf(live.now), rulesOf(next), by, note)
  live.replace(next)
  await stops.recheck()
  // Last: where it cannot be kept, the next start records the change a second time.
  keepLast(dataDir, rulesOf(next))
  return checked
}

function read(file: string): CheckedConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault(
      'config_bad',
      'The configuration file cannot be read; the one in force stays.',
      {
        cause,
      },
    )
  }
  const { checked, mistakes } = checkConfig(text, file)
  if (checked !== undefined) return checked
  const lines = mistakes.map((mistake) => showMistake(mistake, file))
  throw new Fault('config_bad', `Nothing of the file was taken:\n${lines.join('\n')}`)
}
