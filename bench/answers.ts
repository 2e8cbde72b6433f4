/**
 * The tool results which the benchmark's server gives: rows of a query as `@bytebase/dbhub` prints
 * them, that is JSON inside the text of `content[0]`, so that every quote is escaped once.
 */

/** The three sizes of a result, by name. The figure is the size of the whole message in bytes. */
export const sizes = { '1KB': 1024, '64KB': 65_536, '1MB': 1_048_576 } as const
export type Size = keyof typeof sizes
/** `card`: a card number in every row (in the first alone at 1 KB). `plain`: none, same length. */
export type Content = 'card' | 'plain'

export interface Answer {
  readonly tool: string
  readonly body: Buffer
  /** The made-up numbers which stand in it and must not arrive behind a gateway. */
  readonly cards: readonly string[]
}

/** The name of the tool which answers with this content in this size: `rows_64KB_card`. */
export function toolName(size: Size, content: Content): string {
  return `rows_${size}_${content}`
}

/** Builds every answer once: six messages, about 2.2 MB. */
export function makeAnswers(): Map<string, Answer> {
  const made = new Map<string, Answer>()
  for (const size of ['1KB', '64KB', '1MB'] as const) {
    for (const content of ['card', 'plain'] as const) {
      const answer = makeAnswer(size, content)
      made.set(answer.tool, answer)
    }
  }
  return made
}

function makeAnswer(size: Size, content: Content): Answer {
  const cards: string[] = []
  const rows: string[] = []
  const reserved = 8 // The digits of "count", which grow with the rows.
  let left = sizes[size] - message([], 0).length - reserved
  for (let at = 0; ; at++) {
    const hasCard = content === 'card' && (size !== '1KB' || at === 0)
    const card = hasCard ? madeUpCard(at) : undefined
    const next = row(at, card)
    left -= Buffer.byteLength(JSON.stringify(`,\n${next}`)) - 2
    if (left < 0) break
    rows.push(next)
    if (card !== undefined) cards.push(card)
  }
  const padding = sizes[size] - message(rows, 0).length
  return { tool: toolName(size, content), body: message(rows, padding), cards }
}

/** One row in dbhub's print: two more blanks a level, every value on its own line. */
function row(at: number, card: string | undefined): string {
  const names = ['Ada Winter', 'Grace Summer', 'Alan Autumn', 'Edsger Spring', 'Barbara March']
  const cities = ['Lisbon', 'Utrecht', 'Oslo', 'Porto Alegre', 'Nagoya', 'Kraków']
  const reference =
    card === undefined
      ? `"ref": "t${(at * 7919 + 1e14).toString(32).padStart(15, 'k')}"`
      : `"pan": "${card}"`
  const lines = [
    `"id": ${at + 1}`,
    `"name": "${names[at % names.length]}"`,
    `"city": "${cities[at % cities.length]}"`,
    reference,
    `"amount": ${((at * 37) % 9000) + 99}.${String(at % 100).padStart(2, '0')}`,
    `"ordered_at": "2026-0${(at % 9) + 1}-1${at % 10}T08:30:00Z"`,
  ]
  return `          {\n            ${lines.join(',\n            ')}\n          }`
}

function message(rows: readonly string[], padding: number): Buffer {
  const text = [
    '{\n  "success": true,\n  "data": {\n    "statements": [\n      {\n        "sql": "select * from orders",',
    `        "rows": [\n${rows.join(',\n')}\n        ],`,
    `        "count": ${rows.length}`,
    `      }\n    ],\n    "source_id": "default"\n  }\n}${' '.repeat(Math.max(padding, 0))}`,
  ].join('\n')
  const serverInfo = { 'io.modelcontextprotocol/serverInfo': { name: 'bench', version: '1.0.0' } }
  const result = { content: [{ type: 'text', text }], resultType: 'complete', _meta: serverInfo }
  return Buffer.from(JSON.stringify({ result, jsonrpc: '2.0', id: 1 }))
}

/** A number of a test range with a right last digit, different for each row. */
function madeUpCard(at: number): string {
  const front = `400000${String((at * 104_729) % 1e9).padStart(9, '0')}`
  let sum = 0
  for (let i = 0; i < front.length; i++) {
    const digit = Number(front[i])
    const doubled = i % 2 === 0 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return `${front}${(10 - (sum % 10)) % 10}`
}
