/** A table as rows of cells, and the many ways in which servers print one. */
import type { Draw } from '../draw.ts'
import type { Scene } from '../scene.ts'
import { amount, city, email, orderId, personName, sqlTime } from '../words.ts'

/** Head and rows of cells, all of the same width. */
export interface Grid {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const columns: Readonly<Record<string, (draw: Draw) => string>> = {
  customer: personName,
  email,
  city,
  order_ref: orderId,
  amount,
  created_at: sqlTime,
  status: (draw) => draw.pick(['paid', 'open', 'refunded', 'failed']),
  qty: (draw) => String(draw.int(1, 40)),
}

/** The names under which databases keep card numbers. */
export const cardColumns: readonly string[] =
  'card_number pan credit_card cc_number cardNumber CardNumber CARD_NO primary_account_number ccnum card_pan'.split(
    ' ',
  )

/**
 * A table with some harmless columns, and one of each of `secrets` at a place of its own.
 * @param secrets column name to the maker of a cell; called row by row.
 */
export function gridWith(
  scene: Scene,
  secrets: readonly (readonly [name: string, cell: (row: number) => string])[],
  rowCount: number = scene.draw.int(1, 5),
): Grid {
  const { draw } = scene
  const others = draw.shuffle(Object.entries(columns)).slice(0, draw.int(1, 4))
  const plain = others.map(([name, cell]) => [name, () => cell(draw)] as const)
  const after = draw.int(0, plain.length)
  const all = [...plain.slice(0, after), ...secrets, ...plain.slice(after)]
  const withId = draw.chance(0.8)
  const rows = Array.from({ length: rowCount }, (_, row) => [
    ...(withId ? [String(row + 1)] : []),
    ...all.map(([, cell]) => cell(row)),
  ])
  return { head: [...(withId ? ['id'] : []), ...all.map(([name]) => name)], rows }
}

const quoteCsv = (cell: string, always: boolean): string =>
  always || /[",\n;]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell

const widths = ({ head, rows }: Grid): number[] =>
  head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)))

/** Every cell padded to its column. */
function padded(grid: Grid, joint: string): string[] {
  const width = widths(grid)
  return [grid.head, ...grid.rows].map((row) =>
    row.map((cell, i) => cell.padEnd(width[i] ?? 0)).join(joint),
  )
}

function mysql(grid: Grid): string {
  const rule = `+${widths(grid)
    .map((width) => '-'.repeat(width + 2))
    .join('+')}+`
  const [head = '', ...rows] = padded(grid, ' | ').map((line) => `| ${line} |`)
  return [rule, head, rule, ...rows, rule].join('\n')
}

function box(grid: Grid): string {
  const rule = (left: string, middle: string, right: string): string =>
    `${left}${widths(grid)
      .map((width) => '─'.repeat(width + 2))
      .join(middle)}${right}`
  const [head = '', ...rows] = padded(grid, ' │ ').map((line) => `│ ${line} │`)
  return [rule('┌', '┬', '┐'), head, rule('├', '┼', '┤'), ...rows, rule('└', '┴', '┘')].join('\n')
}

function psql(grid: Grid): string {
  const [head = '', ...rows] = padded(grid, ' | ').map((line) => ` ${line}`)
  const rule = widths(grid)
    .map((width) => '-'.repeat(width + 2))
    .join('+')
  return [head, rule, ...rows, `(${rows.length} row${rows.length === 1 ? '' : 's'})`].join('\n')
}

/** One line a cell, as `psql -x` and `mysql \G` print. */
function vertical(grid: Grid, title: (row: number) => string, joint: string): string {
  const width = Math.max(...grid.head.map((name) => name.length))
  return grid.rows
    .flatMap((row, i) => [
      title(i + 1),
      ...grid.head.map((name, at) =>
        joint === ': '
          ? `${name.padStart(width)}: ${row[at] ?? ''}`
          : `${name.padEnd(width)}${joint}${row[at] ?? ''}`,
      ),
    ])
    .join('\n')
}

const pythonQuoted = (cell: string): string =>
  /^\d{1,6}$/.test(cell) ? cell : `'${cell.replaceAll("'", "\\'")}'`

const markdownLine = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** Text printers by name. */
export const printers: Readonly<Record<string, (grid: Grid, draw: Draw) => string>> = {
  CSV: ({ head, rows }) =>
    [head, ...rows].map((row) => row.map((cell) => quoteCsv(cell, false)).join(',')).join('\n'),
  'CSV, all quoted': ({ head, rows }) =>
    [head, ...rows].map((row) => row.map((cell) => quoteCsv(cell, true)).join(',')).join('\r\n'),
  'CSV with semicolons': ({ head, rows }) =>
    [head, ...rows].map((row) => row.map((cell) => quoteCsv(cell, false)).join(';')).join('\n'),
  'tab separated': ({ head, rows }) => [head, ...rows].map((row) => row.join('\t')).join('\n'),
  'pipe separated': ({ head, rows }) => [head, ...rows].map((row) => row.join('|')).join('\n'),
  Markdown: ({ head, rows }, draw) =>
    [
      markdownLine(head),
      markdownLine(head.map(() => draw.pick(['---', ':---', '---:', '----------']))),
      ...rows.map(markdownLine),
    ].join('\n'),
  'Markdown, aligned': (grid) => {
    const [head = '', ...rows] = padded(grid, ' | ').map((line) => `| ${line} |`)
    return [head, head.replaceAll(/[^|]/g, '-'), ...rows].join('\n')
  },
  mysql,
  'box drawing': box,
  psql,
  'psql, expanded': (grid) => vertical(grid, (row) => `-[ RECORD ${row} ]-----------`, ' | '),
  'mysql, vertical': (grid) => {
    const stars = '*'.repeat(27)
    return vertical(grid, (row) => `${stars} ${row}. row ${stars}`, ': ')
  },
  'fixed width': (grid) => {
    const [head = '', ...rows] = padded(grid, '  ')
    const rule = widths(grid)
      .map((width) => '-'.repeat(width))
      .join('  ')
    return [head, rule, ...rows].join('\n')
  },
  'Python dictionaries': ({ head, rows }) =>
    `[${rows
      .map(
        (row) =>
          `{${head.map((name, i) => `'${name}': ${pythonQuoted(row[i] ?? '')}`).join(', ')}}`,
      )
      .join(', ')}]`,
  'Python tuples': ({ head, rows }) =>
    `Columns: ${head.join(', ')}\n[${rows.map((row) => `(${row.map(pythonQuoted).join(', ')})`).join(', ')}]`,
  'HTML table': ({ head, rows }) =>
    `<table><thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${rows
      .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
      .join('\n')}</tbody></table>`,
  'INSERT statements': ({ head, rows }) =>
    rows
      .map(
        (row) =>
          `INSERT INTO payments (${head.join(', ')}) VALUES (${row.map((cell) => `'${cell.replaceAll("'", "''")}'`).join(', ')});`,
      )
      .join('\n'),
}
