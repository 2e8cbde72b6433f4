/** For tests: the rules of a configuration, and facts of calls as inspection tells them. */
import { checkConfig } from '../config/config.ts'
import type { Config } from '../config/config.ts'
import type { Finding, SqlFact } from '../inspect/facts.ts'
import type { CallFacts } from './verdict.ts'

/** A configuration with these lines more, in a folder where profiles are looked for. */
export function configOf(more = '', profile = 'none', folder = '/etc/sallyport'): Config {
  const text = `identity: { issuers: [{ name: local, type: local }] }
connections:
  - { name: shop, url: "http://127.0.0.1:9/mcp", profile: ${profile} }
  - { name: bank, url: "http://127.0.0.1:9/bank", profile: none }
${more}`
  const { checked, mistakes } = checkConfig(text, `${folder}/sallyport.yaml`)
  if (checked === undefined) throw new Error(mistakes.map(({ message }) => message).join('\n'))
  return checked.config
}

const plain: SqlFact = {
  at: '/sql',
  ordinal: 0,
  statements: 1,
  dialect: 'postgresql',
  parsed: true,
  problem: '',
  verb: 'SELECT',
  verbs: ['SELECT'],
  tables_read: ['orders'],
  tables_written: [],
  columns_read: ['id'],
  columns_written: [],
  columns_returned: { id: ['id'] },
  where: 'none',
  where_less: false,
  limit: -1,
  functions: [],
  dangerous_functions: [],
  writes: false,
  is_ddl: false,
  is_dcl: false,
  exports: false,
  uses_files: false,
  is_dynamic: false,
  changes_session: false,
  is_transaction: false,
  locks: false,
  has_comments: false,
  touches_cardholder_data: false,
  writes_cardholder_data: false,
  returns_cardholder_data: false,
}

/** `SELECT id FROM orders`, but for what is said otherwise. */
export function statement(of: Partial<SqlFact> = {}): SqlFact {
  return { ...plain, ...of }
}

/** What did not parse: everything dangerous is set. */
export function unparsed(problem = 'syntax'): SqlFact {
  const dangers = {
    writes: true,
    is_ddl: true,
    is_dcl: true,
    exports: true,
    uses_files: true,
    is_dynamic: true,
    changes_session: true,
    where_less: true,
    locks: true,
    touches_cardholder_data: true,
    writes_cardholder_data: true,
    returns_cardholder_data: true,
  }
  const names = { verb: 'UNKNOWN', verbs: ['UNKNOWN'], tables_read: [], columns_read: [] }
  return { ...plain, ...dangers, ...names, parsed: false, problem, columns_returned: {} }
}

export function finding(of: Partial<Finding> = {}): Finding {
  return { family: 'shell', confidence: 'high', at: '/params/arguments/x', what: 'pipe', ...of }
}

/** The call of a tool on `shop` by a person, with these statements. */
export function factsOf(sql: readonly SqlFact[] = [], more: Partial<CallFacts> = {}): CallFacts {
  return {
    sql,
    findings: [],
    principal: {
      issuer: 'https://issuer.example',
      subject: 'ada',
      kind: 'person',
      groups: ['engineers'],
      roles: [],
      claims: { tid: 't1' },
    },
    connection: 'shop',
    call: {
      method: 'tools/call',
      kind: 'tool',
      name: 'execute_sql',
      bytes: 200,
      arguments: () => ({}),
    },
    source: { ip: '10.0.0.1' },
    exposure: () => ({ clear: 0, masked: 0 }),
    tool: undefined,
    nowMs: Date.UTC(2026, 0, 5, 8, 30),
    ...more,
  }
}
