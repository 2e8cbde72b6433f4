/** For tests: what every wrapper must do, whatever keeps its key. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Fault } from '../base/fault.ts'
import { parseWrapped } from './wrapping.ts'
import type { KeyWrapper, WrappedKey, WrapReason } from './wrapping.ts'

/** One installation, fresh for each test. */
export interface Kept {
  readonly wrapper: KeyWrapper
  /** Makes a new version of the key-encryption key. */
  readonly rotate: () => Promise<unknown>
  readonly close: () => Promise<unknown>
}

export const place = 'log.example.com/main 2026-11'

/** Fails unless `work` rejects with this reason; gives the fault for a closer look. */
export async function rejectsFor(reason: WrapReason, work: Promise<unknown>): Promise<Fault> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Fault, `no fault but ${String(error)}`)
  assert.equal(error.facts['reason'], reason, error.message)
  return error
}

/** @param what names the wrapper in the tests' names. @param elsewhere the reason for a wrong place,
 *  where the service does not tell it from a change. */
export function behavesAsWrapper(
  what: string,
  open: () => Promise<Kept>,
  elsewhere: WrapReason = 'wrapped_elsewhere',
): void {
  const check: Check = (name, body) => {
    test(`${what}: ${name}`, async () => {
      const kept = await open()
      try {
        await body(kept, randomBytes(32))
      } finally {
        await kept.close()
      }
    })
  }

  check('a key wrapped for another month does not unwrap', async ({ wrapper }, key) => {
    const wrapped = await wrapper.wrap(key, place)
    for (const other of ['log.example.com/main 2026-12', `${place} `, place.slice(1), '\0']) {
      await rejectsFor(elsewhere, wrapper.unwrap(wrapped, other))
      await rejectsFor(elsewhere, wrapper.rewrap(wrapped, other))
    }
  })
  check('a context which is empty, too long or no text is refused', async ({ wrapper }, key) => {
    const wrapped = await wrapper.wrap(key, place)
    for (const context of ['', 'x'.repeat(1025), 'é'.repeat(513), '\ud800']) {
      await rejectsFor('wrapped_bad', wrapper.wrap(key, context))
      await rejectsFor('wrapped_bad', wrapper.unwrap(wrapped, context))
    }
    await wrapper.wrap(key, 'é'.repeat(512))
  })
  check('a key of another size is not wrapped', async ({ wrapper }, key) => {
    for (const wrong of [Buffer.alloc(0), key.subarray(1), Buffer.concat([key, key])]) {
      await rejectsFor('wrapped_bad', wrapper.wrap(wrong, place))
    }
  })
  check('no message of a refusal holds the key or what was wrapped', async ({ wrapper }, key) => {
    const wrapped = await wrapper.wrap(key, place)
    const fault = await rejectsFor(elsewhere, wrapper.unwrap(wrapped, 'elsewhere'))
    const told = fault.message + JSON.stringify(fault.facts)
    for (const value of [key.toString('base64'), key.toString('hex'), wrapped.wrapped, place]) {
      assert.ok(!told.includes(value))
    }
    assert.equal(fault.code, 'secret_missing')
    assert.equal(fault.facts['kind'], wrapper.kind)
    assert.equal(fault.facts['isTransient'], false)
  })
  check('a changed wrapped key does not unwrap', async ({ wrapper }, key) => {
    const wrapped = await wrapper.wrap(key, place)
    const changed: readonly WrappedKey[] = [
      { ...wrapped, wrapped: wrapped.wrapped.slice(0, -8) },
      { ...wrapped, wrapped: `${wrapped.wrapped}AAAA` },
      { ...wrapped, wrapped: swapped(wrapped.wrapped) },
      { ...wrapped, by: `${wrapped.by}0` },
      { ...wrapped, by: wrapped.by.slice(0, -1) },
      { ...wrapped, kind: wrapper.kind === 'file' ? 'vault' : 'file' },
    ]
    for (const one of changed) {
      await assert.rejects(wrapper.unwrap(one, place), { name: 'Fault', code: 'secret_missing' })
      await assert.rejects(wrapper.rewrap(one, place), { name: 'Fault', code: 'secret_missing' })
    }
  })
  movesKeys(check)
}

type Check = (name: string, body: (kept: Kept, key: Buffer) => Promise<void>) => void

function movesKeys(check: Check): void {
  check('a wrapped key survives JSON and unwraps to the same bytes', async ({ wrapper }, key) => {
    const wrapped = await wrapper.wrap(key, place)
    const stored = parseWrapped(JSON.parse(JSON.stringify(wrapped)))
    assert.deepEqual(Buffer.from(await wrapper.unwrap(stored, place)), key)
    assert.equal(wrapped.kind, wrapper.kind)
    assert.equal(wrapped.by, await wrapper.current())
  })
  check('the same key never wraps to the same text', async ({ wrapper }, key) => {
    const [one, two] = [await wrapper.wrap(key, place), await wrapper.wrap(key, place)]
    assert.notEqual(one.wrapped, two.wrapped)
  })
  check('after a rotation the old unwraps and the new wraps', async ({ wrapper, rotate }, key) => {
    const old = await wrapper.wrap(key, place)
    await rotate()
    const current = await wrapper.current()
    assert.notEqual(current, old.by)
    assert.deepEqual(Buffer.from(await wrapper.unwrap(old, place)), key)
    assert.equal((await wrapper.wrap(key, place)).by, current)
  })
  check('wrapping anew moves a key to the new version, once', async ({ wrapper, rotate }, key) => {
    const old = await wrapper.wrap(key, place)
    assert.equal(await wrapper.rewrap(old, place), old)
    await rotate()
    const anew = await wrapper.rewrap(old, place)
    assert.equal(anew.by, await wrapper.current())
    assert.deepEqual(Buffer.from(await wrapper.unwrap(anew, place)), key)
    assert.equal(await wrapper.rewrap(anew, place), anew)
  })
}

/** Two characters in the middle, changed. */
function swapped(text: string): string {
  const at = Math.floor(text.length / 2)
  const to = text.slice(at, at + 2) === 'AB' ? 'CD' : 'AB'
  return text.slice(0, at) + to + text.slice(at + 2)
}
