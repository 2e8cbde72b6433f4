/** The pins in memory, by connection, and what of them is to be written. */
import { NameIndex, hashedKey, isPlainName } from './pins-names.ts'
import type { ListRow, Pending, Pinned, PinState, TextRow } from './pins-rows.ts'
import { PinTables } from './pins-tables.ts'
import type { Place } from './pins-tables.ts'
import type { Told, ToldChange } from './pins-told.ts'

/** Of one connection, and of all. More are not pinned, and count as changed. */
const toolsMax = 20_000
const allToolsMax = 50_000

export interface Pin {
  readonly connection: string
  readonly key: string
  readonly name: string
  readonly pinnedMs: number
  state: PinState
  /** Hash of the bytes that were read last, and of the form they are of. */
  read: { readonly raw: string; readonly sha256: string } | undefined
  /** The form that was last seen. */
  latest: string | undefined
  /** The state could not be written. */
  isUnwritten: boolean
}

export interface List {
  readonly connection: string
  readonly pins: Map<string, Pin>
  isComplete: boolean
  isExcessive: boolean
  /** Hashes of pages that change nothing as things stand. */
  readonly quiet: Set<string>
  /** Written, and not in the record yet. */
  readonly untold: Told[]
  telling: Promise<void> | undefined
}

/** What is written at once. */
export interface Writing {
  readonly pins: Set<Pin>
  readonly texts: (readonly [pin: Pin, of: Place, row: TextRow])[]
  list: ListRow | undefined
}

export class PinLists {
  readonly tables: PinTables
  readonly names: NameIndex = new NameIndex()
  readonly #lists = new Map<string, List>()
  #count = 0

  /** @throws {Fault} `identity_down`, reason `state_file`. */
  static open(file: string): PinLists {
    const tables = new PinTables(file)
    try {
      return new PinLists(tables)
    } catch (error) {
      tables.close()
      throw error
    }
  }

  private constructor(tables: PinTables) {
    this.tables = tables
    const { lists, pins } = tables.all()
    for (const row of lists) Object.assign(this.of(row.connection), row)
    for (const row of pins) {
      const list = this.of(row.connection)
      const pin: Pin = { ...row, read: undefined, latest: undefined, isUnwritten: false }
      this.add(list, pin)
      // A crash between the write and the entry: it is told with the next list.
      if (pin.state.isUntold) list.untold.push(toldOf(pin))
    }
  }

  of(connection: string): List {
    const known = this.#lists.get(connection)
    if (known) return known
    const state = { quiet: new Set<string>(), untold: [], telling: undefined }
    const flags = { isComplete: false, isExcessive: false }
    const made: List = { connection, pins: new Map<string, Pin>(), ...flags, ...state }
    this.#lists.set(connection, made)
    return made
  }

  known(connection: string): List | undefined {
    return this.#lists.get(connection)
  }

  find(list: List, tool: string): Pin | undefined {
    const plain = tool.startsWith('#') ? undefined : list.pins.get(tool)
    return plain ?? list.pins.get(hashedKey(tool))
  }

  all(connection?: string): Pin[] {
    const lists = connection === undefined ? [...this.#lists.values()] : [this.known(connection)]
    return lists.flatMap((list) => (list ? [...list.pins.values()] : []))
  }

  /** Of all connections. */
  get count(): number {
    return this.#count
  }

  hasRoom({ pins }: List): boolean {
    return pins.size < toolsMax && this.#count < allToolsMax
  }

  /** @returns what the name is taken for, or what is taken for it. */
  add(list: List, pin: Pin): ReturnType<NameIndex['add']> {
    list.pins.set(pin.key, pin)
    this.#count++
    return isPlainName(pin.key) ? this.names.add(pin.connection, pin.key) : []
  }

  /** Takes a pin back that could not be written. */
  remove(list: List, pin: Pin): void {
    if (list.pins.delete(pin.key)) this.#count--
    this.names.remove(pin.connection, pin.key)
  }

  /** @throws {Fault} `record_down`: nothing of it is written. */
  write(list: List, { list: row, pins, texts }: Writing): void {
    if (pins.size === 0 && row === undefined) return
    list.quiet.clear()
    try {
      this.tables.atOnce(() => {
        if (row) this.tables.putList(row)
        for (const pin of pins) this.tables.putPin(pin)
        for (const [pin, of, text] of texts) this.tables.putText(pin, of, text)
      })
      for (const pin of pins) pin.isUnwritten = false
    } catch (error) {
      for (const pin of pins) pin.isUnwritten = true
      throw error
    }
  }

  /** @throws {Fault} `record_down`: they are told once more after the next start. */
  setTold({ connection, pins }: List, keys: readonly string[]): void {
    for (const key of keys) {
      const pin = pins.get(key)
      if (pin) pin.state = { ...pin.state, isUntold: false }
    }
    if (keys.length > 0) this.tables.setTold(connection, keys)
  }

  /** @throws {Fault} `record_down`: nothing is forgotten. */
  forget(connection: string): void {
    this.tables.forget(connection)
    this.#count -= this.#lists.get(connection)?.pins.size ?? 0
    this.#lists.delete(connection)
    this.names.forget(connection)
  }
}

/** What was last to be recorded of a pin, by its state alone. */
function toldOf({ key, name, state }: Pin): ToldChange {
  const { backMs, isLate, isUnsteady, pending, pinned } = state
  if (pending === undefined) {
    return { change: isLate ? 'new' : 'pinned', key, tool: name, after: pinned.sha256 }
  }
  const change = isUnsteady ? 'unsteady' : backMs === undefined ? 'changed' : 'returned'
  return { change, key, tool: name, ...hashesOf(change, pinned, pending) }
}

/** What was seen before, and what is seen now. */
export function hashesOf(
  change: ToldChange['change'],
  pinned: Pick<Pinned, 'sha256'>,
  pending: Pick<Pending, 'id' | 'sha256'>,
): Pick<ToldChange, 'id' | 'before' | 'after'> {
  const [before, after] = [pinned.sha256, pending.sha256]
  const { id } = pending
  return change === 'returned' ? { id, before: after, after: before } : { id, before, after }
}
