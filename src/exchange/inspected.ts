/** What a request is about: SQL facts and findings, for policy and for the record. */
import type { Finding, Inspected, SqlFact } from '../inspect/facts.ts'
import type { Masked } from '../mask/masked.ts'
import type { Maskings } from '../mask/masker.ts'
import type { Details, RecordedFacts } from '../record/entry.ts'
import type { Posted } from '../wire/message.ts'
import type { AskedMasked } from './account.ts'
import type { Stations } from './stations.ts'
import type { Known, Leg } from './way.ts'

/** What of a request, its connection and the stations inspection looks at. */
interface AskedLegs {
  readonly asked: readonly Pick<AskedMasked, 'maskings'>[]
  readonly legs: readonly Pick<Leg, 'target'>[]
}
interface At {
  readonly connection: Pick<Known['connection'], 'inspect' | 'name'>
}
interface Inspecting extends Pick<Stations, 'inspector'> {
  readonly pins: Pick<Stations['pins'], 'twins'>
}

/**
 * Inspects every message of a POST. Card numbers that the masker saw on their way to the server are
 * findings too.
 * @returns a promise only where a statement has to be parsed elsewhere.
 */
export function inspectAsked(
  posted: Posted,
  { asked, legs }: AskedLegs,
  known: At,
  at: Inspecting,
): readonly Inspected[] | Promise<readonly Inspected[]> {
  const messages = posted.kind === 'one' ? [posted.message] : posted.messages
  const seen = messages.map((message) => at.inspector.request(message, known.connection.inspect))
  const all = seen.some((one) => one instanceof Promise)
    ? Promise.all(seen.map(async (one) => await one))
    : undefined
  const withCards = (found: readonly Inspected[]): readonly Inspected[] =>
    found.map((one, index) => {
      const twins = twinsOf(legs[index], known, at)
      return joined(one, [...cardsIn(asked[index]?.maskings), ...twins])
    })
  return all === undefined ? withCards(settled(seen)) : all.then(withCards)
}

function settled(seen: readonly (Inspected | Promise<Inspected>)[]): Inspected[] {
  return seen.filter((one): one is Inspected => !(one instanceof Promise))
}

function joined(found: Inspected, cards: readonly Finding[]): Inspected {
  return cards.length === 0 ? found : { ...found, findings: [...found.findings, ...cards] }
}

/** A name that is there to be taken for another tool's. */
function twinsOf(
  leg: AskedLegs['legs'][number] | undefined,
  { connection }: At,
  at: Inspecting,
): readonly Finding[] {
  return leg?.target.kind === 'tool' ? at.pins.twins(connection.name, leg.target.name) : []
}

const noCards: readonly Finding[] = []

function cardsIn(maskings: Maskings | undefined): readonly Finding[] {
  if (maskings === undefined || maskings.count === 0) return noCards
  return maskings.groups().map(({ at, confidence, kind }) => ({
    family: 'card' as const,
    confidence,
    at,
    what: kind,
  }))
}

const statementsMax = 20
const namesMax = 40
const findingsMax = 50
/** Half of what an entry takes: the rest of it needs room as well. */
const textLengthMax = 14_000

const recordedSql = new WeakMap<readonly SqlFact[], Masked<RecordedFacts>>()

/** The facts as an entry holds them: bounded, every name masked; undefined where there are none. */
export function recordedFacts(
  { findings, sql }: Inspected,
  at: Pick<Stations, 'masker'>,
): Masked<RecordedFacts> | undefined {
  if (sql.length === 0 && findings.length === 0) return undefined
  const known = findings.length === 0 ? recordedSql.get(sql) : undefined
  if (known !== undefined) return known
  const made = at.masker.words<RecordedFacts>(bounded(sql, findings))
  // The facts of a statement that comes again are the very same array.
  if (findings.length === 0) recordedSql.set(sql, made)
  return made
}

function bounded(sql: readonly SqlFact[], findings: readonly Finding[]): RecordedFacts {
  const isCut = sql.length > statementsMax || findings.length > findingsMax
  const whole: RecordedFacts = {
    ...(sql.length === 0 ? {} : { sql: sql.slice(0, statementsMax).map(boundedStatement) }),
    ...(findings.length === 0 ? {} : { findings: findings.slice(0, findingsMax).map(spread) }),
    ...(isCut ? { cut: true as const } : {}),
  }
  if (JSON.stringify(whole).length <= textLengthMax) return whole
  const [half, halfFound] = [sql.length >> 1, findings.length >> 1]
  if (half === 0 && halfFound === 0) return { cut: true }
  return { ...bounded(sql.slice(0, half), findings.slice(0, halfFound)), cut: true }
}

function spread({ at, confidence, family, what }: Finding): Record<string, string> {
  return { at: cutWord(at), confidence, family, what }
}

/** `columns_returned` becomes a list, `name: column, column`: a name may be anything. */
function boundedStatement(fact: SqlFact): Record<string, unknown> {
  const { columns_returned: returned, ...rest } = fact
  const columns = Object.entries(returned)
    .slice(0, namesMax)
    .map(([name, of]) => `${cutWord(name)}: ${of.slice(0, namesMax).join(', ')}`)
  const lists = Object.entries({ ...rest, columns_returned: columns }).map(
    ([name, value]: [string, unknown]): [string, unknown] => [
      name,
      Array.isArray(value) ? value.slice(0, namesMax).map((one) => cutWord(String(one))) : value,
    ],
  )
  return Object.fromEntries<unknown>(lists)
}

function cutWord(word: string): string {
  return (word.length > 128 ? `${word.slice(0, 128)}…` : word).toWellFormed()
}

/** The entry that tells of findings; undefined where there are none. */
export function foundDetails(of: string, findings: readonly Finding[]): Details | undefined {
  if (findings.length === 0) return undefined
  const found = findings.slice(0, findingsMax).map(spread)
  return {
    of,
    families: [...new Set(findings.map(({ family }) => family))],
    found: found.map((one) => `${one['family']} ${one['confidence']} ${one['what']} ${one['at']}`),
  }
}
