/**
 * What it costs to understand a call before it goes: the facts of a statement that was read before,
 * of one that was not, and the verdict of the `pci` rules on it; in this process, one after the other.
 */
import { readConfig } from '../src/config/config.ts'
import { createInspector, inspectSettings } from '../src/inspect/inspector.ts'
import { createSqlReader } from '../src/inspect/sql/reader.ts'
import { compileRules } from '../src/policy/rules.ts'
import { readPosted } from '../src/wire/message.ts'
import type { Message } from '../src/wire/message.ts'
import { median } from './figure.ts'
import type { Figure } from './figure.ts'

const dialects = ['postgresql', 'mysql', 'sqlserver', 'sqlite', 'oracle'] as const
const limits = { bytesMax: 1 << 20, depthMax: 64 }

const config = readConfig(
  `
identity: { issuers: [{ name: local, type: local }] }
connections:
${dialects
  .map(
    (dialect) =>
      `  - { name: ${dialect}, url: "http://localhost:1/mcp", sql: { dialect: ${dialect}, tools: { query: sql } }, cardholder_data: { tables: [cards] } }`,
  )
  .join('\n')}
`,
  'bench.yaml',
).config

/** @param calls how many statements of each dialect are read. */
export async function sqlFigures(calls: number): Promise<Figure[]> {
  const inspector = createInspector({ sql: createSqlReader() })
  const rules = compileRules(config)
  const figures: Figure[] = []
  try {
    for (const connection of config.connections) {
      const of = inspectSettings(connection)
      const call = (n: number): Message => callOf(statement(n))
      await inspector.request(call(-1), of) // The parser is loaded at first use.
      const [fresh, known, judged] = [[], [], []] as number[][]
      for (let n = 0; n < calls; n++) {
        const message = call(n)
        fresh?.push(await timed(() => inspector.request(message, of)))
        known?.push(await timed(() => inspector.request(message, of)))
        const facts = await inspector.request(message, of)
        judged?.push(
          await timed(() => rules.judge(connection.name, factsOf(connection.name, facts))),
        )
      }
      const add = (what: string, values: number[] | undefined): void => {
        const value = median(values ?? [])
        figures.push({ name: `SQL, ${connection.name}, ${what}`, value, unit: 'us' })
      }
      add('not read before', fresh)
      add('read before', known)
      add('rules of pci', judged)
    }
  } finally {
    await inspector.close()
  }
  return figures
}

/** A statement like no other, of some 230 characters, that every dialect reads. */
function statement(n: number): string {
  return (
    'SELECT o.id, o.status, c.name, SUM(o.total) AS spent FROM orders o JOIN customers c ON c.id = o.customer_id ' +
    `WHERE o.status IN ('open', 'paid') AND o.total > ${n} GROUP BY o.id, o.status, c.name HAVING COUNT(*) > 1 ORDER BY o.id`
  )
}

function callOf(sql: string): Message {
  const params = { name: 'query', arguments: { sql } }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const posted = readPosted(Buffer.from(body), limits)
  if (posted.kind !== 'one') throw new Error('one message was made')
  return posted.message
}

type Facts = Parameters<ReturnType<typeof compileRules>['judge']>[1]

function factsOf(connection: string, inspected: Pick<Facts, 'sql' | 'findings'>): Facts {
  return {
    ...inspected,
    principal: { issuer: 'bench', subject: 'ada', kind: 'person', groups: [], roles: [] },
    connection,
    call: { method: 'tools/call', kind: 'tool', name: 'query', bytes: 300, arguments: () => ({}) },
    source: { ip: '127.0.0.1' },
    exposure: () => ({ clear: 0, masked: 0 }),
    tool: undefined,
    nowMs: Date.now(),
  }
}

/** Microseconds. */
async function timed(work: () => unknown): Promise<number> {
  const begun = process.hrtime.bigint()
  const made = work()
  if (made instanceof Promise) await made
  return Number(process.hrtime.bigint() - begun) / 1000
}
