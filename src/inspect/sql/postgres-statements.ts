/**
 * Statements of PostgreSQL's parse tree as our own. A statement that stands in none of the tables below
 * is unknown, which is the worst there is.
 */
import {
  isFields,
  listOf,
  nameOf,
  namesOf,
  nodeOf,
  nodesOf,
  partOf,
  tableOf,
  tableOfNames,
  wordOf,
  type Fields,
  type Node,
} from './postgres-nodes.ts'
import { queryOf, tableQuery } from './postgres-queries.ts'
import { exprOf, maybeExprOf, partsOf } from './postgres-values.ts'
import type { Effects, Statement, TableName } from './statement.ts'

/** One statement; `comments` is for the caller to add. */
export function statementOf(node: Node): Statement {
  const { kind, fields } = node
  const translate = translations[kind]
  if (translate) return translate(fields, node)
  const effects = plain[kind] ?? definitionOf(kind)
  const known = { comments: false, ...namedIn(kind, fields, effects?.ddl ?? false) }
  const expressions = partsOf(fields)
  if (!effects) return { ...known, verb: 'UNKNOWN', expressions, problem: 'unknown_statement' }
  return {
    ...known,
    verb: verbOf(kind, fields),
    expressions,
    effects: { silent: true, ...effects },
  }
}

/** Statements whose name tells all: what they do besides naming tables and holding expressions. */
const plain: Readonly<Record<string, Effects>> = {
  VariableShowStmt: {},
  ClosePortalStmt: {},
  DeallocateStmt: { session: true },
  DiscardStmt: { session: true },
  ListenStmt: { session: true },
  UnlistenStmt: { session: true },
  ConstraintsSetStmt: { transaction: true },
  NotifyStmt: { writes: true },
  LockStmt: { locks: true },
  CheckPointStmt: { writes: true },
  VacuumStmt: { writes: true },
  ClusterStmt: { writes: true },
  ReindexStmt: { writes: true },
  LoadStmt: { writes: true, files: true, dynamic: true },
  // What comes back was asked for earlier: nothing of it stands here.
  FetchStmt: { opaque: true, silent: false },
  ExecuteStmt: { opaque: true, silent: false },
  DoStmt: { opaque: true, silent: false },
  CreateFunctionStmt: { ddl: true, opaque: true },
  CreateExtensionStmt: { ddl: true, dynamic: true },
  // They send rows to other servers from then on, or take them from there.
  CreatePublicationStmt: { ddl: true, exports: true },
  AlterPublicationStmt: { ddl: true, exports: true },
  CreateSubscriptionStmt: { ddl: true, exports: true, dynamic: true },
  AlterSubscriptionStmt: { ddl: true, exports: true, dynamic: true },
  CreateTrigStmt: { ddl: true, dynamic: true },
  AlterSystemStmt: { ddl: true, dcl: true, session: true },
  CommentStmt: { ddl: true },
  IndexStmt: { ddl: true },
  RefreshMatViewStmt: { writes: true },
  TruncateStmt: { writes: true },
  CompositeTypeStmt: { ddl: true },
  DefineStmt: { ddl: true },
  RenameStmt: { ddl: true },
  ImportForeignSchemaStmt: { ddl: true, dynamic: true },
  SecLabelStmt: { ddl: true, dcl: true },
  ReassignOwnedStmt: { dcl: true },
  DropOwnedStmt: { ddl: true, dcl: true },
  GrantRoleStmt: { dcl: true },
  CreateRoleStmt: { dcl: true },
  AlterRoleStmt: { dcl: true },
  AlterRoleSetStmt: { dcl: true },
  DropRoleStmt: { dcl: true },
  CreatePolicyStmt: { ddl: true, dcl: true },
  AlterPolicyStmt: { ddl: true, dcl: true },
  AlterOwnerStmt: { ddl: true, dcl: true },
  AlterDefaultPrivilegesStmt: { dcl: true },
  CreateUserMappingStmt: { ddl: true, dcl: true },
  AlterUserMappingStmt: { ddl: true, dcl: true },
  DropUserMappingStmt: { ddl: true, dcl: true },
}

const definitions = new Set(
  `AlterTableStmt AlterCollationStmt AlterDomainStmt CreateStmt CreateTableSpaceStmt
   DropTableSpaceStmt AlterTableSpaceOptionsStmt AlterTableMoveAllStmt AlterExtensionStmt
   AlterExtensionContentsStmt CreateFdwStmt AlterFdwStmt CreateForeignServerStmt
   AlterForeignServerStmt CreateForeignTableStmt CreateAmStmt CreateEventTrigStmt
   AlterEventTrigStmt CreatePLangStmt CreateSeqStmt AlterSeqStmt CreateDomainStmt CreateOpClassStmt
   CreateOpFamilyStmt AlterOpFamilyStmt CreateStatsStmt AlterStatsStmt AlterFunctionStmt
   AlterObjectDependsStmt AlterObjectSchemaStmt AlterOperatorStmt AlterTypeStmt CreateEnumStmt
   CreateRangeStmt AlterEnumStmt CreatedbStmt AlterDatabaseStmt AlterDatabaseRefreshCollStmt
   AlterDatabaseSetStmt DropdbStmt CreateConversionStmt CreateCastStmt CreateTransformStmt
   AlterTSDictionaryStmt AlterTSConfigurationStmt DropSubscriptionStmt`.split(/\s+/),
)

function definitionOf(kind: string): Effects | undefined {
  return definitions.has(kind) ? { ddl: true } : undefined
}

const verbs: Readonly<Record<string, string>> = {
  VariableShowStmt: 'SHOW',
  ClosePortalStmt: 'CLOSE',
  ConstraintsSetStmt: 'SET',
  CompositeTypeStmt: 'CREATE',
  DefineStmt: 'CREATE',
  IndexStmt: 'CREATE',
  RenameStmt: 'ALTER',
  ImportForeignSchemaStmt: 'IMPORT',
  RefreshMatViewStmt: 'REFRESH',
  SecLabelStmt: 'ALTER',
  ReassignOwnedStmt: 'REASSIGN',
}

/** `AlterTableStmt` is ALTER, `FetchStmt` is FETCH. */
function verbOf(kind: string, fields: Fields): string {
  if (kind === 'VacuumStmt') return fields['is_vacuumcmd'] === true ? 'VACUUM' : 'ANALYZE'
  if (kind === 'FetchStmt') return fields['ismove'] === true ? 'MOVE' : 'FETCH'
  const [first = ''] =
    /^[A-Z][a-z]+/.exec(kind.replace('Createdb', 'Create').replace('Dropdb', 'Drop')) ?? []
  const word = kind.startsWith('CheckPoint') ? 'CHECKPOINT' : first.toUpperCase()
  return verbs[kind] ?? word
}

const queries = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

type Translation = (fields: Fields, node: Node) => Statement

const translations: Readonly<Record<string, Translation>> = {
  SelectStmt: (_, node) => ({ verb: 'SELECT', body: queryOf(node), comments: false }),
  InsertStmt: (_, node) => ({ verb: 'INSERT', body: queryOf(node), comments: false }),
  UpdateStmt: (_, node) => ({ verb: 'UPDATE', body: queryOf(node), comments: false }),
  DeleteStmt: (_, node) => ({ verb: 'DELETE', body: queryOf(node), comments: false }),
  MergeStmt: (_, node) => ({ verb: 'MERGE', body: queryOf(node), comments: false }),
  ExplainStmt: explain,
  CallStmt: (fields) => ({
    verb: 'CALL',
    comments: false,
    expressions: [exprOf({ FuncCall: fields['funccall'] })],
    effects: { opaque: true },
  }),
  CopyStmt: copy,
  CreateTableAsStmt: createAs,
  ViewStmt: (fields) =>
    carrying('CREATE', fields['query'], {
      written: tablesOf([fields['view']]),
      effects: { ddl: true, silent: true },
      expressions: partsOf(fields['options']),
    }),
  PrepareStmt: (fields) =>
    carrying('PREPARE', fields['query'], {
      effects: { dynamic: true, session: true, silent: true },
    }),
  DeclareCursorStmt: (fields) => carrying('DECLARE', fields['query'], {}),
  RuleStmt: (fields) => ({
    verb: 'CREATE',
    comments: false,
    nested: nodesOf(fields['actions']).map(statementOf),
    written: tablesOf([fields['relation']]),
    expressions: partsOf(fields['whereClause']),
    effects: { ddl: true, dynamic: true, silent: true },
  }),
  CreateSchemaStmt: (fields) => ({
    verb: 'CREATE',
    comments: false,
    nested: nodesOf(fields['schemaElts']).map(statementOf),
    effects: { ddl: true, silent: true },
  }),
  VariableSetStmt: (fields) => {
    const isTransaction = /^(session characteristics|transaction)/i.test(wordOf(fields['name']))
    const isReset = /RESET/.test(wordOf(fields['kind']))
    const effects = { session: true, transaction: isTransaction, silent: true }
    return {
      verb: isReset ? 'RESET' : 'SET',
      comments: false,
      expressions: partsOf(fields['args']),
      effects,
    }
  },
  TransactionStmt: (fields) => {
    const verb = wordOf(fields['kind']).replace('TRANS_STMT_', '').split('_')[0] ?? ''
    const effects = { transaction: true, silent: true }
    return { verb: verb === 'START' ? 'BEGIN' : verb, comments: false, effects }
  },
  GrantStmt: (fields) => ({
    verb: fields['is_grant'] === true ? 'GRANT' : 'REVOKE',
    comments: false,
    written: rangesIn(fields),
    columnsRead: nodesOf(fields['privileges']).flatMap(({ fields: right }) =>
      namesOf(right['cols']),
    ),
    effects: { dcl: true, silent: true },
  }),
  DropStmt: (fields) => ({
    verb: 'DROP',
    comments: false,
    written: droppedOf(fields),
    effects: { ddl: true, silent: true },
  }),
}

/** A statement around another one, which may be any that runs. */
function carrying(
  verb: string,
  inner: unknown,
  more: Omit<Statement, 'verb' | 'comments'>,
): Statement {
  const node = nodeOf(inner)
  if (queries.has(node.kind)) return { verb, comments: false, ...more, body: queryOf(node) }
  return { verb, comments: false, ...more, nested: [statementOf(node)] }
}

function explain(fields: Fields): Statement {
  const runs = nodesOf(fields['options']).some(({ fields: option }) => {
    if (nameOf(option['defname']) !== 'analyze') return false
    const given = nodeOf(option['arg']).fields
    // Without a value it is on; of a value that is 0 or false the tree keeps no field.
    if (option['arg'] === undefined) return true
    const value = given['sval'] ?? given['boolval'] ?? given['ival'] ?? false
    if (typeof value === 'string') return !/^(false|off)$/i.test(value)
    return value === true || (typeof value === 'number' && value !== 0)
  })
  const inner = statementOf(nodeOf(fields['query']))
  const nested = [runs ? inner : { ...inner, effects: { ...inner.effects, dry: true } }]
  return { verb: 'EXPLAIN', comments: false, nested, effects: { silent: true } }
}

function copy(fields: Fields): Statement {
  const range = partOf(fields['relation'])
  const isFrom = fields['is_from'] === true
  const isFile = fields['is_program'] === true || fields['filename'] !== undefined
  const columns = namesOf(fields['attlist'])
  const expressions = partsOf(fields['options'])
  const common = { verb: 'COPY', comments: false, expressions }
  if (isFrom) {
    const written = range ? [tableOf(range)] : []
    const where = maybeExprOf(fields['whereClause'])
    return {
      ...common,
      written,
      columnsWritten: columns.length ? columns : ['*'],
      expressions: where ? [...expressions, where] : expressions,
      effects: { writes: true, files: isFile, silent: true },
    }
  }
  // To a client's standard output as well: the rows leave as a whole.
  const effects = { exports: true, files: isFile, writes: isFile, silent: isFile }
  if (range) return { ...common, body: tableQuery(range, columns), effects }
  return { ...carrying('COPY', fields['query'], { effects }), expressions }
}

function createAs(fields: Fields): Statement {
  const into = partOf(fields['into'])
  const rel = partOf(into?.['rel'])
  return carrying('CREATE', fields['query'], {
    written: rel ? [tableOf(rel)] : [],
    expressions: partsOf(into?.['options']),
    effects: { ddl: true, exports: true, writes: true, silent: true },
  })
}

function tablesOf(ranges: readonly unknown[]): readonly TableName[] {
  return ranges.flatMap((range) => (isFields(range) ? [tableOf(range)] : []))
}

const tableLike = /TABLE|VIEW|SEQUENCE|INDEX|STATISTIC/
const partOfTable = /TRIGGER|RULE|POLICY/

function droppedOf(fields: Fields): readonly TableName[] {
  const type = wordOf(fields['removeType'])
  return nodesOf(fields['objects']).flatMap(({ kind, fields: object }) => {
    const names = kind === 'List' ? namesOf(object['items']) : []
    if (tableLike.test(type)) return [tableOfNames(names)]
    return partOfTable.test(type) ? [tableOfNames(names.slice(0, -1))] : []
  })
}

/** Every table that stands in a statement outside of queries. */
function rangesIn(value: unknown): readonly TableName[] {
  if (Array.isArray(value)) return listOf(value).flatMap(rangesIn)
  if (!isFields(value) || queries.has(nodeOf(value).kind)) return []
  if (typeof value['relname'] === 'string') return [tableOf(value)]
  return Object.values(value).flatMap(rangesIn)
}

const readingOnly = new Set([
  'VacuumStmt',
  'LockStmt',
  'ReindexStmt',
  'ClusterStmt',
  'VariableShowStmt',
])
/** The changed table of CREATE TABLE is its own; others are only looked at. */
const lookedAt = ['inhRelations', 'tableElts', 'constraints', 'constrrel', 'sequence']

/** Tables and columns that a definition names. */
function namedIn(kind: string, fields: Fields, isDefinition: boolean): Partial<Statement> {
  const columns = columnsIn(fields)
  if (readingOnly.has(kind)) return { reads: rangesIn(fields), columnsRead: columns }
  if (kind === 'IndexStmt' || kind === 'CreateStatsStmt') {
    return { written: rangesIn(fields), columnsRead: columns }
  }
  const own = Object.entries(fields).filter(([key]) => !lookedAt.includes(key))
  const others = lookedAt.map((key) => fields[key])
  const named = isDefinition ? objectsOf(fields) : []
  return {
    written: [...own.flatMap(([, value]) => rangesIn(value)), ...named],
    reads: rangesIn(others),
    columnsWritten: columns,
  }
}

/** COMMENT ON TABLE and ALTER … OWNER name what they are about in a list of names. */
function objectsOf(fields: Fields): readonly TableName[] {
  const type = wordOf(fields['objtype'] ?? fields['objectType'])
  const { kind, fields: object } = nodeOf(fields['object'])
  const names = kind === 'List' ? namesOf(object['items']) : []
  if (!names.length) return []
  if (type === 'OBJECT_COLUMN' || partOfTable.test(type)) return [tableOfNames(names.slice(0, -1))]
  return tableLike.test(type) ? [tableOfNames(names)] : []
}

const columnNodes = new Set([
  'ColumnDef',
  'IndexElem',
  'AlterTableCmd',
  'VacuumRelation',
  'StatsElem',
])

/** Names of columns that stand in a definition, outside of expressions. */
function columnsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return listOf(value).flatMap(columnsIn)
  if (!isFields(value)) return []
  const { kind, fields } = nodeOf(value)
  if (queries.has(kind)) return []
  const own = columnNodes.has(kind)
    ? [nameOf(fields['colname']), nameOf(fields['name']), ...namesOf(fields['va_cols'])]
    : []
  const renamed = value['renameType'] === 'OBJECT_COLUMN' ? [nameOf(value['subname'])] : []
  const inner = Object.values(value).flatMap((field) =>
    typeof field === 'object' ? columnsIn(field) : [],
  )
  return [...own, ...renamed, ...inner].filter(Boolean)
}
