import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pan } from '../../tests/cards.ts'
import { deliver, keep, keepValue, untouched } from './masked.ts'
import type { Deliverable, Masked } from './masked.ts'

const record = (entry: Masked<Uint8Array>): Uint8Array => entry.value
const send = (shown: Deliverable): Uint8Array => shown.bytes
const bytes = Buffer.from('nothing of note')

test('only the check makes evidence; look-alikes do not compile', () => {
  const kept = keep(bytes, untouched)
  const shown = deliver(bytes, untouched)
  assert.equal(record(kept), bytes)
  assert.equal(send(shown), bytes)
  // @ts-expect-error raw bytes are not masked
  assert.throws(() => record(bytes).length)
  // @ts-expect-error a plain object is no Masked
  record({ value: bytes })
  // @ts-expect-error a plain object is no Deliverable
  send({ bytes })
  // @ts-expect-error what may be delivered may not be recorded
  assert.throws(() => record(shown).length)
  // @ts-expect-error what may be recorded may not be delivered
  assert.throws(() => send(kept).length)
  // @ts-expect-error a masked string is no masked bytes
  record(keepValue('text'))
})
test('bytes with a card number are refused, whoever says that they are masked', () => {
  const clear = Buffer.from(`{"a":"${pan(4, 16)}"}`)
  assert.throws(() => keep(clear, untouched), { name: 'Fault', code: 'mask_failed' })
  assert.throws(() => deliver(clear, untouched), { name: 'Fault', code: 'mask_failed' })
  assert.throws(() => keepValue({ a: [pan(51, 16)] }), { name: 'Fault', code: 'mask_failed' })
})
test('a number may be delivered where the plan reveals it, and is never kept', () => {
  const clear = Buffer.from(`{"a":"${pan(4, 16)}"}`)
  const written = { secrets: new Int32Array(0), clear: Int32Array.of(6, 22) }
  assert.equal(deliver(clear, written).bytes, clear)
  assert.throws(() => keep(clear, written), { code: 'mask_failed' })
  const shifted = { secrets: written.secrets, clear: Int32Array.of(7, 23) }
  assert.throws(() => deliver(clear, shifted), { code: 'mask_failed' })
})
test('a removed value that still stands is refused', () => {
  const written = { secrets: Int32Array.of(7, 10), clear: new Int32Array(0) }
  assert.throws(() => keep(Buffer.from('{"cvv":123}'), written), { code: 'mask_failed' })
  assert.throws(() => deliver(Buffer.from('{"cvv":123}'), written), { code: 'mask_failed' })
  assert.doesNotThrow(() => keep(Buffer.from('{"cvv":0  }'), written))
})
test('the fault names an offset and no digits', () => {
  const number = pan(4, 16)
  try {
    keep(Buffer.from(`see ${number}`), untouched)
    assert.fail('it was kept')
  } catch (error) {
    assert.ok(error instanceof Error)
    assert.ok(
      !JSON.stringify(error).includes(number) && !error.message.includes(number.slice(0, 6)),
    )
  }
})
