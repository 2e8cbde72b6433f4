/**
 * The pins: in memory to be asked for every call, and in tables of `state.sqlite`. That a tool changed
 * counts before it is written, and is written and recorded before its list is released; what a person
 * accepted counts when it is recorded and written.
 */
import { hash } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Finding } from './facts.ts'
import { acceptPin, changeOf } from './pins-accept.ts'
import { difference } from './pins-difference.ts'
import { isChanged, isGood } from './pins-judge.ts'
import { Learning } from './pins-learn.ts'
import { PinLists } from './pins-lists.ts'
import type { List, Pin } from './pins-lists.ts'
import { tell } from './pins-told.ts'
import { lineOf } from './pins-words.ts'
import type { Acceptance, PendingChange, PinFacts, PinParts, PinnedTool, Pins } from './pins.ts'

/**
 * @param file the path of `state.sqlite`, or `:memory:`.
 * @throws {Fault} `identity_down`, reason `state_file`: the pins cannot be read in full.
 */
export function openPins(file: string, parts: PinParts): Pins {
  return new StoredPins(PinLists.open(file), parts)
}

/** Pages of a list that changed nothing, by connection. */
const quietMax = 64

class StoredPins implements Pins {
  readonly #lists: PinLists
  readonly #parts: PinParts
  /** Ids of differences somebody is accepting just now. */
  readonly #accepting = new Set<string>()

  constructor(lists: PinLists, parts: PinParts) {
    this.#lists = lists
    this.#parts = parts
  }

  learn(connection: string, tree: JsonTree, result: Node): Promise<void> | undefined {
    const tools = tree.get(result, 'tools')
    if (tools === NONE || tree.kind(tools) !== 'array') return undefined
    const list = this.#lists.of(connection)
    const isLast = !hasFurtherPage(tree, result)
    const page = hash('sha256', tree.raw(tools), 'base64')
    const isKnown = list.quiet.has(page) && (list.isComplete || !isLast)
    if (!isKnown && this.#learnPage(list, tree, tools, isLast)) {
      const [oldest] = list.quiet
      if (list.quiet.size >= quietMax && oldest !== undefined) list.quiet.delete(oldest)
      list.quiet.add(page)
    }
    return this.#tell(list)
  }

  /** @returns whether the same page would change nothing. */
  #learnPage(list: List, tree: JsonTree, tools: Node, isLast: boolean): boolean {
    const { clock, masker } = this.#parts
    const nowMs = Math.floor(clock.nowUs() / 1000)
    const learning = new Learning(this.#lists, list, {
      words: (value) => masker.words(value),
      nowMs,
    })
    return learning.page(tree, tools, isLast)
  }

  /** One after the other, so that whoever comes second waits for what the first began to record. */
  #tell(list: List): Promise<void> | undefined {
    if (list.untold.length === 0) return list.telling
    const before = list.telling?.catch(() => undefined) ?? Promise.resolve()
    const telling = before.then(async () => await this.#tellNow(list))
    list.telling = telling
    const end = (): void => {
      if (list.telling === telling) list.telling = undefined
    }
    telling.then(end, end)
    return telling
  }

  async #tellNow(list: List): Promise<void> {
    const all = list.untold.slice()
    if (all.length === 0) return
    await tell(list.connection, all, this.#parts.note)
    // A crash here: told again, by what the rows say.
    list.untold.splice(0, all.length)
    const open = new Set(list.untold.flatMap((told) => ('key' in told ? [told.key] : [])))
    const keys = all.flatMap((told) => ('key' in told && !open.has(told.key) ? [told.key] : []))
    this.#lists.setTold(list, keys)
  }

  facts(connection: string, tool: string): PinFacts | undefined {
    const list = this.#lists.known(connection)
    const pin = list && this.#lists.find(list, tool)
    if (pin === undefined) return list?.isExcessive === true ? unpinned : undefined
    const { description, isDestructive, isReadOnly, sha256 } = pin.state.pinned
    const isOther = isChanged(pin.state, this.#nowMs())
    return { description, isReadOnly, isDestructive, isChanged: isOther, sha256 }
  }

  seen(connection: string, tool: string): string | undefined {
    const list = this.#lists.known(connection)
    const pin = list && this.#lists.find(list, tool)
    return pin && lastSeen(pin)
  }

  twins(connection: string, tool: string): readonly Finding[] {
    const [twin] = this.#lists.names.twins(connection, tool)
    if (twin === undefined) return []
    const { confidence } = twin
    return [{ family: 'protocol', confidence, at: '/params/name', what: 'confusable_name' }]
  }

  list(connection?: string): readonly PinnedTool[] {
    const nowMs = this.#nowMs()
    return this.#lists.all(connection).map((pin) => {
      const { isDestructive, isReadOnly, sha256 } = pin.state.pinned
      const { connection: of, key, name: tool, pinnedMs } = pin
      const { isLate } = pin.state
      const standing = standingOf(pin, nowMs)
      return {
        connection: of,
        key,
        tool,
        standing,
        sha256,
        pinnedMs,
        isLate,
        isReadOnly,
        isDestructive,
      }
    })
  }

  changes(): readonly PendingChange[] {
    return this.#changed().map((pin) => changeOf(pin, this.#lists.tables))
  }

  difference(id: string): { change: PendingChange; lines: readonly string[] } {
    const pin = this.#byId(id)
    const { tables } = this.#lists
    const lines = difference(tables.text(pin, 'pinned').texts, tables.text(pin, 'pending').texts)
    // Masked when they were kept; what is shown is looked at once more as it is shown.
    const { value } = this.#parts.masker.words(lines)
    return { change: changeOf(pin, tables), lines: value }
  }

  async accept(id: string, of: Acceptance): Promise<PendingChange> {
    const pin = this.#byId(id)
    if (this.#accepting.has(id)) {
      throw new Fault('busy', 'This difference is being accepted just now. Look again in a moment.')
    }
    this.#accepting.add(id)
    try {
      return await acceptPin(pin, of, { lists: this.#lists, note: this.#parts.note })
    } finally {
      this.#accepting.delete(id)
    }
  }

  async forget(connection: string, of: Pick<Acceptance, 'by' | 'reason'>): Promise<number> {
    const tools = this.#lists.all(connection).length
    if (tools === 0) throw new Fault('path_unknown', 'No tool of such a connection is pinned.')
    const details = { change: 'forgotten', tools, reason: lineOf(of.reason) }
    await this.#parts.note('tool.changed', { principal: of.by, connection }, details)
    this.#lists.forget(connection)
    return tools
  }

  close(): void {
    this.#lists.tables.close()
  }

  #nowMs(): number {
    return this.#parts.clock.nowUs() / 1000
  }

  #changed(): Pin[] {
    const nowMs = this.#nowMs()
    return this.#lists.all().filter(({ state }) => isChanged(state, nowMs))
  }

  #byId(id: string): Pin {
    const found = this.#changed().find(({ state }) => state.pending?.id === id)
    if (found) return found
    const message =
      'There is no difference of this id to be accepted: the tool changed again, went back, or somebody accepted it. List them with "sallyport tools list".'
    throw new Fault('path_unknown', message)
  }
}

/** Fails closed: what could not be pinned counts as changed. */
const unpinned: PinFacts = Object.freeze({
  description: '',
  isReadOnly: false,
  isDestructive: false,
  isChanged: true,
  sha256: '',
})

function lastSeen({ latest, state }: Pin): string {
  const { backMs, pending, pinned } = state
  if (latest !== undefined) return isGood(state, latest) ? pinned.sha256 : latest
  return pending === undefined || backMs !== undefined ? pinned.sha256 : pending.sha256
}

function standingOf({ state }: Pin, nowMs: number): PinnedTool['standing'] {
  if (!isChanged(state, nowMs)) return 'pinned'
  if (state.isUnsteady) return 'unsteady'
  return state.backMs === undefined ? 'changed' : 'returned'
}

/** A `nextCursor` says that this is not all (MCP, Pagination). */
function hasFurtherPage(tree: JsonTree, result: Node): boolean {
  const cursor = tree.get(result, 'nextCursor')
  return cursor !== NONE && tree.kind(cursor) === 'string'
}
