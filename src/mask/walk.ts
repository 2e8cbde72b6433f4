/** Walks a message's tree and scans every key, string and number of it, each with its class. */
import { ELEMENT, MEMBER } from '../cards/path.ts'
import { RECORD_ONLY, CODE, FIELDS } from '../cards/findings.ts'
import { JsonScanner } from '../cards/json.ts'
import { isCells } from '../cards/members.ts'
import { AlsoScanner } from '../cards/also/scanner.ts'
import { isTestNumber } from '../cards/test-numbers.ts'
import { TextScanner } from '../cards/text.ts'
import { ValueScanner } from '../cards/value.ts'
import { Scan } from '../cards/scan.ts'
import { Spots } from '../cards/spots.ts'
import { Names, OTHER_NUMBER } from '../cards/words.ts'
import { NONE } from '../wire/json.ts'
import { isTextAddress, runsOf, withBreaks } from './base64.ts'
import { maskBlob } from './blob.ts'
import { hasItems, joinItems, readAsOne } from './items.ts'
import { thresholdLevel } from './detection.ts'
import type { Detection } from './detection.ts'
import type { ScanSettings } from '../cards/scan.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Place } from './places.ts'

/** For so many findings room is made at once. */
const reservedMax = 8192

/** A scanner with all its parts, for one connection's detection. */
export class Scanner {
  readonly scan: Scan
  readonly #detect: Detection
  readonly #own: Pick<ScanSettings, 'hashKey' | 'onHash' | 'isCareful'>
  readonly #also: AlsoScanner | undefined
  readonly #json: JsonScanner
  // The message at hand.
  #places: readonly Place[] = []
  #nextPlace = 0
  /** Values that are no content and in which something was found. */
  readonly hot: Place[] = []
  #blobs: Scanner | undefined
  readonly #spots = new Spots()
  /** Text in base64 may stand in the message. */
  #hasRuns = true

  /** @param own what the masker sets for all its scanners. */
  constructor(detect: Detection, own: Pick<ScanSettings, 'hashKey' | 'onHash' | 'isCareful'> = {}) {
    this.#detect = detect
    this.#own = own
    const hasMore = detect.also.length > 0 || detect.patterns.length > 0
    this.scan = new Scan(new Names(detect.columns), {
      threshold: thresholdLevel(detect),
      hashKey: own.hashKey,
      onHash: own.onHash,
      // What else is looked for has no spots.
      isCareful: own.isCareful === true || hasMore,
      isPassed: detect.testNumbers === 'pass' ? isTestNumber : undefined,
    })
    this.#also = hasMore ? new AlsoScanner(this.scan, detect) : undefined
    const values = new ValueScanner(this.scan, new TextScanner(this.scan), this.#also)
    this.#json = new JsonScanner(this.scan, values)
  }

  /** Scans a whole message; what it holds is in `scan.findings` and `hot`. */
  tree(tree: JsonTree, places: readonly Place[]): void {
    this.scan.begin()
    this.hot.length = 0
    if (!this.#look(tree.bytes) && !hasItems(tree)) return
    this.#json.begin()
    this.#once(tree, places)
    if (!this.scan.isLate) return
    this.scan.again()
    this.#once(tree, places)
  }

  /** Scans text that lies in `levels` JSON strings: 0 for plain text, which may be JSON itself. */
  text(bytes: Uint8Array, levels: number): void {
    this.scan.begin()
    if (!this.#look(bytes)) return
    this.#json.begin()
    this.#json.string(bytes, 0, bytes.length, levels, 0, true)
    if (this.scan.isLate) {
      this.scan.again()
      this.#json.string(bytes, 0, bytes.length, levels, 0, true)
    }
    this.#runs(bytes, 0, bytes.length)
  }

  /** Whether there is anything to look at carefully; where, is in `scan.spots`. */
  #look(bytes: Uint8Array): boolean {
    const spots = this.#spots
    this.#also?.begin()
    this.scan.message = bytes
    this.scan.spots = undefined
    this.#hasRuns = true
    if (this.scan.settings.isCareful === true) return true
    spots.read(bytes)
    this.#hasRuns = spots.hasBase64
    // Mostly a spot is one finding.
    if (spots.count > 0) this.scan.findings.reserve(Math.min(spots.count + 8, reservedMax))
    this.scan.spots = spots.hasSecretName ? undefined : spots
    return spots.hasSecretName || spots.count > 0
  }

  #once(tree: JsonTree, places: readonly Place[]): void {
    this.hot.length = 0
    this.#places = places
    this.#nextPlace = 0
    this.#node(tree, tree.root, 0)
  }

  #node(tree: JsonTree, node: Node, meaning: number): void {
    const start = tree.start(node)
    const place = this.#places[this.#nextPlace]
    if (place !== undefined && place.start === start) {
      this.#nextPlace++
      this.#placed(tree, node, meaning, place)
      return
    }
    this.#value(tree, node, start, meaning)
  }

  #value(tree: JsonTree, node: Node, start: number, meaning: number): void {
    switch (tree.kind(node)) {
      case 'string':
        this.#string(tree, node, start, meaning)
        break
      case 'number':
        this.#json.number(tree.bytes, start, tree.end(node), meaning)
        break
      case 'object':
        this.#object(tree, node, meaning)
        break
      case 'array':
        this.#array(tree, node, meaning)
        break
      case 'true':
      case 'false':
      case 'null':
        break
    }
  }

  #string(tree: JsonTree, node: Node, start: number, meaning: number): void {
    const isEscaped = tree.isEscaped(node)
    const end = tree.end(node) - 1
    this.#json.value(tree.bytes, start + 1, end, 1, meaning, true, isEscaped)
    this.#runs(tree.bytes, start + 1, end)
  }

  /** Text in base64 inside a string. */
  #runs(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 24 || !this.#hasRuns || this.scan.isQuiet(start, end)) return
    for (const run of runsOf(bytes, start, end)) {
      if (this.#detect.base64 === 'text' && !isTextAddress(bytes, start, run.start)) continue
      this.#blobs ??= new Scanner(this.#detect, this.#own)
      maskBlob(this.scan, this.#blobs, run.text, '', run, (text) => withBreaks(text, run))
    }
  }

  #object(tree: JsonTree, node: Node, outer: number): void {
    const { path, names } = this.scan
    const { bytes } = tree
    path.push(MEMBER, outer)
    const top = path.depth - 1
    for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
      const start = tree.start(key) + 1
      const end = tree.end(key) - 1
      const isEscaped = tree.isEscaped(key)
      const id = isEscaped ? -1 - names.meaningOfText(tree.text(key)) : names.id(bytes, start, end)
      this.#json.members.key(id, start, end)
      // A name that is remembered holds no long run of digits.
      if (id < 0) this.#key(bytes, start, end)
      else if (this.#places[this.#nextPlace]?.start === start - 1) this.#nextPlace++
      const value = tree.value(key)
      const isBlob = end - start === 4 && bytes[start] === 0x62 && tree.kind(value) === 'string'
      if (isBlob && tree.text(key) === 'blob') this.#blob(tree, node, value)
      else this.#node(tree, value, path.meaning[top] ?? 0)
      if (end - start >= 7 && tree.kind(value) === 'array') this.#items(tree, key, value)
    }
    path.pop()
  }

  /** Lists of items that a reader sees as one text. */
  #items(tree: JsonTree, key: Node, list: Node): void {
    const first = tree.first(list)
    if (first === NONE || tree.next(first) === NONE || !readAsOne.has(tree.text(key))) return
    const { path } = this.scan
    path.push(ELEMENT, 0)
    joinItems(tree, list, this.scan)
    path.pop()
  }

  #array(tree: JsonTree, node: Node, outer: number): void {
    const { path } = this.scan
    path.push(ELEMENT, outer)
    const top = path.depth - 1
    const isRow = isCells(path, top)
    let index = 0
    for (let n = tree.first(node); n !== NONE; n = tree.next(n)) {
      path.index[top] = index
      this.#node(tree, n, isRow ? outer | this.scan.cell(index) : outer)
      index++
    }
    path.pop()
  }

  #key(bytes: Uint8Array, start: number, end: number): void {
    const place = this.#places[this.#nextPlace]
    const before = this.scan.findings.count
    this.#json.keyText(bytes, start, end, 1)
    if (place?.start !== start - 1) return
    this.#nextPlace++
    this.#recordOnly(before, place)
  }

  #placed(tree: JsonTree, node: Node, meaning: number, place: Place): void {
    const before = this.scan.findings.count
    // `requestId` names another kind of number; a value that must come back whole is sealed all the same.
    this.#value(tree, node, place.start, meaning & ~OTHER_NUMBER)
    this.#recordOnly(before, place)
  }

  /** What was found in a place that is no content is edited in the record only. */
  #recordOnly(before: number, place: Place): void {
    const { findings } = this.scan
    let isHot = false
    for (let i = before; i < findings.count; i++) {
      const at = i * FIELDS + CODE
      if (((findings.rows[at] ?? 0) & RECORD_ONLY) === 0) isHot = true
      findings.rows[at] = (findings.rows[at] ?? 0) | RECORD_ONLY
      this.scan.hasRecordOnly = true
    }
    if (isHot) this.hot.push(place)
  }

  /** Text in base64, by the MIME type beside it. */
  #blob(tree: JsonTree, object: Node, value: Node): void {
    const mime = tree.get(object, 'mimeType')
    const type = mime === NONE || tree.kind(mime) !== 'string' ? '' : tree.text(mime)
    this.#blobs ??= new Scanner(this.#detect, this.#own)
    const [start, end] = [tree.start(value) + 1, tree.end(value) - 1]
    if (maskBlob(this.scan, this.#blobs, tree.text(value), type, { start, end })) return
    // What its type says is no text is not looked into.
    this.#json.value(tree.bytes, start, end, 1, 0, true, tree.isEscaped(value))
  }
}
