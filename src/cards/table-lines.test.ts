import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { assertMasked, shownAt } from '../../tests/tables.ts'

// They fail Luhn: only a column can tell what they are.
const a = broken(pan(4, 16))
const b = broken(pan(52, 16, '9182736450'))
const fours = grouped(b, [4, 4, 4, 4], ' ')

const left: readonly [what: string, text: string][] = [
  [
    'a sentence with commas',
    'We do not keep cvv, pan, or tracks.\nIn 2024, 300 of them, or 123.\nThe PIN, too,\nis 4 digits, 1234 say',
  ],
  ['a list of words above other cells', 'Visa, pan, and cvv\nwere asked, in 123 shops, 4567 times'],
  ['a list above fewer cells', `name, pan, cvv\n${a}, 123\n${b}, 456`],
  ['a heading', 'CVV\n---\nIn 2024 we sold 123 of them.\n\nPAN\n===\nMore in chapter 4567.'],
  ['a header of other names', `id,ref,code\n1,${a},123\n2,${b},456`],
  ['words in double spaces', `I said.  My card number\nis here.  Call 12345678 or 911`],
  ['columns of ours without values', 'id,pan,cvv\n1,,\n4567,NULL,N/A\n9012,none,-'],
  [
    'values that are none',
    'id\tcvv\tpan\n1\t12\t123456\n2\t12345\t\n3\t12/27\t4567\n4\tmatch\t999',
  ],
  ['items that end in commas', `const names = [\n  'cvv',\n  'x',\n  '123',\n]`],
  ['a cid of a customer', 'name,cid\nBob,1234\nAda,456'],
  ['the cells of other columns', `id,amount,cvv\n123,456,\n7890,1234,NULL`],
  ['the text below a table', 'id,cvv\n1,«123»\n\nNote, 456 of 789.\n7,890'],
  ['a line of text below a table', 'id,cvv,x\n1,«123»,y\nNote, that 456 of them follow.'],
  [
    'a table of other columns below',
    'id,cvv\n1,«123»\n\nid,qty\n4,567\n\n| id | qty |\n|---|---|\n| 7 | 890 |',
  ],
  ['a table of other columns above', 'id,qty\n4,567\n5,678\nid,cvv\n1,«123»\n2,«456»'],
  ['a drawing without rows', '+-----+\n| cvv |\n+-----+\n\n123 of them'],
]
for (const [what, text] of left) test(`${what} stays as it is`, () => assertMasked(text))

const found: readonly [what: string, text: string][] = [
  ['CSV', `id,pan,cvv\n1,«${a}»,«123»\n2,«${fours}»,«4567»`],
  ['CSV behind a byte order mark', `\ufeffpan,cvv\n«${a}»,«123»`],
  ['CSV with a byte order mark and quotes', `\ufeff"pan","cvv"\r\n"«${a}»","«123»"\r\n`],
  ['CSV with spaces behind commas', `id, pan, cvv\n1, «${a}», «123»\n2, «${b}», «456»`],
  [
    'CSV with quotes, delimiters and line breaks in cells',
    `"id","note, long","pan","cvv"\r\n"1","said ""hi"", then\r\nleft 123, 456","«${a}»","«123»"\r\n2,"x","«${fours}»",«456»\r\n`,
  ],
  ['CSV whose first row begins with a cell of two lines', `note,cvv\n"two\nlines, 123",«456»\n`],
  ['CSV with a quote that opens nothing', `id,name,cvv\n1,"Bo,«123»\n2,5" disk,«456»`],
  [
    'CSV amid prose',
    `In 2024, as asked, 12 rows of 345:\n\nid,pan,cvv\n1,«${a}»,«123»\n\nThat is all, 678.`,
  ],
  ['CSV below a line of text', `Rows 100 to 200:\nid,pan,cvv\n1,«${a}»,«123»`],
  ['CSV with blank lines', `pan,cvv\n\n«${a}»,«123»\n\n«${b}»,«456»\n`],
  ['CSV with semicolons', `id;amount;pan\n1;12,50;«${a}»\n2;7,25;«${b}»`],
  ['CSV with a column of years', `pan,2024,line_100\n«${a}»,123,456`],
  ['CSV of one column and an index', `,cvv\n0,«123»\n1,«456»`],
  ['CSV of one column', `cvv\n«123»\n«456»\n«789»`],
  ['CSV in which the first rows hold nothing', `id,pan,cvv\n1,,\n2,NULL,N/A\n3,,\n4,«${a}»,«123»`],
  ['CSV of cells for spreadsheets', `id,cvv\n1,="«012»"\n2,="«345»"`],
  ['shorter and longer rows', `id,cvv,x,y\n1,«123»\n2,«456»,a,b,789\n3,«012»,a,b`],
  [
    'a card number in any spelling',
    `id,pan\n1,«${grouped(a, [4, 4, 4, 4], '.')}»\n2,«${grouped(b, [6, 10], ' ')}»\n3,«${grouped(a, [4, 6, 6], '/')}»`,
  ],
  ['a number of another script', `id,pan,cvv\n1,«${a}»,«123»\n2,,«١٢٣»`],
  ['a cid beside a card number', `pan,cid,x\n«${a}»,«1234»,567`],
  ['names with something behind', `id,CVV (3 digits),**PAN**,PIN:\n1,«123»,«${a}»,«4567»`],
  [
    'names in capitals, in quotes and of several words',
    `"Card Number";Security Code;\`Cvv2\`\n«${a}»;«123»;«456»`,
  ],
  ['tabs', `id\tpan\tcvv\n1\t«${a}»\t«123»\n2\t\t«456»\n3\t«${b}»\t`],
  ['bars', `id|pan|cvv\n1|«${a}»|«123»\n|«${b}»|«456»\n2||«789»`],
  ['two tables in one text', `id,cvv\n1,«123»\nid;x;cvv\n2;3;«456»\n\n| cvv |\n|---|\n| «789» |`],
]
for (const [what, text] of found) test(`${what}: columns are masked`, () => assertMasked(text))

const drawn: readonly [what: string, text: string][] = [
  [
    'Markdown',
    `Result:\n\n| id | PAN | CVV |\n|---:|:--:|:---|\n| 1 | «${a}» | «123» |\n| 2 | | «456» |\n\nOf 789.`,
  ],
  ['Markdown without outer bars', `id | pan | cvv\n---|---|---\n1 | «${a}» | «123»\n2 |  | «456»`],
  ['Markdown with a bar in a cell', `| x | cvv |\n|---|---|\n| a \\| 123 | «456» |`],
  ['Markdown of one column', `| CVV |\n| --- |\n| «123» |\n| «456» |`],
  [
    'psql',
    ` id |       pan        | cvv \n----+------------------+-----\n  1 | «${a}» | «123»\n  2 |                  | «456»\n(2 rows)\n\n123`,
  ],
  ['psql of one column', ` cvv \n-----\n «123»\n «456»\n(2 rows)\n`],
  [
    'mysql',
    `+----+------------------+-----+\n| id | pan              | cvv |\n+----+------------------+-----+\n|  1 | «${a}» | «123» |\n|  2 | NULL             | «456» |\n+----+------------------+-----+\n2 rows in set (0.123 sec)\n`,
  ],
  [
    'a ruling below each row',
    `+----+-----+\n| id | cvv |\n+====+=====+\n| 1  |     |\n+----+-----+\n| 2  | «123» |\n+----+-----+`,
  ],
  [
    'lines of box drawing',
    `┌────┬──────────────────┬─────┐\n│ id │ pan              │ cvv │\n├────┼──────────────────┼─────┤\n│ 1  │ «${a}» │ «123» │\n│ 2  │                  │ «456» │\n└────┴──────────────────┴─────┘\n123`,
  ],
  [
    'heavy and double lines',
    `┃ id ┃ cvv ┃\n┡━━━━╇━━━━━┩\n│ 1  │ «123» │\n\n║ id ║ cvv ║\n╠════╬═════╣\n║ 1  ║ «123» ║`,
  ],
  [
    'types below names, as DuckDB has them',
    `│  id   │   cvv   │\n│ int32 │ varchar │\n├───────┼─────────┤\n│     1 │ «123»     │`,
  ],
  [
    'types below names, as Polars has them',
    `│ id  ┆ cvv │\n│ --- ┆ --- │\n│ i64 ┆ str │\n╞═════╪═════╡\n│ 1   ┆ «123» │`,
  ],
  [
    'types below names, as R has them',
    `     id cvv  \n  <int> <chr>\n1     1 «123»  \n2   456 «789»  `,
  ],
]
for (const [what, text] of drawn)
  test(`drawn as ${what}: columns are masked`, () => assertMasked(text))

const spaced: readonly [what: string, text: string][] = [
  [
    'a ruling',
    `id  pan               cvv  x\n--  ----------------  ---  -\n1   «${a}»  «123»  a\n2                     «456»  b\n345                        c`,
  ],
  [
    'a ruling with single spaces',
    `        ID PAN              CVV\n---------- ---------------- ---\n       456 «${a}» «123»\n         2                  «456»\nNULL\n`,
  ],
  ['a ruling of one line', `id  cvv\n───────\n1   «123»`],
  [
    'an index in front',
    `   id               pan  cvv\n0   1  «${a}»  «123»\n1   2               NaN  «456»`,
  ],
  [
    'columns that go on below',
    `   id               pan  \\\n0   1  «${a}»   \n1   2  «${b}»   \n\n   cvv  \n0  «123»  \n1  «456»  `,
  ],
  [
    'no ruling',
    `name      cvv  amount\nAda Lee   «123»  456\nBob            789\nZoë       «012»  345`,
  ],
  [
    'wide cells under narrow names',
    `pan                  cvv\n«${fours}»  «123»\n-                    «456»`,
  ],
  [
    'single spaces and even ends',
    `  id              pan cvv\n1  1 ${a} 123\n`.replace(a, `«${a}»`).replace('123', '«123»'),
  ],
]
for (const [what, text] of spaced)
  test(`aligned by spaces with ${what}: columns are masked`, () => assertMasked(text))

const vertical: readonly [what: string, text: string][] = [
  [
    'psql -x',
    `-[ RECORD 1 ]-------------------------------------------\nid                                           | 123\npan                                          | «${a}»\ncvv                                          | «123»\n-[ RECORD 2 ]---\ncvv | \npan | «${b}»\n\n| 123 | 456`,
  ],
  [
    'mysql \\G',
    `*************************** 1. row ***************************\n            id: 123\n           pan: «${a}»\n security_code:                                          «123»\n*************************** 2. row ***************************\n security_code: NULL\n1 row in set (0.123 sec)\n456`,
  ],
]
for (const [what, text] of vertical)
  test(`a line for each value, as ${what} prints: values are masked by their names`, () =>
    assertMasked(text))

test('columns of tracks, PINs and PIN blocks are masked', () => {
  const track = `;${a}=27121010000000000000?`
  assert.equal(shownAt(1, `x,track2\n1,${track}`), 'x,track2\n1,[track removed]')
  assert.equal(shownAt(1, `x,track\n1,"a ${a}0"\n`), 'x,track\n1,"[track removed]"\n')
  assertMasked('x,pin,pin_block\n1,«1234»,«A1B2C3D4E5F6A7B8»\n2,123456789012345,\n3,«567890»,x')
})

test('a number under the name of another kind is left, and one that only looks so is not', () => {
  const luhn = pan(4, 16)
  assertMasked(`order_id,amount\n${luhn},12`)
  assertMasked(`ref,amount\n«${luhn}»,12`)
})

test('a text reads the same however deep it lies', () => {
  const bits = `id cvv pan name 1 123 4567 ${a} ${pan(4, 16)} NULL , , , \t \t | | │ ; \n \n \n \r\n --- -+- +--+ " ' \\ ( ) <td> <tr> <table> </td> VALUES : = `
  const part = fc.constantFrom(...bits.split(' '), ' ', '  ', '\n\n')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      // What begins with a blank may be JSON.
      const text = `x${parts.join('')}`
      const once = shownAt(1, text)
      assert.equal(shownAt(2, text), once)
      assert.equal(shownAt(3, text), once)
    }),
    { numRuns: 400 },
  )
})
