/**
 * Functions of MySQL, MariaDB, SQL Server, SQLite and Oracle which only compute, from their manuals.
 * Where a schema may hold functions of its own that write (MySQL, Oracle), one that stands neither here
 * nor in `functions.ts` may do anything.
 */
const names = `
  abs acos add_months adddate addtime aes_decrypt aes_encrypt any_value app_name
  approx_count_distinct approx_median approx_percentile approx_percentile_cont
  approx_percentile_disc ascii asciistr asin atan atan2 atn2 avg bin bin_to_num bin_to_uuid binary
  binary_checksum bit_and bit_count bit_length bit_or bit_xor bitand bitor bitxor cardinality cast
  ceil ceiling changes char char_length character_length charindex charset chartorowid checksum
  checksum_agg choose chr classifier cluster_id coalesce coercibility col_length col_name
  collation collect columnproperty columns_updated compress concat concat_ws connect_by_iscycle
  connect_by_isleaf connect_by_root connection_id connectionproperty containstable context_info
  conv convert convert_tz corr corr_k corr_s cos cosh cot count count_big covar_pop covar_samp
  crc32 cume_dist curdate currdate current_database current_date current_role current_schema
  current_time current_timestamp current_transaction_id current_user curtime database
  database_principal_id databasepropertyex datalength date date_add date_bucket date_diff
  date_format date_part date_sub date_trunc dateadd datediff datediff_big datefromparts datename
  datepart datetime datetime2fromparts datetimefromparts datetimeoffsetfromparts datetrunc day
  dayname dayofmonth dayofweek dayofyear db_id db_name dbtimezone decode decode_oracle decompose
  decompress degrees dense_rank des_decrypt des_encrypt difference div dump edit_distance elt
  empty_blob empty_clob encode encrypt eomonth error_line error_message error_number
  error_procedure error_severity error_state exists exp export_set extract extractvalue field
  file_id file_name filegroup_name final find_in_set first first_day first_value floor format
  format_bytes format_message format_pico_time formatmessage found_rows freetexttable from_base64
  from_days from_tz from_unixtime fulltextserviceproperty generate_series get_bit get_format
  getansinull getdate getutcdate glob greatest group_concat group_id grouping grouping_id
  gtid_subset gtid_subtract has_dbaccess has_perms_by_name hashbytes hex hextoraw host_id
  host_name hour icu_version ident_current ident_incr ident_seed if ifnull iif in_range
  indexkey_property indexproperty inet6_aton inet6_ntoa inet_aton inet_ntoa initcap insert instr
  instrb interval is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_member is_rolemember
  is_srvrolemember is_uuid isdate isjson isnull isnumeric iteration_number its json json_array
  json_array_append json_array_insert json_array_intersect json_array_length json_arrayagg
  json_compact json_contains json_contains_path json_depth json_detailed json_each json_equal
  json_error_position json_exists json_extract json_group_array json_group_object json_insert
  json_keys json_length json_loose json_merge json_merge_patch json_merge_preserve json_modify
  json_normalize json_object json_objectagg json_overlaps json_patch json_path_exists json_pretty
  json_query json_quote json_remove json_replace json_scalar json_schema_valid
  json_schema_validation_report json_search json_serialize json_set json_storage_free
  json_storage_size json_table json_transform json_tree json_type json_unquote json_valid
  json_value jsonb jsonb_array jsonb_each jsonb_extract jsonb_group_array jsonb_group_object
  jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set jsonb_tree julianday
  lag last last_day last_insert_id last_insert_rowid last_value lcase lead least left len length
  lengthb lengthc level like likelihood likely listagg ln lnnvl localtime localtimestamp locate
  log log10 log2 lower lpad ltrim make_set makedate maketime match match_number max md5 median
  microsecond mid min min_active_rowversion minute mod mode month monthname months_between
  name_const nanvl natural_sort_key nchar nchr new_time newid newsequentialid next next_day
  nls_charset_name nls_initcap nls_lower nls_upper nlssort now nth_value ntile nullif
  numtodsinterval numtoyminterval nvl nvl2 object_definition object_id object_name
  object_schema_name objectproperty objectpropertyex oct octet_length octet_length_sql ora_hash
  ora_rowscn ord original_db_name original_login parse parsename password patindex percent_rank
  percentile percentile_cont percentile_disc period_add period_diff permissions pi point polygon
  position pow power prev printf prior ps_current_thread_id ps_thread_id publishingservername
  quarter quote quotename radians rand random random_bytes randomblob rank ratio_to_report
  rawtohex rawtonhex regexp regexp_count regexp_instr regexp_like regexp_replace regexp_substr
  regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
  remainder repeat replace replicate reverse right roles_graphml round row row_count row_number
  rowcount_big rowid rowidtochar rownum rowversion rpad rtrim running schema schema_id schema_name
  scope_identity sec_to_time second serverproperty session_context session_user sessionproperty
  sessiontimezone sformat sha sha1 sha2 sign sin sinh smalldatetimefromparts soundex soundslike
  space sql_variant_property sqlite_compileoption_get sqlite_compileoption_used sqlite_source_id
  sqlite_version sqrt square st_x st_y stats_date std stddev stddev_pop stddev_samp stdev stdevp
  str str_to_date strcmp strftime string_agg string_concat string_escape string_split stuff
  subdate substr substr_index substrb substring substring_index subtime subtype sum sum_distinct
  suser_id suser_name suser_sid suser_sname switchoffset sys_connect_by_path sys_context
  sys_extract_utc sys_guid sysdate sysdatetime sysdatetimeoffset system_user systimestamp
  sysutcdatetime tan tanh tertiary_weights time time_format time_to_sec timediff timefromparts
  timestamp timestamp_diff timestampadd timestampdiff to_base64 to_binary_double to_binary_float
  to_blob to_char to_clob to_date to_days to_dsinterval to_lob to_multi_byte to_nchar to_nclob
  to_number to_seconds to_single_byte to_timestamp to_timestamp_tz to_yminterval todatetimeoffset
  total total_changes translate treat trigger_nestlevel trim trunc truncate try_cast try_convert
  try_parse trycast type_id type_name typeof typeproperty tz_offset ucase uncompress
  uncompressed_length unhex unicode unistr unix_timestamp unixepoch unlikely updatexml upper user
  user_id user_name userenv utc_date utc_time utc_timestamp uuid uuid_short uuid_to_bin
  validate_conversion validate_password_strength value values var var_pop var_samp varchar
  variance varp vector version vsize week weekday weekofyear weight_string width_bucket xact_state
  xmlagg xmlattributes xmlcast xmlconcat xmlelement xmlexists xmlforest xmlparse xmlquery
  xmlserialize xmltable xmltype year yearweek zeroblob
`

export const harmlessOfOthers: ReadonlySet<string> = new Set(names.trim().split(/\s+/))
