import { test } from 'node:test'
import { broken, grouped, pan } from '../../tests/cards.ts'
import { assertMasked } from '../../tests/tables.ts'

// It fails Luhn: only a column can tell what it is.
const a = broken(pan(4, 16))
const fours = grouped(a, [4, 4, 4, 4], ' ')
const row = (...cells: string[]): string =>
  `<tr>${cells.map((c) => `<td>${c}</td>`).join('')}</tr>\n`
const head = (...cells: string[]): string =>
  `<tr>${cells.map((c) => `<th>${c}</th>`).join('')}</tr>\n`
const table = (...rows: string[]): string => `Here:\n<table>\n${rows.join('')}</table>\n`

const left: readonly [what: string, text: string][] = [
  ['a table of other names', table(head('room', 'ref'), row('123', a), row('456', a))],
  ['a cell of another column', table(head('room', 'cvv'), row('456', '«123»'))],
  ['what stands below a table', `${table(head('cvv'), row('«123»'))}Call 456 or\n789.`],
  [
    'a table after one of ours',
    `${table(head('cvv'), row('«123»'))}${table(head('room'), row('456'))}`,
  ],
  ['a name over several columns', table('<tr><th colspan="2">CVV</th></tr>\n', row('123', '456'))],
  ['a row of values in the place of names', table(row('1', 'cvv'), row('456', '789'))],
  ['a name behind its value', table('<tr><td>123</td><th>CVV</th></tr>\n')],
  [
    'a name in another row',
    table('<tr><th>CVV</th></tr>\n', '<tr><th>room</th><td>1</td><td>456</td></tr>\n'),
  ],
  ['a term of another list', `<dl>\n<dt>PAN</dt></dl>\n<dl><dd>${a}</dd></dl>`],
  ['other tags', '<thing>cvv</thing>\n<tdx>x 123</tdx>, 2 < 3 and 456 > 7'],
  ['a tag that never ends', `<table\n${'x'.repeat(40)} cvv<td 123`],
]
for (const [what, text] of left) test(`HTML: ${what} stays as it is`, () => assertMasked(text))

const found: readonly [what: string, text: string][] = [
  [
    'names in a head',
    `<table class="x">\n<thead>${head('id', 'pan', 'cvv')}</thead><tbody>${row('456', `«${a}»`, '«123»')}${row('7', `«${fours}»`, '«4567»')}</tbody></table>`,
  ],
  [
    'names in a first row of cells',
    table(row('<b>PAN</b>', 'Security&nbsp;Code'), row(`«${a}»`, '«123»')),
  ],
  [
    'names in front of values',
    table(
      '<tr><th scope="row">CVV</th><td>«123»</td></tr>\n',
      '<tr><th>Room</th><td>456</td></tr>\n',
    ),
  ],
  [
    'names in cells in front of values',
    table(row('Room', '456'), row('CVV', '«123»'), row('PIN', '«4567»')),
  ],
  [
    'capitals, and ends left out',
    `<TABLE>\n<TR><TH>id<TH>CVV<TR><TD>456<TD>«123»<TR><TD>7<TD>«890»</TABLE>`,
  ],
  [
    'attributes with signs of tags',
    `<table>\n<tr><th title="a > b">id</th><th data-x='</th>'>cvv</th></tr><tr><td title="<td>">456</td><td>«123»</td></tr></table>`,
  ],
  [
    'tags and spaces in cells',
    table(
      head('<span>id</span>', ' <i>cvv</i>\n'),
      row('456', '\n <b class="some-longer-name">«123»</b>&nbsp;'),
    ),
  ],
  ['empty cells', table(head('id', 'pan', 'cvv'), row('', '', '«123»'), row('456', `«${a}»`, ''))],
  [
    'cells over several rows',
    table(
      head('day', 'cvv', 'x'),
      '<tr><td rowspan="2">456</td><td>«123»</td><td>7</td></tr>\n',
      row('«789»', '012'),
      row('345', '«678»', '901'),
    ),
  ],
  [
    'cells over several columns',
    table(head('a', 'b', 'cvv'), '<tr><td colspan=2>456</td><td>«123»</td></tr>\n'),
  ],
  [
    'two rows of names',
    table('<tr><th colspan="2">Payment</th></tr>\n', head('day', 'cvv'), row('456', '«123»')),
  ],
  [
    'a table in a cell',
    table(
      head('x', 'cvv'),
      `<tr><td>${table(head('qty', 'room'), row('5', '456'))}</td><td>«123»</td></tr>\n`,
    ),
  ],
  ['a fragment without its table', `<tr><th>cvv</th></tr>\n<tr><td>«123»</td></tr>`],
  [
    'terms and what they are',
    '<dl>\n<dt>Room</dt><dd>456</dd><dt class="k">CVV</dt>\n<dd>«123»</dd><dd>«789»</dd><dt>Gate<dd>012</dl>',
  ],
]
for (const [what, text] of found)
  test(`HTML with ${what}: columns are masked`, () => assertMasked(text))
