/** Goes from value to value of a result's rows by the glue between them, and learns new glue. */
import { Glues, NEXT_ROW, SAME_ROW } from './glue.ts'
import { MEMBER } from './path.ts'
import type { Glue } from './glue.ts'
import type { Members } from './members.ts'
import type { Scan } from './scan.ts'

// Steps between two values of rows, as `Glues` knows them; anything else is no glue.
const strange = -1
const none = 0
const comma = 1
const close = 2
const next = 3
const open = 4

export class Rows {
  readonly #scan: Scan
  readonly #members: Members
  // The way since the last value of an object: where it began, after which name, and its steps.
  readonly #glues = new Glues()
  #glueStart = 0
  #glueAfter = 0
  #steps = strange

  constructor(scan: Scan, members: Members) {
    this.#scan = scan
    this.#members = members
  }

  /** Forgets everything: names may have other ids now. */
  forget(): void {
    this.#glues.forget()
  }

  /** At the start of a text. */
  begin(bytes: Uint8Array): void {
    if (this.#scan.origins.length === 0) this.#glues.of(bytes)
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

  /** Behind a value: goes on to the next one of the rows when the glue is known. */
  follow(bytes: Uint8Array, at: number, end: number): Glue | undefined {
    const { path } = this.#scan
    const top = path.depth - 1
    this.#steps = strange
    // Texts of other bytes may have come between; and their keys' places are not here.
    if (path.kind[top] !== MEMBER || !this.#glues.knows(bytes)) return undefined
    if (this.#scan.origins.length > 0) return undefined
    const name = path.name[top] ?? 0
    if (name <= 0) return undefined
    const outer = path.outer[top] ?? 0
    const glue = this.#glues.match(name, top, outer, at, end)
    if (glue === undefined) {
      this.#steps = none
      this.#glueStart = at
      this.#glueAfter = name
      return undefined
    }
    if (glue.leads === NEXT_ROW) path.nextRow()
    this.#members.key(glue.name, at + glue.nameStart, at + glue.nameEnd)
    return glue
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
  }
}
