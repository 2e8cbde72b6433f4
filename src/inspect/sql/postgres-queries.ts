/** Queries and changes of PostgreSQL's parse tree as our own. */
import {
  aliasOf,
  listOf,
  nameOf,
  namesOf,
  nodeOf,
  nodesOf,
  partOf,
  tableOf,
  wordOf,
  type Fields,
  type Node,
} from './postgres-nodes.ts'
import { exprOf, exprsOf, maybeExprOf, outputsOf, partsOf, restOf } from './postgres-values.ts'
import type { Assignment, Change, Cte, Expr, Limit, Query, Relation, Select } from './statement.ts'

/** A node that stands where a query does; of another one only its expressions are kept. */
export function queryOf({ kind, fields }: Node): Query {
  switch (kind) {
    case 'SelectStmt':
      return selectOf(fields)
    case 'InsertStmt':
      return insertOf(fields)
    case 'UpdateStmt':
      return updateOf(fields)
    case 'DeleteStmt':
      return deleteOf(fields)
    case 'MergeStmt':
      return mergeOf(fields)
    default:
      return { ...plainSelect, beside: partsOf(fields) }
  }
}

const plainSelect: Select = {
  kind: 'select',
  ctes: [],
  recursive: false,
  outputs: [],
  from: [],
  where: undefined,
  beside: [],
  limit: undefined,
  into: undefined,
  locks: false,
}

/** `SELECT columns FROM table`: what COPY and TABLE read. */
export function tableQuery(range: Fields, columns: readonly string[], where?: Expr): Select {
  const outputs = columns.map((name) => ({
    expr: { kind: 'column', qualifier: [], name } as const,
    alias: '',
  }))
  const star = { expr: { kind: 'star', qualifier: [] } as const, alias: '' }
  return {
    ...plainSelect,
    outputs: outputs.length ? outputs : [star],
    from: [{ kind: 'table', table: tableOf(range), alias: '', columns: [] }],
    where,
  }
}

function ctesOf(fields: Fields): { ctes: readonly Cte[]; recursive: boolean } {
  const clause = partOf(fields['withClause'])
  const ctes = nodesOf(clause?.['ctes']).map(({ fields: cte }) => ({
    name: nameOf(cte['ctename']),
    columns: namesOf(cte['aliascolnames']),
    body: queryOf(nodeOf(cte['ctequery'])),
  }))
  return { ctes, recursive: clause?.['recursive'] === true }
}

function limitOf(fields: Fields): Limit {
  if (fields['limitOption'] === 'LIMIT_OPTION_WITH_TIES') return 'unknown'
  const count = fields['limitCount']
  if (count === undefined) return undefined
  const expr = exprOf(count)
  const bare = expr.kind === 'cast' ? expr.of : expr
  if (bare.kind !== 'literal') return 'unknown'
  if (bare.value === null) return undefined
  const rows = Number(bare.value)
  return Number.isFinite(rows) && rows >= 0 ? Math.ceil(rows) : 'unknown'
}

const selectFields = [
  'targetList',
  'fromClause',
  'whereClause',
  'withClause',
  'intoClause',
  'lockingClause',
  'valuesLists',
  'larg',
  'rarg',
]

function selectOf(fields: Fields): Query {
  const { ctes, recursive } = ctesOf(fields)
  const limit = limitOf(fields)
  const locks = listOf(fields['lockingClause']).length > 0
  const beside = restOf(fields, selectFields)
  const operator = wordOf(fields['op']).replace('SETOP_', '').toLowerCase()
  if (operator === 'union' || operator === 'intersect' || operator === 'except') {
    const left = queryOf({ kind: 'SelectStmt', fields: partOf(fields['larg']) ?? {} })
    const right = queryOf({ kind: 'SelectStmt', fields: partOf(fields['rarg']) ?? {} })
    return { kind: 'set', operator, left, right, beside, limit, locks, ctes, recursive }
  }
  const lists = nodesOf(fields['valuesLists'])
  if (lists.length) {
    const rows = lists.map(({ fields: list }) => exprsOf(list['items']))
    return { kind: 'values', rows, beside, limit, ctes, recursive }
  }
  const into = partOf(partOf(fields['intoClause'])?.['rel'])
  return {
    kind: 'select',
    ctes,
    recursive,
    outputs: outputsOf(fields['targetList']),
    from: nodesOf(fields['fromClause']).map(relationOf),
    where: maybeExprOf(fields['whereClause']),
    beside,
    limit,
    into: into && tableOf(into),
    locks,
  }
}

function relationOf({ kind, fields }: Node): Relation {
  const { alias, columns } = aliasOf(fields)
  switch (kind) {
    case 'RangeVar':
      return { kind: 'table', table: tableOf(fields), alias, columns }
    case 'RangeSubselect': {
      const query = queryOf(nodeOf(fields['subquery']))
      return { kind: 'query', query, alias, columns }
    }
    case 'JoinExpr': {
      const using = partOf(fields['join_using_alias'])
      return {
        kind: 'join',
        left: relationOf(nodeOf(fields['larg'])),
        right: relationOf(nodeOf(fields['rarg'])),
        on: maybeExprOf(fields['quals']),
        using: namesOf(fields['usingClause']),
        natural: fields['isNatural'] === true,
        alias: alias || nameOf(using?.['aliasname']),
        columns,
      }
    }
    case 'RangeTableSample': {
      // The sample's size may hold anything: read like a function beside the table.
      const table = relationOf(nodeOf(fields['relation']))
      const calls = restOf(fields, ['relation', 'method'])
      return calls.length ? sampled(table, calls) : table
    }
    default: {
      const defined = nodesOf(fields['coldeflist']).map(({ fields: column }) =>
        nameOf(column['colname']),
      )
      const calls = restOf(fields, ['alias', 'coldeflist', 'columns'])
      const more = restOf({ columns: fields['columns'] }, [])
      const named = nodesOf(fields['columns']).map(({ fields: column }) =>
        nameOf(column['colname'] ?? column['name']),
      )
      const given = [...columns, ...defined, ...named].filter(Boolean)
      return { kind: 'call', calls: [...calls, ...more], alias, columns: given }
    }
  }
}

/** TABLESAMPLE: only literals are usual; anything else is kept as a condition that is always met. */
function sampled(table: Relation, calls: readonly Expr[]): Relation {
  if (calls.every(({ kind }) => kind === 'literal' || kind === 'parameter')) return table
  const nothing = { kind: 'call', calls, alias: '', columns: [] } as const
  const join = { using: [], natural: false, alias: '', columns: [], on: undefined } as const
  return { kind: 'join', left: table, right: nothing, ...join }
}

function changeOf(fields: Fields, verbs: readonly string[]): Change {
  const range = partOf(fields['relation']) ?? {}
  const returning = partOf(fields['returningClause'])
  return {
    kind: 'change',
    verbs,
    ...ctesOf(fields),
    targets: [{ table: tableOf(range), alias: aliasOf(range).alias }],
    from: [],
    source: undefined,
    assignments: [],
    where: undefined,
    beside: [],
    limit: undefined,
    returning: outputsOf(returning?.['exprs'] ?? fields['returningList']),
    locks: false,
  }
}

function assignmentsOf(value: unknown): readonly Assignment[] {
  return nodesOf(value).map(({ fields }) => ({
    column: nameOf(fields['name']),
    value: maybeExprOf(fields['val']),
  }))
}

const changeFields = [
  'relation',
  'returningClause',
  'returningList',
  'withClause',
  'targetList',
  'whereClause',
  'fromClause',
  'usingClause',
  'cols',
  'selectStmt',
  'onConflictClause',
]

function insertOf(fields: Fields): Change {
  const conflict = partOf(fields['onConflictClause'])
  const isUpdate = conflict?.['action'] === 'ONCONFLICT_UPDATE'
  const cols = assignmentsOf(fields['cols'])
  const source = fields['selectStmt'] ? queryOf(nodeOf(fields['selectStmt'])) : undefined
  const first = cols.length ? cols : [{ column: '*', value: undefined }]
  const more = isUpdate ? assignmentsOf(conflict['targetList']) : []
  return {
    ...changeOf(fields, isUpdate ? ['INSERT', 'UPDATE'] : ['INSERT']),
    source,
    assignments: [...first, ...more],
    beside: [...restOf(fields, changeFields), ...restOf(conflict ?? {}, ['targetList'])],
  }
}

function updateOf(fields: Fields): Change {
  return {
    ...changeOf(fields, ['UPDATE']),
    from: nodesOf(fields['fromClause']).map(relationOf),
    assignments: assignmentsOf(fields['targetList']),
    where: maybeExprOf(fields['whereClause']),
    beside: [
      ...restOf(fields, changeFields),
      ...nodesOf(fields['targetList']).flatMap(({ fields: target }) => restOf(target, ['val'])),
    ],
  }
}

function deleteOf(fields: Fields): Change {
  return {
    ...changeOf(fields, ['DELETE']),
    from: nodesOf(fields['usingClause']).map(relationOf),
    where: maybeExprOf(fields['whereClause']),
    beside: restOf(fields, changeFields),
  }
}

/** What a branch does stands only in its `commandType`. */
function mergeOf(fields: Fields): Change {
  const branches = nodesOf(fields['mergeWhenClauses']).map(({ fields: branch }) => branch)
  const verbs = branches.flatMap((branch) => {
    const verb = wordOf(branch['commandType']).replace('CMD_', '')
    return verb === 'NOTHING' ? [] : [verb]
  })
  const assignments = branches.flatMap((branch) => {
    const targets = assignmentsOf(branch['targetList'])
    const values = exprsOf(branch['values'])
    if (branch['commandType'] !== 'CMD_INSERT') return targets
    const columns = targets.length ? targets : values.map(() => ({ column: '*', value: undefined }))
    return columns.map(({ column }, i) => ({ column, value: values[i] }))
  })
  const conditions = branches.flatMap((branch) => restOf(branch, ['targetList', 'values']))
  const source = nodeOf(fields['sourceRelation'])
  return {
    ...changeOf(fields, [...new Set(['MERGE', ...verbs])]),
    from: [relationOf(source)],
    assignments,
    beside: [
      ...conditions,
      ...restOf(fields, [...changeFields, 'mergeWhenClauses', 'sourceRelation']),
    ],
  }
}
