import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { grouped, pan } from '../../tests/cards.ts'
import { askCard } from './ask-card.ts'

const visa = pan('4', 16)

/** Standard input as a terminal, which is told whether keys come singly and without an echo. */
class Terminal extends PassThrough {
  readonly isTTY = true
  readonly modes: boolean[] = []
  setRawMode(isRaw: boolean): this {
    this.modes.push(isRaw)
    return this
  }
}

/** What comes of these keys, and what was said. */
async function typed(
  keys: string,
): Promise<{ card: string | undefined; said: string; modes: boolean[] }> {
  const input = new Terminal()
  const errors = new PassThrough()
  const asked = askCard('', input, errors)
  assert.deepEqual(input.modes, [true], 'the echo is off before anything is typed')
  input.write(keys)
  const card = await asked
  return { card, said: String(errors.read()), modes: input.modes }
}

test('a number typed at a terminal is read, and not a digit of it is shown', async () => {
  for (const keys of [`${visa}\r`, `${grouped(visa, [4, 4, 4, 4], ' ')}\n`, `7\x7f${visa}\r`]) {
    const { card, modes, said } = await typed(keys)
    assert.equal(card, visa)
    assert.doesNotMatch(said, /\d/)
    assert.deepEqual(modes, [true, false], 'the terminal is left as it was')
  }
})

test('a question that is broken off gives nothing and says nothing', async () => {
  for (const keys of [`${visa}\x03`, '\x04']) {
    const { card, modes, said } = await typed(keys)
    assert.equal(card, undefined)
    assert.match(said, /^Card number[^.]*: \n$/)
    assert.deepEqual(modes, [true, false])
  }
})

const piped: readonly [what: string, text: string, card: string | undefined][] = [
  ['a line', `${visa}\n`, visa],
  ['a line without its end', visa, visa],
  ['a line of another system', `${visa}\r\n`, visa],
  ['further lines', `${visa}\n${pan('37', 15)}\n`, visa],
  ['no line', '', undefined],
  ['an empty line first', `\n${visa}\n`, undefined],
  ['a line too long', `${' '.repeat(2000)}${visa}\n`, undefined],
]
for (const [what, text, card] of piped) {
  test(`from ${what} that is piped in comes ${card === undefined ? 'nothing' : 'a number'}`, async () => {
    const input = new PassThrough()
    const errors = new PassThrough()
    input.end(text)
    assert.equal(await askCard('tool:x', input, errors), card)
    const said = String(errors.read() ?? '')
    assert.equal(/no card number/.test(said), card === undefined)
    assert.ok(!said.includes(visa))
  })
}

test('with a number in the query nothing is asked', async () => {
  const input = new Terminal()
  const errors = new PassThrough()
  assert.equal(await askCard(`tool:x ${visa}`, input, errors), undefined)
  assert.deepEqual(input.modes, [])
  const said = String(errors.read())
  assert.match(said, /does not belong on the command line/)
  assert.ok(!said.includes(visa))
})
