/**
 * Which functions do more than compute, in every dialect: they reach files, networks, other servers or
 * the operating system, wait, lock, change the session or the server, or run text as SQL. Also, of what
 * an argument becomes: what hides it (a count, a length) and what collects many rows into one value.
 */
import type { Dialect } from '../facts.ts'
import { harmlessOfOthers } from './functions-others.ts'
import { harmlessBeginnings, harmlessOfPostgres } from './functions-postgres.ts'

/** What a call may do besides giving a value. */
export interface Doing {
  readonly dangerous: boolean
  readonly writes: boolean
  readonly exports: boolean
  readonly files: boolean
  readonly dynamic: boolean
  readonly session: boolean
  readonly locks: boolean
  /** It reads tables that its text does not name as tables. */
  readonly opaque: boolean
}

// d: dangerous, w: writes, e: exports, f: files, y: dynamic, s: session, l: locks, o: opaque.
const doings: readonly (readonly [letters: string, names: string])[] = [
  // PostgreSQL: files
  ['dfo', 'pg_read_file pg_read_binary_file pg_read_file_old pg_file_read pg_read_server_file'],
  ['df', 'pg_stat_file pg_ls_* pg_logdir_ls pg_hba_file_rules'],
  ['df', 'pg_ident_file_mappings pg_show_all_file_settings'],
  ['dfw', 'pg_file_write pg_file_rename pg_file_unlink pg_file_sync lo_import'],
  ['dfwe', 'lo_export'],
  ['dwo', 'lo_get loread lo_open lo_creat lo_create lo_unlink lo_truncate*'],
  ['dwoe', 'lo_from_bytea lo_put'],
  ['dwo', 'lowrite lo_close lo_lseek* lo_tell* lo_manage'],
  // text that is run, tables named by text
  ['dyo', 'query_to_xml* table_to_xml* schema_to_xml* database_to_xml* cursor_to_xml* ts_stat'],
  ['dyo', 'ts_rewrite xpath_table connectby crosstab* xslt_process plpgsql_* inline_code exec'],
  ['dywoe', 'dblink* postgres_fdw_* plproxy* pg_net* http http_* net_http_* execute_sql'],
  ['dywo', 'run_command_on_* master_* create_distributed_* citus_* cron_* aws_* azure_* pg_exec*'],
  // what is under the tables: pages, the write-ahead log, large statistics
  ['do', 'get_raw_page heap_page_* bt_page_* gist_page_* gin_* hash_page_* brin_* fsm_page_*'],
  [
    'do',
    'tuple_data_split page_header page_checksum bt_metap hash_* pg_get_wal_* pg_mcv_list_items',
  ],
  [
    'dwo',
    'pg_logical_* pg_create_* pg_drop_* pg_copy_* pg_replication_* heap_force_* pg_walinspect*',
  ],
  // waiting, locks, other sessions
  ['d', 'pg_sleep pg_sleep_for pg_sleep_until pg_prewarm autoprewarm_*'],
  ['dl', 'pg_advisory_* pg_try_advisory_* pgrowlocks'],
  ['dw', 'pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile* pg_promote'],
  ['dw', 'pg_switch_wal pg_switch_xlog pg_backup_* pg_start_backup pg_stop_backup pg_wal_replay_*'],
  ['dw', 'pg_log_backend_* pg_export_snapshot pg_import_* pg_stat_reset* pg_stat_statements_reset'],
  ['dw', 'pg_stat_clear_snapshot pg_stat_force_* pg_extension_config_dump binary_upgrade_*'],
  ['dw', 'pg_truncate_visibility_map pg_nextoid pg_stop_making_pinned_objects'],
  ['dw', 'pg_restore_* pg_clear_* pg_set_* pg_sync_* pg_log_standby_snapshot pg_upgrade_*'],
  ['dwe', 'pg_notify'],
  ['w', 'nextval setval'],
  ['dsw', 'set_config'],
  ['s', 'setseed set_limit'],
  // MySQL, MariaDB
  ['dfo', 'load_file'],
  [
    'd',
    'sleep benchmark master_pos_wait source_pos_wait master_gtid_wait wait_for_executed_gtid_set',
  ],
  ['d', 'wait_until_sql_thread_after_gtids'],
  ['dl', 'get_lock release_lock release_all_locks is_free_lock is_used_lock service_get_*'],
  ['dyw', 'sys_exec sys_eval sys_set lib_mysqludf_* do_system'],
  // SQL Server
  ['dyoe', 'openrowset opendatasource openquery'],
  ['dyoew', 'xp_* sp_* fn_get_audit_file fn_xe_file_target_read_file fn_trace_gettable'],
  ['do', 'fn_dblog fn_dump_dblog fn_my_permissions_all dm_db_page_info'],
  // SQLite
  ['dfwy', 'load_extension'],
  ['dfo', 'readfile fts3_tokenizer'],
  ['dfwe', 'writefile edit'],
  ['df', 'fsdir zipfile lsmode'],
  // Oracle
  ['dyowe', 'utl_* dbms_* httpuritype dburitype xdburitype urifactory* ctxsys* ctx_* owa_* apex_*'],
  ['dyowe', 'sys_dburigen bfilename extractvalue_remote ordsys* mdsys.sdo_net*'],
]

const none: Doing = make('')
const exact = new Map<string, Doing>()
const beginnings: (readonly [string, Doing])[] = []
for (const [letters, names] of doings) {
  const doing = make(letters)
  for (const name of names.split(' ')) {
    if (name.endsWith('*')) beginnings.push([name.slice(0, -1), doing])
    else exact.set(name, doing)
  }
}

function make(letters: string): Doing {
  const has = (letter: string) => letters.includes(letter)
  return {
    dangerous: has('d'),
    writes: has('w'),
    exports: has('e'),
    files: has('f'),
    dynamic: has('y'),
    session: has('s'),
    locks: has('l'),
    opaque: has('o'),
  }
}

const unknown: Doing = { ...none, writes: true, dynamic: true }

/**
 * What a call of this function may do.
 * @param schema as it is written, lower case; empty where none is. `dbms_lob.substr` has a package for
 *   its schema, so that is looked at as well.
 * @param name lower case.
 * @param isSure the connection says its dialect; where it does not, a function of any will do.
 */
export function doingOf(schema: string, name: string, dialect: Dialect, isSure = true): Doing {
  const listed = listedOf(name)
  if (listed) return listed
  const last = schema.slice(schema.lastIndexOf('.') + 1)
  if (dialect === 'oracle' && last) return oracleOf(last, name)
  // Functions of T-SQL cannot change anything, and SQLite has none of its own.
  if (dialect === 'sqlserver' || dialect === 'sqlite') return none
  if (!isSure && harmlessOfOthers.has(name)) return none
  if (dialect === 'postgresql') return isKnown(last, name) ? none : unknown
  return !last && (harmlessOfOthers.has(name) || /^(st_|mbr)/.test(name)) ? none : unknown
}

function listedOf(name: string): Doing | undefined {
  return exact.get(name) ?? beginnings.find(([start]) => name.startsWith(start))?.[1]
}

/** Packages that only compute. */
const innocentPackages = new Set(
  'dbms_lob dbms_random dbms_utility dbms_crypto dbms_obfuscation_toolkit utl_raw utl_encode utl_i18n'
    .concat(' utl_match dbms_metadata dbms_rowid xmltype sys standard')
    .split(' '),
)

function oracleOf(packageName: string, name: string): Doing {
  if (innocentPackages.has(packageName)) return /file|load|sleep/.test(name) ? unknown : none
  return listedOf(packageName) ?? unknown
}

const schemasOfServer = new Set(['', 'pg_catalog', 'information_schema', 'public', 'extensions'])

/** In PostgreSQL anybody's function may write; one in a schema of its own is nobody's we know. */
function isKnown(schema: string, name: string): boolean {
  if (!schemasOfServer.has(schema) && !/^(postgis|topology|h3|hstore|pgvector)$/.test(schema))
    return false
  return harmlessOfPostgres.has(name) || harmlessBeginnings.test(name)
}

const hidingNames = `count count_big approx_count_distinct approx_distinct regr_count exists 
  length len char_length character_length octet_length bit_length datalength lengthb bit_count
  row_number rank dense_rank percent_rank cume_dist ntile grouping grouping_id bool_and bool_or every
  num_nulls num_nonnulls pg_column_size pg_typeof json_typeof jsonb_typeof typeof sql_variant_property
  corr covar_pop covar_samp stddev stddev_pop stddev_samp std var_pop var_samp variance stdev stdevp var
  varp regr_avgx regr_avgy regr_slope regr_intercept regr_r2 regr_sxx regr_sxy regr_syy isdate isnumeric
  array_length array_ndims cardinality json_array_length jsonb_array_length strpos position instr
  charindex patindex locate starts_with like notlike regexp_like regexp_count regexp_instr similarity
  levenshtein word_similarity isempty is_valid json_valid isjson pg_relation_size
  pg_column_compression hll_cardinality xmlexists json_exists jsonb_path_exists`
const hiding = new Set(hidingNames.trim().split(/\s+/))
const adding = new Set(['sum', 'avg', 'total', 'sum_distinct'])
const collectingNames = `string_agg array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg
  json_agg_strict jsonb_agg_strict json_object_agg_unique jsonb_object_agg_unique json_object_agg_strict
  jsonb_object_agg_strict json_arrayagg json_objectagg xmlagg group_concat json_group_array
  json_group_object jsonb_group_array jsonb_group_object listagg collect wm_concat range_agg
  multirange_agg int_array_aggregate array_concat_agg array_cat_agg hstore_agg tsvector_agg
  sys_xmlagg xmlquery json_table_agg stragg concat_agg`
const collecting = new Set(collectingNames.trim().split(/\s+/))

/** Whether the value of a call says nothing that would bring its arguments back: counts, lengths. */
export function hides(name: string): boolean {
  return hiding.has(name)
}

/** Whether it adds its argument up: of one row a sum is the value itself. */
export function adds(name: string): boolean {
  return adding.has(name)
}

/** Whether it makes one value of all rows, so that a LIMIT limits nothing. */
export function collects(name: string): boolean {
  return collecting.has(name)
}

/** Relations of the server which show what tables hold, or the passwords of its users. */
const tellingNames = `pg_stats pg_statistic pg_stats_ext pg_stats_ext_exprs pg_statistic_ext_data
  pg_largeobject pg_authid pg_shadow pg_user_mapping pg_user_mappings pg_hba_file_rules
  pg_ident_file_mappings pg_file_settings pg_foreign_server_secrets pg_subscription
  mysql.user mysql.db mysql.general_log mysql.slow_log mysql.global_priv mysql.column_stats
  information_schema.column_statistics sys.sql_logins sys.syslogins sys.credentials
  sys.user$ dba_users dba_tab_histograms all_tab_histograms user_tab_histograms dba_histograms
  v$sql_bind_capture dba_hist_sqlbind sqlite_stat4 sqlite_stat3 sqlite_dbpage sqlite_dbdata
  sys.fn_dblog`
const telling = new Set(tellingNames.trim().split(/\s+/))
const valuesOfTables =
  /^(pg_stat(s|istic)|pg_largeobject|mysql\.(general_log|slow_log|column_stats)|information_schema\.column_statistics|.*tab_histograms|.*sqlbind|v\$sql_bind|sqlite_(stat|dbpage|dbdata))/

/** What a relation of the server gives away: nothing, secrets of the server, or values of its tables. */
export function telltale(schema: string, name: string): 'nothing' | 'secrets' | 'values' {
  const last = schema.slice(schema.lastIndexOf('.') + 1)
  const isPlain = last === '' || last === 'pg_catalog' || last === 'sys' || last === 'public'
  const full = last ? `${last}.${name}` : name
  const key = telling.has(full) ? full : isPlain && telling.has(name) ? name : ''
  if (!key) return 'nothing'
  return valuesOfTables.test(key) ? 'values' : 'secrets'
}

const systemSchemas =
  /^(.*\.)?(information_schema|pg_catalog|pg_toast|sys|mysql|performance_schema|system)$/
const systemOf: Readonly<Record<Dialect, RegExp>> = {
  postgresql: /^(pg_|geometry_columns$|spatial_ref_sys$)/,
  mysql: /^dual$/,
  mariadb: /^dual$/,
  sqlserver: /^(sys(objects|columns|databases|indexes|types|users))$/,
  sqlite: /^(sqlite_(schema|master|temp_schema|temp_master|sequence|stat)|pragma_)/,
  oracle:
    /^((all|user|dba)_(tables|tab_columns|views|objects|constraints|cons_columns|indexes|ind_columns|tab_comments|col_comments|sequences|synonyms|triggers|source|users|tab_privs|role_privs|sys_privs|segments|tablespaces|data_files|free_space|tab_statistics|tab_partitions|dependencies|errors|procedures|arguments|types|mviews|part_tables|scheduler_jobs|jobs|recyclebin|profiles)$|v\$|gv\$|dual$|nls_|session_|product_component_version$|cat$|tab$|dictionary$)/,
}

/** Whether it is a catalogue: a star over it returns no rows of anybody's tables. */
export function isSystem(schema: string, name: string, dialect: Dialect): boolean {
  if (schema) return systemSchemas.test(schema)
  return systemOf[dialect].test(name)
}
