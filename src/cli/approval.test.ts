import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { bound, Desk as Tickets, held } from '../hold/desk.fixture.ts'
import { createNote } from '../record/notes.ts'
import { vkeysOf } from '../record/tree-keys.ts'
import { withDesk } from './alone.ts'
import { approvalCommand, verifyApprovalCommand } from './approval.ts'
import { openKeys } from './keys.ts'

class Text extends Writable {
  text = ''
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

/** A data folder without a gateway, with a call that was approved and ran. */
async function folder(t: TestContext): Promise<{ data: string; id: string; vkey: string }> {
  const data = mkdtempSync(join(tmpdir(), 'sallyport-approval-'))
  t.after(() => rmSync(data, { recursive: true }))
  const { signing } = openKeys(data)
  return await withDesk(data, { data }, async ({ masker, origin, recorder }) => {
    const note = createNote(recorder, masker)
    const signingKey = (): typeof signing.current => signing.current
    const at = new Tickets(join(data, 'state.sqlite'), { note, gateway: origin, signingKey })
    const { id } = await at.approved()
    at.tickets.take(id, bound())
    await at.tickets.executed(id, 'ok')
    const other = await at.tickets.open(held({ args: Buffer.from('{}') }))
    await at.tickets.withdraw(other.id, held().owner)
    at.tickets.close()
    return { data, id, vkey: vkeysOf(origin, signing)[0] ?? '' }
  })
}

test('a ticket is written out with the entries that tell of it, and verified by anybody', async (t) => {
  const { data, id, vkey } = await folder(t)
  const out = join(data, 'approval.json')
  assert.equal(await approvalCommand(id, { data, out }, new Text(), new Text()), 0)
  const text = readFileSync(out, 'utf8')
  const { record } = JSON.parse(text)
  const types = ['ticket.created', 'ticket.decided', 'ticket.approved', 'ticket.executed']
  assert.deepEqual(
    record.map(({ type }: { type: string }) => type),
    types,
  )
  for (const key of [[vkey], []]) {
    const told = new Text()
    assert.equal(verifyApprovalCommand(out, { key }, told), 0, told.text)
    assert.match(told.text, /approve by ann, .*by session: I looked at it/)
    assert.match(told.text, /\nProven: /)
  }
  for (const [from, to, place] of [
    [/I looked at it/g, 'I looked at if', 'decision 1, statement'],
    [/"outcome": "ok"/, '"outcome": "no"', 'ticket'],
    [/\\"bytes\\":40/, '\\"bytes\\":41', 'statement'],
  ] as const) {
    writeFileSync(out, text.replace(from, to))
    assert.ok(text.replace(from, to) !== text)
    const told = new Text()
    assert.equal(verifyApprovalCommand(out, { key: [vkey] }, told), 1)
    assert.ok(told.text.includes(place), told.text)
    assert.match(told.text, /\nDISPROVEN: /)
  }
  const entry = text.replace(/ticket\.executed\\",/, 'ticket.exekuted\\",')
  assert.ok(entry !== text)
  writeFileSync(out, entry)
  const told = new Text()
  assert.equal(verifyApprovalCommand(out, { key: [vkey], json: true }, told), 1)
  assert.match(told.text, /"verdict":"disproven".*record, entry 4/)
})

test('a ticket or file that is not there is said to be', async (t) => {
  const { data } = await folder(t)
  const none = { name: 'Fault', code: 'path_unknown' }
  await assert.rejects(approvalCommand('tk_none', { data }, new Text(), new Text()), none)
  assert.throws(() => verifyApprovalCommand(join(data, 'none'), {}, new Text()), none)
})
