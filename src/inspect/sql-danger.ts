/** What attackers make SQL do: wait, read files, run programs, tell names of tables by errors. */
import { union } from './union.ts'

/** Calls that only make sense to somebody who tests what a statement lets through. */
const delays = union('i', [
  /\b(?:pg_sleep(?:_for|_until)?|sleep|benchmark|dbms_lock\.sleep|dbms_session\.sleep|randomblob)\s{0,8}\(/i,
  /\bdbms_pipe\.receive_message\s{0,8}\(|\bwaitfor\s{1,8}(?:delay|time)\b/i,
  /\bgenerate_series\s{0,4}\(\s{0,4}1\s{0,4},\s{0,4}\d{6,12}\s{0,4}\)/i,
])
const errorsOut =
  /\b(?:extractvalue|updatexml|xmltype|gtid_subset|st_latfromgeohash|geometrycollection|multipoint|polygon|multipolygon|linestring|multilinestring|ctxsys\.drithsx\.sn|ordsys\.ord_dicom\.\w{1,30}|utl_inaddr\.get_host_\w{1,10}|fn_xe_file_target_read_file|json_keys|name_const)\s{0,8}\(/i
const files = union('i', [
  /\bload_file\s{0,8}\(|\binto\s{1,8}(?:out|dump)file\b/i,
  /\bpg_(?:read_file|read_binary_file|ls_dir|stat_file)\s{0,8}\(/i,
  /\blo_(?:import|export)\s{0,8}\(|\bopen(?:rowset|datasource|query)\s{0,8}\(/i,
  /\bbulk\s{1,8}insert\b|\bload\s{1,8}data\s{1,8}(?:local\s{1,8})?infile\b/i,
  /\bcopy\b[^;]{0,200}\b(?:from|to)\s{1,8}program\b|\bload_extension\s{0,8}\(/i,
  /\butl_file\.\w{1,30}|\bwritefile\s{0,4}\(|\breadfile\s{0,4}\(/i,
])
const programs = union('i', [
  /\bxp_(?:cmdshell|dirtree|regread|regwrite|fileexist|subdirs|availablemedia|loginconfig|enumgroups)\b/i,
  /\bsp_(?:oacreate|oamethod|configure|makewebtask|addextendedproc|password|addlogin|addsrvrolemember)\b/i,
  /\bsys_(?:exec|eval)\s{0,8}\(/i,
  /\bdbms_(?:java|scheduler|xslprocessor|ldap|export_extension)\b/i,
  /\butl_(?:http|smtp|tcp)\b|\bhttpuritype\b/i,
  /\bdblink(?:_connect|_exec|_send_query)?\s{0,8}\(|\bdbms_cdc_publish\b/i,
])
const catalogue = union('i', [
  /\binformation_schema\b|\bsys(?:objects|columns|databases|users|logins)\b/i,
  /\bsys\.(?:tables|objects|columns|databases|server_principals|sql_logins|user\$)/i,
  /\bmaster\.\.|\bmysql\.(?:user|db|innodb_table_stats)\b/i,
  /\bpg_(?:catalog|shadow|user|authid|database|tables|class|roles)\b/i,
  /\bsqlite_(?:master|schema|temp_master)\b|\ball_tab(?:les|_columns)\b/i,
  /\b(?:user|dba)_tables\b|\bdba_users\b|\bv\$(?:version|instance|session)/i,
  /\bmsys(?:objects|aces)\b|\brdb\$\w{1,30}|\bsyscat\.|\bsysibm\b/i,
])

/** The word for the dangerous thing that `text` names; undefined where there is none. */
export function dangerOf(text: string): string | undefined {
  if (delays.test(text)) return 'time_delay'
  if (programs.test(text)) return 'program'
  if (files.test(text)) return 'file_access'
  if (errorsOut.test(text)) return 'error_based'
  if (catalogue.test(text)) return 'catalogue'
  return undefined
}

/** Delays, files and programs alone: what no ordinary query does. */
export function harmOf(text: string): string | undefined {
  if (delays.test(text)) return 'time_delay'
  if (programs.test(text)) return 'program'
  if (files.test(text)) return 'file_access'
  return undefined
}
