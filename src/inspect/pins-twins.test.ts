import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NameIndex, hashedKey, isPlainName } from './pins-names.ts'

const near: readonly [what: string, first: string, second: string, confidence: string][] = [
  ['a Cyrillic letter', 'read_file', 'read_fil\u0435', 'high'],
  ['a Greek capital', 'List', 'Lis\u03a4', 'high'],
  ['a mark without width', 'read_file', 'read_\u200bfile', 'high'],
  ['tag characters', 'read_file', 'read_file\u{e0041}', 'high'],
  ['a fullwidth letter', 'read_file', 'read_f\uff49le', 'high'],
  ['a mathematical letter', 'read_file', 'read_f\u{1d422}le', 'high'],
  ['composed and decomposed letters', 'caf\u00e9', 'cafe\u0301', 'high'],
  ['another hyphen', 'read-file', 'read\u2011file', 'high'],
  ['a digit for a letter', 'pool', 'p00l', 'medium'],
  ['letters that look alike', 'list_all', 'lisl_aII', ''],
  ['a capital I for l', 'tool', 'tooI', 'medium'],
  ['rn for m', 'format', 'forrnat', 'medium'],
  ['another case', 'readfile', 'readFile', 'low'],
  ['other words', 'read_file', 'read_files', ''],
  ['another separator', 'read-file', 'read_file', ''],
  ['an accent that is seen', 'cafe', 'caf\u00e9', ''],
]
for (const [what, first, second, confidence] of near) {
  test(`${what} makes ${confidence === '' ? 'no twin' : `a twin, ${confidence}`}`, () => {
    const names = new NameIndex()
    assert.deepEqual(names.add('a', first), [])
    assert.equal(names.add('a', second)[0]?.confidence ?? '', confidence)
    assert.equal(names.twins('a', second)[0]?.confidence ?? '', confidence)
    assert.deepEqual(names.twins('a', first), [], 'the name that was there is not suspect')
  })
}

const far: readonly [what: string, name: string, confidence: string][] = [
  ['the same name', 'read_file', ''],
  ['another case', 'Read_File', ''],
  ['digits for letters', 'read_fi1e', ''],
  ['a letter of another script', 'read_fil\u0435', 'high'],
]
for (const [what, name, confidence] of far) {
  test(`on another connection ${what} is ${confidence === '' ? 'ordinary' : 'a twin'}`, () => {
    const names = new NameIndex()
    names.add('a', 'read_file')
    names.add('b', name)
    assert.equal(names.twins('b', name)[0]?.confidence ?? '', confidence)
    assert.deepEqual(names.twins('a', 'read_file'), [])
  })
}

test('the odd name is suspect, though it was there first', () => {
  const names = new NameIndex()
  names.add('a', 'read_fil\u0435')
  const [twin] = names.add('b', 'read_file')
  assert.equal(twin?.one.connection, 'a')
  assert.equal(names.twins('a', 'read_fil\u0435')[0]?.confidence, 'high')
  assert.deepEqual(names.twins('b', 'read_file'), [])
})

test('a name nobody listed is suspect where a listed one looks like it', () => {
  const names = new NameIndex()
  names.add('a', 'read_file')
  assert.equal(names.twins('a', 'r\u0435ad_file')[0]?.confidence, 'high')
  assert.deepEqual(names.twins('a', 'write_file'), [])
  assert.deepEqual(names.twins('a', 'read_file'.padEnd(5000, '\u0435')), [])
})

test('what is forgotten or taken back has no twins', () => {
  const names = new NameIndex()
  names.add('a', 'read_file')
  names.add('b', 'read_fil\u0435')
  names.remove('b', 'read_fil\u0435')
  names.add('b', 'read_f\u0456le')
  assert.equal(names.twins('b', 'read_f\u0456le').length, 1)
  names.forget('a')
  assert.deepEqual(names.twins('b', 'read_f\u0456le'), [])
})

const kept: readonly [name: string, isKept: boolean][] = [
  ['execute_sql', true],
  ['v2_get_123456', true],
  ['get_12345678', false],
  ['get_1234 and 56_78', false],
  ['get_\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18', false],
  ['n'.repeat(129), false],
  ['\ud83d', false],
  [hashedKey('execute_sql'), false],
  ['#a', false],
]
for (const [name, isKept] of kept) {
  test(`a name such as ${JSON.stringify(name.slice(0, 20))} is ${isKept ? 'kept' : 'hashed'}`, () => {
    assert.equal(isPlainName(name), isKept)
  })
}
