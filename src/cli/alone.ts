/** The desk of a command that works on a data folder by itself, as no gateway runs there. */
import { join } from 'node:path'
import { realDisk } from '../base/disk.ts'
import { systemClock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import { openPins } from '../inspect/pins-store.ts'
import { createMasker } from '../mask/masker.ts'
import { createNote } from '../record/notes.ts'
import { openAccounts } from '../signin/accounts.ts'
import { openRecord } from '../record/record.ts'
import type { RecordPlace } from '../record/read.ts'
import { checkpointKeys } from '../record/tree-keys.ts'
import type { SigningKeys } from '../record/tree-keys.ts'
import { LogTree } from '../record/tree.ts'
import { catchUp } from '../search/follow.ts'
import { RecordIndex } from '../search/record-index.ts'
import type { AccessDesk } from './access-desk.ts'
import { createAloneStops } from './alone-stops.ts'
import type { Desk } from './desk.ts'
import { openKnown } from './identities.ts'
import { cardTokens, openKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import type { LocalAccountDesk } from './local-account.ts'
import { namedIn } from './people-parts.ts'
import { bodyKeysOf, indexLog, settingsOf, writer } from './record-parts.ts'
import type { Settings } from './record-parts.ts'
import type { Where } from './installation.ts'

/**
 * Takes the lock of the record, works, and signs what was recorded.
 * @throws {Fault} `record_down` with reason `locked` and others, as `openRecord` and `LogTree.open`.
 */
export async function withDesk<T>(
  dataDir: string,
  where: Where,
  work: (desk: Desk) => Promise<T>,
): Promise<T> {
  const clock = systemClock()
  const keys = openKeys(dataDir)
  const settings = settingsOf(where)
  const parts = { key: settings.key, env: process.env, clock, hide: () => undefined }
  const bodyKeys = await bodyKeysOf(dataDir, parts)
  const dir = join(dataDir, 'record')
  const { recorder, recovered } = await openRecord({
    dir,
    writer,
    disk: realDisk,
    clock,
    freeBytesMin: 1024 * 1024,
    segmentBytesMax: 64 * 1024 * 1024,
    bodyKeys,
  })
  const { origin } = recovered
  const place: RecordPlace = { disk: realDisk, dir, writer, bodyKeys }
  const index = new LazyIndex(dataDir, place, settings)
  const masker = createMasker({ sealKey: keys.seal })
  const people = await openPeople(dataDir, settings.config, { clock, keys, recorder, masker })
  let tree: LogTree | undefined
  const openTree = (signing: SigningKeys): Promise<LogTree> => {
    const at = { disk: realDisk, folder: join(dir, writer), origin }
    return LogTree.open({ ...at, keys: checkpointKeys(origin, signing) }, size())
  }
  const size = (): number => recorder.figures().durableIndex
  const sign = async (isLast: boolean): Promise<number> => {
    if (!tree) return 0
    await tree.grow(size())
    if ((tree.lastCheckpoint?.size ?? -1) < tree.size) {
      const note = await tree.publish(isLast)
      if (isLast) await tree.sync(note)
    }
    return tree.size
  }
  try {
    tree = await openTree(keys.signing)
    return await work({
      ...people.desk,
      dataDir,
      place,
      origin,
      clock,
      recorder,
      masker,
      find: (query, options) => index.find(query, options),
      cardToken: cardTokens(dataDir, settings.cardSearch),
      forget: (month, what) => index.forget(month, what),
      reindex: () => index.rebuild(),
      sign: () => sign(false),
      retention: settings.retention,
      rekey: async (signing) => {
        await tree?.close()
        tree = await openTree(signing)
      },
      ...withoutGateway,
    })
  } finally {
    await recorder.close()
    index.close()
    people.close()
    // Should it fail, the next start signs what is there.
    await sign(true).catch(() => undefined)
    await tree?.close()
  }
}

/** What only a running gateway does. */
const withoutGateway = { reload: undefined, exposures: undefined }

type PeopleDesk = Pick<Desk, keyof AccessDesk | keyof LocalAccountDesk | 'pins'>

/** The part of the desk that is about people and tools. */
async function openPeople(
  dataDir: string,
  config: Config | undefined,
  { clock, keys, masker, recorder }: Pick<Desk, 'clock' | 'masker' | 'recorder'> & { keys: Keys },
): Promise<{ desk: Omit<PeopleDesk, 'dataDir' | 'place'>; close(): void }> {
  const known = openKnown(dataDir, clock, keys.service)
  const file = join(dataDir, 'state.sqlite')
  const local = config?.identity.issuers.find(({ type }) => type === 'local')
  const signsIn = config !== undefined && config.identity.signIn.length > 0
  const accounts =
    signsIn && local?.type === 'local'
      ? openAccounts(file, { clock, issuer: local.issuer })
      : undefined
  const note = createNote(recorder, masker)
  const { directory, revocations, serviceAccounts } = known
  // Its library is slow to load, and most installations sign nobody in here.
  const passkeys = signsIn
    ? (await import('./own-passkeys.ts')).openOwnPasskeys(file, config, { clock, directory, note })
    : undefined
  const pins = openPins(file, { clock, note, masker })
  const stops = createAloneStops({ clock, recorder, masker, revocations })
  const lists = { directory, revocations, serviceAccounts, accounts, passkeys, pins }
  return {
    desk: { clock, recorder, masker, ...lists, ...stops, ...namedIn(config) },
    close: () => {
      accounts?.close()
      passkeys?.close()
      pins.close()
      known.close()
    },
  }
}

/** The index, opened and brought up to the log when it is first asked. */
export class LazyIndex {
  readonly #dir: string
  readonly #place: RecordPlace
  readonly #settings: Settings
  #index: RecordIndex | undefined

  /** @param dir in which the folder `index` is or will be: the data folder, as a rule. */
  constructor(dir: string, place: RecordPlace, settings: Settings) {
    this.#dir = dir
    this.#place = place
    this.#settings = settings
  }

  find: Desk['find'] = async (query, options) => {
    const index = this.#opened()
    await catchUp(index, indexLog(this.#place))
    return { ...index.search(query, { ...options, deadlineMs: 60_000 }), lag: 0 }
  }

  async forget(month: string, what: 'content' | 'month'): Promise<void> {
    const index = this.#opened()
    if (what === 'month') index.removeMonth(month)
    else index.forgetText(month)
    await Promise.resolve()
  }

  /** @returns how many entries were read. */
  async rebuild(): Promise<number> {
    const index = this.#opened()
    index.clear()
    let entries = 0
    await catchUp(index, indexLog(this.#place), { onAdded: (added) => (entries += added) })
    return entries
  }

  close(): void {
    this.#index?.close()
  }

  #opened(): RecordIndex {
    const { cardSearch, indexOutputs } = this.#settings
    const dir = join(this.#dir, 'index')
    const options = { isReadOnly: false, indexOutputs, cardSearch }
    return (this.#index ??= RecordIndex.open(dir, options))
  }
}
