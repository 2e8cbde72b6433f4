/** What of a connection's configuration the inspection works with; made once for it. */
import { CARD, SECRET, meaningOf } from '../cards/words.ts'
import type { ConnectionConfig } from '../config/types.ts'
import { glob } from './glob.ts'
import type { SqlSettings } from './sql/seen.ts'

export interface InspectSettings extends SqlSettings {
  /** The argument of a tool that is SQL, by configuration; undefined where nothing is said of it. */
  readonly tools: (tool: string) => string | undefined
}

/**
 * The settings of a connection. Columns with names of card data (`pan`, `cvv`) count whether they are
 * configured or not; a pattern without a point is for the column alone, `*.cc_*` for any table's.
 * Where no table is named, those count whose names say that they hold cards.
 */
export function inspectSettings(
  connection: Pick<ConnectionConfig, 'cardholderData' | 'sql'>,
): InspectSettings {
  const { cardholderData, sql } = connection
  const columns = cardholderData.columns.map((one) => nameTest(one))
  const tables = (cardholderData.tables ?? []).map((one) => nameTest(one))
  const tools = Object.entries(sql?.tools ?? {}).map(([tool, argument]) => ({
    isTool: glob(tool),
    argument,
  }))
  const schema = Object.entries(sql?.schema ?? {}).map(
    ([table, names]) => [table.toLowerCase(), names.map((name) => name.toLowerCase())] as const,
  )
  return {
    dialect: sql?.dialect,
    columns: remembered((name) => columns.some((test) => test(name)) || isCardName(name)),
    tables: remembered(
      tables.length > 0 ? (name) => tables.some((test) => test(name)) : (name) => isCardTable(name),
    ),
    schema: new Map(schema),
    // A star over any other table is no cardholder data: what holds it is named here, or by its name.
    namesTables: true,
    tools: (tool) => tools.find(({ isTool }) => isTool(tool))?.argument,
  }
}

/** What is asked with `pan`, `cards.pan` and `public.cards.pan`; a pattern may name as much of it. */
function nameTest(pattern: string): (name: string) => boolean {
  const source = pattern.toLowerCase()
  const whole = glob(source)
  if (!source.includes('.')) return (name) => whole(last(name))
  // `*.cc_*` is meant for a column that stands alone as well.
  const alone = source.startsWith('*.') ? glob(source.slice(2)) : undefined
  return (name) => whole(name) || (alone?.(last(name)) ?? false)
}

const last = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

function isCardName(name: string): boolean {
  return (meaningOf(last(name)) & (CARD | SECRET)) !== 0
}

const cardTable =
  /^(?:[a-z0-9]+_)*(?:cards?|pans?|card_?data|card_?numbers?|card_?holders?(?:_data)?|card_?vault|credit_?cards?|debit_?cards?|payment_?cards?|bank_?cards?|cvvs?)(?:_(?:[0-9]+|hist(?:ory)?|archive|backup|bak|old|new|copy|tmp|temp))*$/

/** What tables of card data are called where nobody says how they are called here. */
function isCardTable(name: string): boolean {
  return cardTable.test(last(name))
}

const rememberedMax = 2048

/** Names come again and again; they are few. */
function remembered(test: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>()
  return (raw) => {
    const name = raw.toLowerCase()
    const before = known.get(name)
    if (before !== undefined) return before
    if (known.size >= rememberedMax) known.clear()
    const is = test(name)
    known.set(name, is)
    return is
  }
}
