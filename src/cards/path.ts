/** Where a scan stands in a message: the way of keys, indexes and texts that leads to the value at hand. */
import { assert } from '../base/assert.ts'

const framesMax = 640
export const MEMBER = 0
export const ELEMENT = 1
export const INNER = 2

/** Where the scan stands: a stack of member, element and "JSON inside this string". */
export class Path {
  depth = 0
  /** Another one whenever frames come or go; rows of one table share it. */
  version = 0
  readonly kind: Uint8Array = new Uint8Array(framesMax)
  readonly index: Int32Array = new Int32Array(framesMax)
  readonly name: Int32Array = new Int32Array(framesMax)
  readonly nameStart: Int32Array = new Int32Array(framesMax)
  readonly nameEnd: Int32Array = new Int32Array(framesMax)
  /** What the value that comes next in this frame is, as flags of `words.ts`. */
  readonly meaning: Int32Array = new Int32Array(framesMax)
  /** What the container of this frame is. */
  readonly outer: Int32Array = new Int32Array(framesMax)
  /** Of an object: its `cid` as start, end and levels, until it is known to be a card's; 0 none. */
  readonly cidStart: Int32Array = new Int32Array(framesMax)
  readonly cidEnd: Int32Array = new Int32Array(framesMax)
  readonly hasCard: Uint8Array = new Uint8Array(framesMax)
  /** Of an object: whether a key of it speaks of cards. */
  readonly nearCard: Uint8Array = new Uint8Array(framesMax)
  /** Of an object: what its `name` says of its `value`: `{"name":"cvv","value":"123"}`. */
  readonly pair: Int32Array = new Int32Array(framesMax)
  /** Of an object: a text which may say more of that, not looked at yet; its end is 0 for none. */
  readonly namingStart: Int32Array = new Int32Array(framesMax)
  readonly namingEnd: Int32Array = new Int32Array(framesMax)
  /** Tells one object from another. */
  readonly serial: Int32Array = new Int32Array(framesMax)
  #serials = 0

  /** Enters an object, array or inner text whose meaning is `outer`. */
  push(kind: number, outer: number): void {
    assert(this.depth < framesMax, 'a path is as deep as its frames go')
    this.version++
    const at = this.depth++
    this.kind[at] = kind
    this.index[at] = 0
    this.name[at] = 0
    this.outer[at] = outer
    this.meaning[at] = outer
    this.cidStart[at] = 0
    this.hasCard[at] = 0
    this.pair[at] = 0
    this.namingEnd[at] = 0
    this.nearCard[at] = 0
    this.serial[at] = this.#serials++
  }

  pop(): void {
    this.version++
    this.depth--
  }

  /** Leaves an object of an array and enters the next one, or one of those behind it. */
  nextRow(rows = 1): void {
    const top = this.depth - 1
    this.index[top - 1] = (this.index[top - 1] ?? 0) + rows
    this.cidStart[top] = 0
    this.hasCard[top] = 0
    this.pair[top] = 0
    this.namingEnd[top] = 0
    this.nearCard[top] = 0
    this.serial[top] = this.#serials++
  }
}

/** A pointer with its array indexes left out: frames of `[kind, name, nameStart, nameEnd]`. */
export interface Template {
  readonly frames: Int32Array
  /** Which frames are elements of arrays. */
  readonly elements: Int32Array
}
