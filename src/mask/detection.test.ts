import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CERTAIN, HIGH, LOW, MEDIUM } from '../cards/findings.ts'
import { detectionOf, pciDetection, thresholdLevel } from './detection.ts'
import type { Pattern } from './detection.ts'

const pattern: Pattern = {
  name: 'a',
  pattern: 'a',
  check: 'none',
  replace: 'stars',
  context: ['b'],
}

test('a detection cannot be changed, nor anything in it', () => {
  const made = detectionOf({ columns: ['a'], also: ['ssn'], patterns: [pattern] })
  const parts = [made, made.columns, made.also, made.patterns, made.patterns[0]]
  for (const part of [...parts, made.patterns[0]?.context]) assert.ok(Object.isFrozen(part))
})
test('what it was made of may change afterwards', () => {
  const columns = ['a']
  const made = detectionOf({ columns })
  columns.push('b')
  assert.deepEqual(made.columns, ['a'])
})
test('what is not set is as the pci profile has it', () => {
  assert.deepEqual(pciDetection, {
    columns: [],
    threshold: 'medium',
    testNumbers: 'mask',
    base64: 'all',
    also: [],
    patterns: [],
  })
  assert.equal(detectionOf({ testNumbers: 'pass' }).threshold, 'medium')
  assert.equal(detectionOf({ threshold: 'high' }).testNumbers, 'mask')
})
test('a detector named twice is one', () => {
  assert.deepEqual(detectionOf({ also: ['ssn', 'iban', 'ssn'] }).also, ['ssn', 'iban'])
})
test('thresholds are the confidences of findings', () => {
  const levels = (['low', 'medium', 'high', 'certain'] as const).map((threshold) =>
    thresholdLevel({ threshold }),
  )
  assert.deepEqual(levels, [LOW, MEDIUM, HIGH, CERTAIN])
})
