/** A card in every place of every message that a server can send, through the masker. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ValidateFunction } from 'ajv'
import { createMasker } from '../../src/mask/masker.ts'
import { places as mappings, placesOf, prepare, rowsFor } from '../../src/mask/places.ts'
import type { Mapping, PlaceKind } from '../../src/mask/places.ts'
import { readJson } from '../../src/wire/json.ts'
import type { JsonTree } from '../../src/wire/json.ts'
import { plan } from '../masking.ts'
import { classOf, classes, soundsOpaque, waysBack } from './classes.ts'
import type { Back, Class } from './classes.ts'
import { masked, standing, tells, valueAt } from './judge.ts'
import { card, placesIn } from './places.ts'
import type { Place } from './places.ts'
import { readRevisions } from './schemas.ts'
import type { Revision } from './schemas.ts'

/** No revision may lose places, and no new one may come in without being looked at. */
const least: Readonly<Record<string, Record<'content' | 'opaque' | 'echo', number>>> = {
  '2025-03-26': { content: 656, opaque: 23, echo: 30 },
  '2025-06-18': { content: 891, opaque: 27, echo: 30 },
  '2025-11-25': { content: 1937, opaque: 100, echo: 44 },
  '2026-07-28': { content: 4000, opaque: 68, echo: 90 },
}

const masker = createMasker({ sealKey: new Uint8Array(32).fill(7) })
const binding = 'shop\nada'
const limits = { bytesMax: 1 << 20, depthMax: 64 }
const treeOf = (message: unknown): JsonTree =>
  readJson(Buffer.from(JSON.stringify(message)), limits)
const revisions = readRevisions()
const all = revisions.map((revision) => ({ revision, places: [...placesIn(revision)] }))

/** Checks a message against its definition, whatever stands around it. */
function validator({ document }: Revision): (place: Place, message: object) => string {
  const ajv = JSON.stringify(document).includes('2020-12')
    ? new Ajv2020({ strict: false })
    : new Ajv({ strict: false })
  ajv.addFormat('byte', true)
  ajv.addFormat('uri', (text) => URL.canParse(text))
  ajv.addFormat('uri-template', true)
  ajv.addSchema({ ...document, $id: 'mcp://it' })
  const known = new Map<string, ValidateFunction>()
  const defs = 'definitions' in document ? 'definitions' : '$defs'
  return ({ message: name, sort }, message) => {
    const validate = known.get(name) ?? ajv.compile({ $ref: `mcp://it#/${defs}/${name}` })
    known.set(name, validate)
    const inner = sort === 'result' || sort === 'error' ? valueAt(message, `/${sort}`) : message
    if (validate(inner) || (sort === 'error' && validate(message))) return ''
    return ajv.errorsText(validate.errors)
  }
}

const pointerOf = (path: readonly (string | number)[]): string =>
  path.map((part) => `/${String(part).replaceAll('/', '~1')}`).join('')
const told = ({ message, pointer, form }: Place): string => `${message} ${pointer} as ${form}`

for (const { revision, places } of all) {
  const { name, era } = revision
  test(`${name}: a card in any place of any message leaves no more than its last four digits`, (t) => {
    const wants = validator(revision)
    const count = { content: 0, opaque: 0, echo: 0 }
    const messages = new Set<string>()
    for (const place of places) {
      const made = place.make()
      assert.equal(wants(place, made), '', `${told(place)}: the message was to be a valid one`)
      const row = classOf(place)
      sayFirst(place, row, made)
      const tree = treeOf(made)
      const { kept, shown } = masker.answer(tree, plan, binding)
      const came = Buffer.from(tree.bytes).toString()
      assert.equal(came, JSON.stringify(made), `${told(place)}: what came was written to`)
      const [forUs, forThem] = [kept.value, shown.bytes].map(
        (bytes) => JSON.parse(Buffer.from(bytes).toString()) as object,
      )
      assert.ok(forUs !== undefined && forThem !== undefined)
      const before = standing(made, place)
      assert.equal(standing(forUs, place), masked(place, before), `${told(place)}: in the record`)
      assert.equal(tells(JSON.stringify(forUs)), false, told(place))
      const now = standing(forThem, place)
      if (row === undefined)
        assert.equal(now, masked(place, before), `${told(place)}: to the client`)
      else if (row.is === 'echo') assert.equal(now, before, `${told(place)}: an echo`)
      else checkSealed(place, { row, era, before: made, shown: forThem })
      if (row?.is !== 'echo') assert.equal(tells(JSON.stringify(forThem)), false, told(place))
      assert.equal(
        wants(place, forUs),
        '',
        `${told(place)}: the record's copy is not valid any more`,
      )
      assert.equal(
        wants(place, forThem),
        '',
        `${told(place)}: the client's copy is not valid any more`,
      )
      messages.add(place.message)
      count[row?.is ?? 'content']++
    }
    const { content, opaque, echo } = count
    t.diagnostic(
      `${name} (${era}): ${places.length} places in ${messages.size} messages: ${content} content, ${opaque} opaque, ${echo} echo`,
    )
    const floor = least[name]
    assert.ok(floor, `${name} is new: look what came in, and write down how many places it has`)
    for (const is of ['content', 'opaque', 'echo'] as const) {
      assert.ok(
        count[is] >= floor[is],
        `${name} had ${floor[is]} places of ${is}, now ${count[is]}`,
      )
    }
  })
}

/** What is to be an echo is said to the masker before; by somebody else, it is none. */
function sayFirst(place: Place, row: Class | undefined, made: object): void {
  for (const { message } of row?.said ?? []) {
    const word = valueAt(made, place.pointer)
    masker.asked(treeOf(message(word)), plan, binding)
    const { shown } = masker.answer(treeOf(made), plan, 'shop\neve')
    const toOther: unknown = JSON.parse(Buffer.from(shown.bytes).toString())
    assert.match(standing(toOther, place), /^sp1\./, `${told(place)}: said by nobody`)
  }
}

/** An alias stands there, and wherever it can be sent back to its server finds its own bytes. */
function checkSealed(
  place: Place,
  of: { row: Class; era: Revision['era']; before: object; shown: object },
): void {
  const { row, era, before, shown } = of
  const alias = row.isKey ? standing(shown, place) : valueAt(shown, place.pointer)
  const shape = row.isUri === true ? /^sallyport:sp1\.[\w-]{40,}$/ : /^sp1\.[\w-]{40,}$/
  assert.match(String(alias), shape, `${told(place)}: an alias`)
  for (const back of waysBack(place, era)) {
    const sent = masker.undo(treeOf(back.message(alias)), binding)
    const got = valueAt(JSON.parse(Buffer.from(sent).toString()), pointerOf(back.path))
    if (row.isKey) assert.deepEqual(Object.keys(Object(got)), [card], told(place))
    else assert.deepEqual(got, valueAt(before, place.pointer), `${told(place)}: on its way back`)
  }
}

for (const { revision, places } of all) {
  if (revision.defs['JSONRPCBatchResponse'] === undefined) continue
  test(`${revision.name}: in a batch every place is what it is alone`, () => {
    const shownOf = (message: unknown): unknown => {
      const { shown } = masker.answer(treeOf(message), plan, binding)
      return JSON.parse(Buffer.from(shown.bytes).toString())
    }
    for (const place of places) {
      const made = place.make()
      const ping = { jsonrpc: '2.0', id: 7, result: {} }
      assert.deepEqual(shownOf([ping, made, ping]), [ping, shownOf(made), ping], told(place))
    }
  })
}

test('what is named like a round trip has its class', () => {
  const unclassed = all.flatMap(({ revision, places }) =>
    places
      .filter((place) => classOf(place) === undefined && soundsOpaque(place))
      .map(({ owner }) => `${revision.name}: ${owner}`),
  )
  const what =
    'is this content, or does a server want it back? Say so in tests/hostile/classes.ts (and in src/mask/places.ts)'
  assert.deepEqual([...new Set(unclassed)], [], what)
})

test('every class is of a place that a schema has', () => {
  const used = new Set(all.flatMap(({ places }) => places.map(classOf)))
  const gone = classes.filter((row) => !used.has(row)).map(({ at }) => at)
  assert.deepEqual(gone, [], 'no revision has these places any more: take them out of classes.ts')
})

type Way = 'out' | 'back' | 'said'

/** A value that is no content, where a message of one side has it. */
interface Wanted {
  readonly era: Revision['era']
  readonly way: Way
  readonly tree: JsonTree
  readonly node: number
  /** What the table must say of it; anything but content on the way back. */
  readonly kind: PlaceKind | undefined
}

const wanted: readonly Wanted[] = all.flatMap(({ revision: { era }, places }) =>
  places.flatMap((place) => {
    const row = classOf(place)
    if (row === undefined) return []
    const isAnswer = row.is === 'echo' && row.said === undefined
    const kind = isAnswer ? 'answer' : row.isUri === true ? 'uri' : row.is
    const theirs = (way: Way, { message, path }: Back): Wanted => {
      const tree = treeOf(message('a'))
      const node = nodeAt(tree, pointerOf(path))
      return { era, way, tree, node: row.isKey ? tree.first(node) : node, kind: undefined }
    }
    const tree = treeOf(place.make())
    const node = row.isKey ? keyAt(tree, place.pointer) : nodeAt(tree, place.pointer)
    return [
      { era, way: 'out' as const, tree, node, kind },
      ...waysBack(place, era).map((back) => theirs('back', back)),
      ...(row.said ?? []).map((back) => theirs('said', back)),
    ]
  }),
)

/** The eras and ways in which rows miss something or take it for something else. */
function failures(rows: readonly Mapping[]): string {
  const by = { out: rowsFor('out', rows), back: rowsFor('back', rows), said: rowsFor('said', rows) }
  const ready = { out: prepare(by.out), back: prepare(by.back), said: prepare(by.said) }
  const eras = new Set<string>()
  const ways = new Set<string>()
  for (const { era, way, tree, node, kind } of wanted) {
    const found = placesOf(tree, ready[way]).find((one) => one.node === node)?.kind
    if (found !== undefined && (kind === undefined || found === kind)) continue
    eras.add(era)
    ways.add(way)
  }
  const oneOf = (set: Set<string>): string => (set.size > 1 ? 'both' : ([...set][0] ?? 'none'))
  return `${oneOf(ways)}, ${oneOf(eras)}`
}

function nodeAt(tree: JsonTree, pointer: string): number {
  let node = tree.root
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (tree.kind(node) === 'object') node = tree.get(node, key)
    else {
      node = tree.first(node)
      for (let i = Number(key); i > 0; i--) node = tree.next(node)
    }
  }
  return node
}

function keyAt(tree: JsonTree, pointer: string): number {
  const cut = pointer.lastIndexOf('/')
  let key = tree.first(nodeAt(tree, pointer.slice(0, cut)))
  while (key !== -1 && tree.text(key) !== pointer.slice(cut + 1)) key = tree.next(key)
  return key
}

test('every mapping is needed, in the ways and the eras that it names', () => {
  assert.equal(failures(mappings), 'none, none')
  const found = mappings.map((row) => {
    const without = failures(mappings.filter((other) => other !== row))
    return `${row.in}: ${row.at} (${without})`
  })
  assert.deepEqual(
    found,
    mappings.map((row) => `${row.in}: ${row.at} (${row.way}, ${row.eras})`),
    'without a mapping its places must be missed; where nothing is, nobody needs it',
  )
})
