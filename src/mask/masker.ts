/**
 * The masker: what a message may show to the record and to the client.
 *
 * One scan finds; two copies are written over, the record's always and the client's as its plan
 * says; and each is scanned again before it becomes `Masked` or `Deliverable`.
 */
import { Fault } from '../base/fault.ts'
import { assert } from '../base/assert.ts'
import { pciDetection } from './detection.ts'
import { readJson } from '../wire/json.ts'
import { splice } from '../wire/splice.ts'
import { deliver, keep, keepAndDeliver, keepTokens, keepValue, untouched } from './masked.ts'
import { OwnWords } from './own.ts'
import { leaving, placesOf, returning } from './places.ts'
import { renderKept, renderShown } from './render.ts'
import { nothing, numbersOf, reportOf } from './report.ts'
import { aliasPrefix, aliasScheme, createSealer } from './seal.ts'
import { Scanner } from './walk.ts'
import type { ScanSettings } from '../cards/scan.ts'
import type { JsonTree } from '../wire/json.ts'
import type { Edit } from '../wire/splice.ts'
import type { TokenKey } from './card-token.ts'
import type { Detection } from './detection.ts'
import type { Fit } from './fit.ts'
import type { Deliverable, Masked } from './masked.ts'
import type { Place } from './places.ts'
import type { Alias } from './render.ts'
import type { Maskings } from './report.ts'
import type { Sealer } from './seal.ts'

export type { Masking, Maskings } from './report.ts'

/** What a grant shows. */
export interface MaskPlan {
  readonly reveal: 'none' | 'pan'
  /** What is looked for; made once for a connection. */
  readonly detect: Detection
  /** Names the grant or profile in what is told of the maskings. */
  readonly rule: string
}

export interface MaskedAnswer {
  readonly kept: Masked<Uint8Array>
  readonly shown: Deliverable
  readonly maskings: Maskings
}

/** All faults: `mask_failed` when a rescan disagrees, which withholds the message. */
export interface Masker {
  /**
   * One message or batch of the server. `binding` names principal and connection.
   * @param fit keeps a result valid against the schema of its tool.
   */
  answer(tree: JsonTree, plan: MaskPlan, binding: string, fit?: Fit): MaskedAnswer
  /**
   * A client's message, for the record; what is forwarded stays as it came. Its id and progress
   * token may be said back to this binding from here on.
   */
  asked(
    tree: JsonTree,
    plan: MaskPlan,
    binding: string,
  ): { kept: Masked<Uint8Array>; maskings: Maskings }
  /**
   * A client's message with sealed aliases undone; the same array when it has none.
   * @throws {Fault} `bad_params` when an alias is forged or belongs to another binding.
   */
  undo(tree: JsonTree, binding: string): Uint8Array
  /** Text that is not a message: error pages, SSE comments. */
  text(bytes: Uint8Array, plan: MaskPlan): MaskedAnswer
  /** An opaque value outside JSON (event id, session id): itself, or its alias. */
  seal(value: string, binding: string): string
  /** The value behind an alias; anything else comes back as it is. @throws {Fault} as `undo`. */
  unseal(value: string, binding: string): string
  /** A short string from outside that is to stand in an entry. */
  word(text: string): Masked<string>
  /** Plain data of such strings, masked one by one, for an entry. */
  words<T>(value: T): Masked<T>
  /** Our own answers. */
  ours(bytes: Uint8Array): Deliverable
}

const plainWordsMax = 4096
const wordFree = /^[^0-9\u0080-\uffff]*$/
const ascii = Buffer.alloc(40) // Longer than any card number.
const limits = { bytesMax: 64 * 1024 * 1024, depthMax: 512 }

/**
 * @param options.sealKey 32 bytes that live as long as clients may hold aliases.
 * @param options.hashKey two words; with it each card number found is hashed, to count distinct ones.
 * @param options.tokenKey makes the tokens by which a number is found in the record; needs `hashKey`.
 * @param options.isCareful looks at everything: slow, and finds the same. For tests.
 */
export function createMasker(options: {
  sealKey: Uint8Array
  hashKey?: Uint32Array
  tokenKey?: TokenKey | undefined
  isCareful?: boolean
}): Masker {
  return new PlanMasker(createSealer(options.sealKey), options)
}

class PlanMasker implements Masker {
  readonly #sealer: Sealer
  readonly #settings: Pick<ScanSettings, 'hashKey' | 'onHash' | 'isCareful'>
  readonly #tokenKey: TokenKey | undefined
  /** By hash the numbers that the scan at hand has looked at; empty where no tokens are made. */
  #told = new Map<number, Set<string>>()
  readonly #scanners = new WeakMap<Detection, Scanner>()
  readonly #words = new Scanner(pciDetection)
  readonly #plain = new Map<string, Masked<string>>()
  readonly #own = new OwnWords()
  #last: { detect: Detection; scanner: Scanner } | undefined

  constructor(
    sealer: Sealer,
    { hashKey, isCareful, tokenKey }: Omit<Parameters<typeof createMasker>[0], 'sealKey'>,
  ) {
    assert(tokenKey === undefined || hashKey !== undefined, 'tokens are found by hashes')
    this.#sealer = sealer
    this.#tokenKey = tokenKey
    const onHash = tokenKey && this.#noteNumber.bind(this)
    this.#settings = { hashKey, onHash, isCareful }
  }

  answer(tree: JsonTree, plan: MaskPlan, binding: string, fit?: Fit): MaskedAnswer {
    const scanner = this.#begin(plan.detect)
    scanner.tree(tree, placesOf(tree, leaving))
    const aliases = scanner.hot.length === 0 ? [] : this.#aliases(tree, scanner, binding)
    return this.#both(tree.bytes, scanner, plan, aliases, fit)
  }

  asked(
    tree: JsonTree,
    plan: MaskPlan,
    binding: string,
  ): { kept: Masked<Uint8Array>; maskings: Maskings } {
    const scanner = this.#begin(plan.detect)
    scanner.tree(tree, [])
    const { findings, hasKeys } = scanner.scan
    if (findings.count === 0) return { kept: keep(tree.bytes, untouched), maskings: nothing }
    this.#own.note(tree, binding)
    const { bytes, written } = renderKept(tree.bytes, findings)
    if (hasKeys) mustRead(bytes)
    return { kept: keep(bytes, written), maskings: this.#report(tree.bytes, scanner, plan) }
  }

  undo(tree: JsonTree, binding: string): Uint8Array {
    if (
      Buffer.from(tree.bytes.buffer, tree.bytes.byteOffset, tree.bytes.length).indexOf(
        aliasPrefix,
      ) < 0
    ) {
      return tree.bytes
    }
    const edits: Edit[] = []
    for (const { node, start } of placesOf(tree, returning)) {
      if (tree.kind(node) !== 'string') continue
      const alias = aliasIn(tree.text(node))
      if (alias !== undefined) {
        edits.push({ start, end: tree.end(node), bytes: this.#sealer.open(alias, binding) })
      }
    }
    return splice(tree.bytes, edits)
  }

  text(bytes: Uint8Array, plan: MaskPlan): MaskedAnswer {
    const scanner = this.#begin(plan.detect)
    scanner.hot.length = 0
    scanner.text(bytes, 0)
    return this.#both(bytes, scanner, plan)
  }

  seal(value: string, binding: string): string {
    if (this.#wordText(value) === value) return value
    return this.#sealer.seal(Buffer.from(value), wordBinding(binding))
  }

  unseal(value: string, binding: string): string {
    const alias = aliasIn(value)
    return alias === undefined
      ? value
      : Buffer.from(this.#sealer.open(alias, wordBinding(binding))).toString('utf8')
  }

  word(text: string): Masked<string> {
    // Names of methods and tools come again with every call; those without a digit hold no card.
    const known = this.#plain.get(text)
    if (known !== undefined) return known
    const word = keepValue(this.#wordText(text))
    const isPlain = text.length <= 64 && wordFree.test(text)
    if (isPlain && this.#plain.size < plainWordsMax) this.#plain.set(text, word)
    return word
  }

  words<T>(value: T): Masked<T> {
    const box = { value: structuredClone(value) }
    this.#mask(box)
    return keepValue(box.value)
  }

  ours(bytes: Uint8Array): Deliverable {
    const scanner = this.#words
    scanner.text(bytes, 0)
    if (scanner.scan.findings.count === 0) return deliver(bytes, untouched)
    const { bytes: kept, written } = renderKept(bytes, scanner.scan.findings)
    return deliver(kept, written)
  }

  #both(
    bytes: Uint8Array,
    scanner: Scanner,
    plan: MaskPlan,
    aliases?: readonly Alias[],
    fit?: Fit,
  ): MaskedAnswer {
    const { findings, hasKeys, hasRecordOnly } = scanner.scan
    if (findings.count === 0) return { ...keepAndDeliver(bytes, untouched), maskings: nothing }
    fit?.(findings, bytes)
    const kept = renderKept(bytes, findings)
    if (hasKeys && aliases !== undefined) mustRead(kept.bytes)
    const maskings = this.#report(bytes, scanner, plan)
    if (plan.reveal === 'none' && (aliases?.length ?? 0) === 0 && !hasRecordOnly) {
      return { ...keepAndDeliver(kept.bytes, kept.written), maskings }
    }
    const shown = renderShown(bytes, findings, plan.reveal, aliases ?? [])
    if (hasKeys && aliases !== undefined) mustRead(shown.bytes)
    return {
      kept: keep(kept.bytes, kept.written),
      shown: deliver(shown.bytes, shown.written),
      maskings,
    }
  }

  #aliases(tree: JsonTree, scanner: Scanner, binding: string): Alias[] {
    const isAsItCame = ({ kind, node }: Place): boolean =>
      kind === 'answer' || (kind === 'echo' && this.#own.has(tree, node, binding))
    const sealed = scanner.hot.filter((place) => !isAsItCame(place))
    return sealed.map((place) => {
      const alias = this.#sealer.seal(tree.raw(place.node), binding)
      const text = place.kind === 'uri' ? aliasScheme + alias : alias
      return { start: place.start, end: tree.end(place.node), bytes: Buffer.from(`"${text}"`) }
    })
  }

  #report(bytes: Uint8Array, scanner: Scanner, plan: MaskPlan): Maskings {
    const { findings } = scanner.scan
    const key = this.#tokenKey
    const told = this.#told
    const tokens =
      key &&
      ((): ReturnType<Maskings['tokens']> => {
        const numbers = numbersOf(findings, told)
        return numbers.length === 0 ? undefined : keepTokens(numbers, key)
      })
    return reportOf(findings, bytes, plan.rule, (text) => this.#wordText(text), tokens)
  }

  #noteNumber(digits: Uint8Array, length: number, hash: number): void {
    for (let i = 0; i < length; i++) ascii[i] = 0x30 + (digits[i] ?? 0)
    const number = ascii.toString('latin1', 0, length)
    ascii.fill(0)
    const known = this.#told.get(hash)
    if (known === undefined) this.#told.set(hash, new Set([number]))
    else known.add(number)
  }

  /** The scanner for a message, which is the next one from here on. */
  #begin(detect: Detection): Scanner {
    // What the message before has told may still be asked for its tokens.
    if (this.#told.size > 0) this.#told = new Map()
    return this.#scannerFor(detect)
  }

  #scannerFor(detect: Detection): Scanner {
    if (this.#last?.detect === detect) return this.#last.scanner
    let scanner = this.#scanners.get(detect)
    if (scanner === undefined) {
      scanner = new Scanner(detect, this.#settings)
      this.#scanners.set(detect, scanner)
    }
    this.#last = { detect, scanner }
    return scanner
  }

  #wordText(text: string): string {
    if (wordFree.test(text)) return text
    const bytes = Buffer.from(text)
    this.#words.text(bytes, 0)
    const { findings } = this.#words.scan
    if (findings.count === 0) return text
    return Buffer.from(renderKept(bytes, findings).bytes).toString('utf8')
  }

  /** Masks every string below `holder` in place. */
  #mask(holder: object): void {
    for (const key of Object.keys(holder)) {
      const value: unknown = Reflect.get(holder, key)
      if (typeof value === 'string') Reflect.set(holder, key, this.#wordText(value))
      else if (typeof value === 'object' && value !== null) this.#mask(value)
    }
  }
}

/** What stands for a header is no value of a message: neither opens in the place of the other. */
const wordBinding = (binding: string): string => `${binding}\0word`

/** The alias in the text of an opaque value, or undefined. */
function aliasIn(text: string): string | undefined {
  if (text.startsWith(aliasPrefix)) return text
  return text.startsWith(aliasScheme + aliasPrefix) ? text.slice(aliasScheme.length) : undefined
}

/** Masked keys must not have become equal: read the document again. */
function mustRead(bytes: Uint8Array): void {
  try {
    readJson(bytes, limits)
  } catch (cause) {
    throw new Fault('mask_failed', 'Masking its keys made the message ambiguous; it is withheld.', {
      cause,
      facts: { reason: 'keys' },
    })
  }
}
