/**
 * Names in SQL text, found without understanding it: good enough to search by, never to decide by.
 * Where an entry brings facts that a parser found, those are taken instead.
 */

/** Names in lower case. */
export interface SqlNames {
  readonly tables: readonly string[]
  /** Any other name: columns, aliases, parameters. */
  readonly columns: readonly string[]
}

const lengthMax = 65_536
const namesMax = 200
const begins =
  /^[\s(;]*(?:--[^\n]*\n\s*)*(?:select|insert|update|delete|with|merge|replace|create|alter|drop|truncate|explain|copy|call|exec|execute|grant|revoke|show|describe|values|table)\b/i

/** Comments, strings and `$tag$` texts (skipped), quoted names, plain names, and single signs. A
 *  quoted name is bounded: behind each of many open quotes the rest would be read to its end. */
const piece =
  /--[^\n]*|\/\*[^]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|\$(\w*)\$[^]*?(?:\$\1\$|$)|"((?:[^"]|""){1,128})"|`([^`]{1,128})`|\[([^\]\n]{1,128})\]|([\p{L}_#@][\p{L}\p{N}_$#]*)|\d[\w.]*|\S/gu

/** After these a table's name stands. */
const beforeTable = new Set('from join into update table'.split(' '))
/** Words of the language that stand between such a word and the name. */
const between = new Set('only if not exists lateral low_priority ignore or replace'.split(' '))
const words = new Set(
  (
    'select from where and or not in is null like ilike between exists as on using join inner left ' +
    'right full outer cross natural group by having order asc desc limit offset fetch first next ' +
    'rows row only union all distinct intersect except insert into values update set delete returning ' +
    'with recursive case when then else end create alter drop truncate table index view primary key ' +
    'foreign references default constraint unique check add column cast true false interval explain ' +
    'analyze merge matched replace if begin commit rollback grant revoke to top over partition ' +
    'window filter within collate escape nulls last lateral show describe call exec execute copy'
  ).split(' '),
)

/** The names in `text`; none when it does not begin like an SQL statement. */
export function sqlNames(text: string): SqlNames {
  const sql = text.slice(0, lengthMax)
  if (!begins.test(sql)) return { tables: [], columns: [] }
  const tables = new Set<string>()
  const columns = new Set<string>()
  const pieces = Array.from(sql.matchAll(piece), readPiece).filter((each) => each !== undefined)
  let isTable = false // The next name is that of a table: FROM, or a comma behind one, was just read.
  let inList = false // A comma here brings another table.
  for (let i = 0; i < pieces.length; i++) {
    const { isQuoted, name, sign } = pieces[i] ?? {}
    if (name === undefined) {
      isTable = sign === ',' && inList
      inList &&= sign === ','
      continue
    }
    const isWord = isQuoted !== true && words.has(name)
    if (isWord || (isTable && between.has(name))) {
      inList = name === 'from'
      isTable = beforeTable.has(name) || (isTable && between.has(name))
      continue
    }
    const chain = [name]
    while (pieces[i + 1]?.sign === '.' && pieces[i + 2]?.name !== undefined) {
      chain.push(pieces[i + 2]?.name ?? '')
      i += 2
    }
    note(chain, pieces[i + 1]?.sign === '(' && !isTable)
  }
  return { tables: [...tables].slice(0, namesMax), columns: [...columns].slice(0, namesMax) }

  function note(chain: readonly string[], isFunction: boolean): void {
    const last = chain.at(-1) ?? ''
    if (isTable) {
      tables.add(last)
      if (chain.length > 1) tables.add(chain.join('.'))
      isTable = false
    } else if (!isFunction) {
      columns.add(last)
      // Behind a table's name stands perhaps its alias: the list goes on all the same.
    }
  }
}

interface Piece {
  /** In lower case. */
  readonly name?: string
  readonly isQuoted?: boolean
  readonly sign?: string
}

function readPiece([all, , double, back, bracket, plain]: RegExpExecArray): Piece | undefined {
  const quoted = double?.replaceAll('""', '"') ?? back ?? bracket
  if (quoted !== undefined) return { name: quoted.toLowerCase(), isQuoted: true }
  if (plain !== undefined) return { name: plain.toLowerCase(), isQuoted: false }
  if (/^(--|\/\*)/.test(all)) return undefined
  return { sign: all }
}
