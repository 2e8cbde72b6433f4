/** Goes from value to value of a result's rows by the glue between them, and learns new glue. */
import { Glues, NEXT_ROW, SAME_ROW } from './glue.ts'
import { IdleValues } from './idle.ts'
import { Passing } from './passing.ts'
import { MEMBER } from './path.ts'
import { CARD, CHILD, CID, CONTEXT, LIST, NAME, SECRET } from './words.ts'
import type { Glue } from './glue.ts'
import type { Members } from './members.ts'
import type { Scan } from './scan.ts'
import type { ValueScanner } from './value.ts'

// Steps between two values of rows, as `Glues` knows them; anything else is no glue.
const strange = -1
const none = 0
const comma = 1
const close = 2
const next = 3
const open = 4

/** Names that say something of their value, or of those beside it. */
const telling = CARD | CHILD | CID | CONTEXT | SECRET

export class Rows {
  readonly #scan: Scan
  readonly #members: Members
  readonly #values: ValueScanner
  readonly #idle: IdleValues
  readonly #passing = new Passing()
  /** Where reading goes on behind what was followed. */
  at = 0
  // The way since the last value of an object: where it began, after which name, and its steps.
  readonly #glues = new Glues()
  #glueStart = 0
  #glueAfter = 0
  #steps = strange

  constructor(scan: Scan, members: Members, values: ValueScanner) {
    this.#scan = scan
    this.#values = values
    this.#members = members
    this.#idle = new IdleValues(scan)
  }

  /** Forgets everything: names may have other ids now. */
  forget(): void {
    this.#glues.forget()
  }

  /** At the start of a text. */
  begin(bytes: Uint8Array): void {
    if (this.#scan.origins.length === 0 && !this.#glues.knows(bytes)) {
      this.#glues.of(bytes)
      this.#passing.forget()
    }
    this.#steps = strange
  }

  opened(isObject: boolean): void {
    this.#steps = this.#steps === next && isObject ? open : strange
  }

  closed(isObject: boolean): void {
    this.#steps = this.#steps === none && isObject ? close : strange
  }

  comma(isInObject: boolean): void {
    if (isInObject) this.#steps = this.#steps === none ? comma : strange
    else this.#steps = this.#steps === close ? next : strange
  }

  /**
   * Behind a value: goes on to the next one of the rows while the glue is known, over values in which
   * nothing is to be found. `at` is then where the value behind the glue begins; without a glue, where
   * reading has to go on.
   */
  follow(bytes: Uint8Array, from: number, end: number, levels: number): Glue | undefined {
    const { path } = this.#scan
    const top = path.depth - 1
    this.#steps = strange
    this.at = from
    // Texts of other bytes may have come between; and their keys' places are not here.
    if (path.kind[top] !== MEMBER || !this.#glues.knows(bytes)) return undefined
    if (this.#scan.origins.length > 0) return undefined
    const { spots } = this.#scan
    let name = path.name[top] ?? 0
    if (name <= 0) return undefined
    const outer = path.outer[top] ?? 0
    let at = from
    const first = spots === undefined ? undefined : this.#glues.slot(name, top)
    if (spots !== undefined && (first?.isIdle === true || first?.isCard === true)) {
      if (this.#passing.pass(bytes, from, end, levels, spots, name, top, outer)) {
        this.#passed(bytes)
        at = this.#passing.at
        name = this.#passing.name
      }
    }
    for (;;) {
      const glue = this.#glues.match(name, top, outer, at, end)
      if (glue === undefined) break
      if (glue.leads === NEXT_ROW) path.nextRow()
      const to = at + glue.length
      const next =
        spots !== undefined && glue.isIdle ? this.#idleEnd(glue, bytes, to, end, levels) : -1
      if (next < 0) {
        this.#members.key(glue.name, at + glue.nameStart, at + glue.nameEnd)
        this.at = to
        return glue
      }
      name = glue.name
      at = next
    }
    // The path keeps the key of a value before; it is not asked for until the next one is set.
    this.#steps = none
    this.#glueStart = at
    this.#glueAfter = name
    this.at = at
    return undefined
  }

  /** Takes over what the kernel passed: rows, numbers in card columns, a text that may name something. */
  #passed(bytes: Uint8Array): void {
    const { path } = this.#scan
    const passing = this.#passing
    let done = 0
    passing.eachCard((start, end, rows, slot, glueAt) => {
      const glue = this.#glues.at(slot)
      if (rows > done) path.nextRow(rows - done)
      done = rows
      if (glue !== undefined)
        this.#members.key(glue.name, glueAt + glue.nameStart, glueAt + glue.nameEnd)
      this.#values.digits(bytes, start, end, this.#members.meaning())
    })
    if (passing.rows > done) path.nextRow(passing.rows - done)
    if (passing.namingEnd > 0) this.#members.naming(bytes, passing.namingStart, passing.namingEnd)
  }

  /** The offset behind an idle value, or -1. */
  #idleEnd(glue: Glue, b: Uint8Array, at: number, end: number, levels: number): number {
    if (!glue.isString) return this.#idle.scalar(b, at, end)
    const next = this.#idle.string(b, at, end, levels)
    if (next >= 0 && glue.isNaming) this.#members.naming(b, at, this.#idle.stop)
    return next
  }

  /** At the start of a value: remembers the way that led here from the last one. */
  learn(at: number, isString: boolean): void {
    const steps = this.#steps
    this.#steps = strange
    if (steps !== comma && steps !== open) return
    const { path } = this.#scan
    const top = path.depth - 1
    const name = path.name[top] ?? 0
    if (name <= 0) return
    const glue = this.#glues.slot(this.#glueAfter, top)
    if (glue === undefined) return
    glue.after = this.#glueAfter
    glue.frame = top
    glue.outer = path.outer[top] ?? 0
    glue.start = this.#glueStart
    glue.length = at - this.#glueStart
    glue.leads = steps === comma ? SAME_ROW : NEXT_ROW
    glue.name = name
    glue.nameStart = (path.nameStart[top] ?? 0) - this.#glueStart
    glue.nameEnd = (path.nameEnd[top] ?? 0) - this.#glueStart
    glue.isString = isString
    const own = this.#scan.names.of(name)
    const isHeader = (own & NAME) !== 0 && (glue.outer & LIST) !== 0
    glue.isIdle = (own & telling) === 0 && !isHeader
    glue.isCard = (own & CARD) !== 0 && (own & (CHILD | CID | LIST | NAME | SECRET)) === 0
    glue.isNaming = (own & NAME) !== 0
    if (this.#scan.spots === undefined) return
    this.#passing.learn(this.#glues.bytes, this.#glues.place(this.#glueAfter, top), glue)
  }
}
