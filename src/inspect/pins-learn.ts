/** One page of a list of tools: what is new is pinned, what differs from its pin is noted. */
import { hash } from 'node:crypto'
import type { Masker } from '../mask/masker.ts'
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import { changedParts, formOf, textMax, textsOf } from './pins-form.ts'
import type { Form } from './pins-form.ts'
import { isGood, none, seenOther, seenPinned } from './pins-judge.ts'
import type { Judged } from './pins-judge.ts'
import { hashesOf } from './pins-lists.ts'
import type { List, Pin, PinLists, Writing } from './pins-lists.ts'
import { differenceId, hashedKey, isPlainName } from './pins-names.ts'
import type { Twin } from './pins-names.ts'
import type { Pinned, TextRow } from './pins-rows.ts'
import type { Told } from './pins-told.ts'
import { lineOf } from './pins-words.ts'

/** Kept texts of one connection, in UTF-16 units; of what comes then, little is kept. */
const textsMax = 64 * 1024 * 1024
const textLittle = 256
/** For rules, in memory. */
const descriptionMax = 4096
const descriptionLittle = 256
/** From so many tools on only the little is in memory. */
const manyTools = 4000

interface Sight {
  readonly name: string
  readonly tool: Node
  readonly sha256: string
  readonly form: Form | undefined
  readonly pin: Pin | undefined
  /** The same name again in this page, in another form. */
  double: Sight | undefined
}

export interface LearnParts {
  readonly words: Masker['words']
  readonly nowMs: number
}

export class Learning {
  readonly #lists: PinLists
  readonly #list: List
  readonly #parts: LearnParts
  readonly #writing: Writing = { pins: new Set(), texts: [], list: undefined }
  readonly #told: Told[] = []
  readonly #fresh: Pin[] = []
  /** Units of text that may be kept yet. */
  #room: number | undefined

  constructor(lists: PinLists, list: List, parts: LearnParts) {
    this.#lists = lists
    this.#list = list
    this.#parts = parts
  }

  /**
   * @param isLast whether no further page follows.
   * @returns whether the same page would change nothing.
   * @throws {Fault} `record_down`: what changed counts as changed, and is not written.
   */
  page(tree: JsonTree, tools: Node, isLast: boolean): boolean {
    const sights = this.#sights(tree, tools)
    const { isComplete, isExcessive } = this.#list
    for (const sight of sights.values()) this.#learn(tree, sight)
    if (isLast) this.#list.isComplete = true
    const isChanged = isComplete !== this.#list.isComplete || isExcessive !== this.#list.isExcessive
    if (isChanged) this.#writing.list = { ...this.#list }
    try {
      this.#lists.write(this.#list, this.#writing)
    } catch (error) {
      this.#undo(isComplete, isExcessive)
      throw error
    }
    this.#list.untold.push(...this.#told)
    // An unsteady tool is looked at each time: what it shows is to be known.
    return ![...sights.values()].some(({ pin }) => pin?.state.isUnsteady === true)
  }

  /** New pins that could not be written are none; what changed stays changed. */
  #undo(isComplete: boolean, isExcessive: boolean): void {
    const gone = new Set(this.#fresh.map(({ key }) => key))
    for (const pin of this.#fresh) this.#lists.remove(this.#list, pin)
    Object.assign(this.#list, { isComplete, isExcessive })
    this.#list.untold.push(...this.#told.filter((told) => 'key' in told && !gone.has(told.key)))
  }

  #sights(tree: JsonTree, tools: Node): Map<string, Sight> {
    const found = new Map<string, Sight>()
    for (let tool = tree.first(tools); tool !== NONE; tool = tree.next(tool)) {
      const at = tree.get(tool, 'name')
      if (at === NONE || tree.kind(at) !== 'string') continue
      const sight = this.#sight(tree, tool, tree.text(at))
      const other = found.get(sight.name)
      if (other === undefined) found.set(sight.name, sight)
      else if (other.sha256 === sight.sha256) continue
      else if (other.pin === undefined) other.double ??= sight
      // Twice in one page, in two forms: what counts is the one that is not pinned.
      else if (isGood(other.pin.state, other.sha256)) found.set(sight.name, sight)
    }
    return found
  }

  #sight(tree: JsonTree, tool: Node, name: string): Sight {
    const pin = this.#lists.find(this.#list, name)
    const raw = hash('sha256', tree.raw(tool), 'base64')
    if (pin?.read?.raw === raw) {
      const { sha256 } = pin.read
      return { name, tool, pin, sha256, form: undefined, double: undefined }
    }
    const form = formOf(tree, tool)
    if (pin) pin.read = { raw, sha256: form.sha256 }
    return { name, tool, pin, sha256: form.sha256, form, double: undefined }
  }

  #learn(tree: JsonTree, sight: Sight): void {
    if (sight.pin !== undefined) return this.#judge(tree, sight.pin, sight)
    if (!this.#lists.hasRoom(this.#list)) return this.#exceed()
    const pin = this.#pin(tree, sight)
    if (sight.double !== undefined) this.#judge(tree, pin, sight.double)
  }

  #exceed(): void {
    if (this.#list.isExcessive) return
    this.#list.isExcessive = true
    this.#told.push({ change: 'excess', tools: this.#list.pins.size })
  }

  #pin(tree: JsonTree, sight: Sight): Pin {
    const { connection, isComplete } = this.#list
    const form = sight.form ?? formOf(tree, sight.tool)
    const row = this.#textRow(tree, sight.tool, form)
    const masked = this.#parts.words([sight.name.toWellFormed()]).value[0] ?? ''
    const isPlain = isPlainName(sight.name) && masked === sight.name
    const pin: Pin = {
      connection,
      key: isPlain ? sight.name : hashedKey(sight.name),
      name: lineOf(masked),
      pinnedMs: this.#parts.nowMs,
      state: {
        ...none,
        pinned: this.#pinned(form, row),
        beside: [],
        isLate: isComplete,
        isUntold: true,
      },
      read: undefined,
      latest: sight.sha256,
      isUnwritten: false,
    }
    const twins = this.#lists.add(this.#list, pin)
    this.#fresh.push(pin)
    this.#writing.pins.add(pin)
    this.#writing.texts.push([pin, 'pinned', row])
    const change = isComplete ? 'new' : 'pinned'
    this.#told.push({ change, key: pin.key, tool: pin.name, after: form.sha256 })
    this.#told.push(...twins.map(toldTwin))
    return pin
  }

  #judge(tree: JsonTree, pin: Pin, sight: Sight): void {
    pin.latest = sight.sha256
    const { nowMs } = this.#parts
    if (isGood(pin.state, sight.sha256)) this.#take(pin, seenPinned(pin.state, nowMs), undefined)
    else this.#other(tree, pin, sight)
    if (pin.isUnwritten) this.#writing.pins.add(pin)
  }

  #other(tree: JsonTree, pin: Pin, sight: Sight): void {
    let form: Form | undefined
    const ids = [pin.connection, pin.key, pin.state.pinned.sha256, sight.sha256] as const
    const { nowMs } = this.#parts
    const make = (): Pinned & { id: string; sinceMs: number } => {
      form = sight.form ?? formOf(tree, sight.tool)
      const row = this.#textRow(tree, sight.tool, form)
      this.#writing.texts.push([pin, 'pending', row])
      return { ...this.#pinned(form, row), id: differenceId(ids), sinceMs: nowMs }
    }
    const judged = seenOther(pin.state, sight.sha256, make, nowMs)
    const isKept = pin.state.pending?.sha256 === sight.sha256
    if (judged === undefined && pin.isUnwritten && isKept) make()
    this.#take(pin, judged, form)
  }

  #take(pin: Pin, judged: Judged | undefined, form: Form | undefined): void {
    if (judged === undefined) return
    const { state, told } = judged
    // In force from here on: what follows may fail, and leaves it so.
    pin.state = told === undefined ? state : { ...state, isUntold: true }
    this.#writing.pins.add(pin)
    if (told === undefined) return
    const { pending, pinned } = state
    const parts = form && changedParts(this.#lists.tables.text(pin, 'pinned').parts, form.parts)
    const { key, name: tool } = pin
    const hashes = pending && hashesOf(told, pinned, pending)
    this.#told.push({ change: told, key, tool, after: pinned.sha256, ...hashes, parts })
  }

  #textRow(tree: JsonTree, tool: Node, { parts }: Form): TextRow {
    this.#room ??= textsMax - this.#lists.tables.lengthOf(this.#list.connection)
    const max = this.#room > 0 ? textMax : textLittle
    const texts = textsOf(tree, tool, this.#parts.words, max)
    for (const text of Object.values(texts)) this.#room -= text.length
    return { parts, texts }
  }

  #pinned({ isDestructive, isReadOnly, sha256 }: Form, { texts }: TextRow): Pinned {
    const max = this.#lists.count < manyTools ? descriptionMax : descriptionLittle
    const description = (texts.description ?? '').slice(0, max).toWellFormed()
    return { sha256, description, isReadOnly, isDestructive }
  }
}

function toldTwin({ confidence, one, other }: Twin): Told {
  const [tool, like] = [lineOf(one.name), lineOf(other.name)]
  return { change: 'twin', tool, like, connection: other.connection, confidence }
}
