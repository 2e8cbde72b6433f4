import { test } from 'node:test'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { assertMasked } from '../../tests/tables.ts'

// They fail Luhn: only a column can tell what they are.
const a = broken(pan(4, 16))
const b = broken(pan(52, 16, '9182736450'))

const left: readonly [what: string, text: string][] = [
  ['a statement with other names', `INSERT INTO t (id, ref) VALUES\n(123, '${a}');`],
  ['a statement without names', `INSERT INTO t VALUES\n(456, '${a}', '123');`],
  [
    'another statement behind',
    `INSERT INTO t (id, cvv) VALUES\n(1, '«123»');\nINSERT INTO u (id, x) VALUES (2, '456');`,
  ],
  ['a call with names', `pick(['pan', 'cvv'])\ntake(123, 456)\nlog(['pan'], [1234])`],
  ['lists of other lengths', `[['pan', 'cvv'],\n['${a}'], ['1', '2', '345']]`],
  ['a list of names far from its values', `(['id', 'cvv'])\n${'-'.repeat(60)}\n([1, 234])`],
  ['a list of names and a number', `[('id', 'name', 'cvv', 1),\n(5, 'Bob', '456', 2)]`],
  ['a list without an end', `[('id', 'cvv'),\n(1, 456, '789`],
  ['a list whose column holds nothing', `[('id', 'security_code'),\n(456, None), ('789', '')]`],
  ['text behind rows', `[('cvv', 'x'),\n('«123»', 1)] and (456, 789)`],
]
for (const [what, text] of left) test(`tuples: ${what} stays as it is`, () => assertMasked(text))

const found: readonly [what: string, text: string][] = [
  [
    'a statement',
    `INSERT INTO t (id, pan, cvv) VALUES\n(1, '«${a}»', '«123»'), (2, NULL, «456»),\n(789, N'«${b}»', NULL);`,
  ],
  [
    'names in quotes of every kind',
    `insert into "t" ([id], "pan", \`cvv\`)\nvalues (1, "«${a}»", '«123»')`,
  ],
  [
    'strings with quotes and brackets in them',
    `INSERT INTO t (note, cvv) VALUES\n('it''s (1, 2), 345', '«123»'), ('a \\' b', '«678»');`,
  ],
  [
    'calls among the values',
    `INSERT INTO t (id, at, cvv) VALUES\n(uuid(), now(456, 'x'), '«123»');`,
  ],
  [
    'a statement for each row',
    `INSERT INTO t (cvv) VALUES ('«123»');\nINSERT INTO t (cvv) VALUES ('«456»');`,
  ],
  [
    'a dump with lines',
    `COPY public.t (id, pan, cvv) FROM stdin;\n456\t«${a}»\t«123»\n2\t\\N\t«789»\n\\.\n345\t6\t789`,
  ],
  ['tuples in a list', `[('id', 'pan', 'cvv'),\n(1, '«${a}»', '«123»'), (456, None, "«789»")]`],
  [
    'lists in a list',
    `[\n  [ 'pan', 'cvv' ],\n  [ '«${grouped(a, [4, 4, 4, 4], ' ')}»', '«123»' ],\n  [ '«${b}»', '«456»' ]\n]`,
  ],
  ['names and rows apart', `columns = ["id", "cvv"]\nrows = [(1, "«123»"), (456, "«789»")]`],
  ['a first row without values', `[('id', 'cvv'),\n(1, None), (2, ''), (456, '«123»')]`],
  ['braces', `{{"pan", "cvv"},\n{"«${a}»", "«123»"}}`],
]
for (const [what, text] of found)
  test(`tuples of ${what}: columns are masked`, () => assertMasked(text))
