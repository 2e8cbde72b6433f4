import assert from 'node:assert/strict'
import { test } from 'node:test'
import { approvalOf } from '../hold/approval.ts'
import type { Approval } from '../hold/approval.ts'
import { commitmentOf } from '../hold/commitment.ts'
import { compileGrants } from '../policy/grants.ts'
import { decide, permitApproved } from '../policy/permit.ts'
import type { Granted } from '../policy/permit.ts'
import type { Verdict } from '../policy/verdict.ts'

const call = {
  connection: 'shop',
  connectionRevision: 'r1',
  method: 'tools/call',
  tool: 'execute_sql',
  args: Buffer.from('{"sql":"DELETE FROM cards"}'),
}
const key = Buffer.alloc(32, 7)
const approved = (of: Partial<typeof call> = {}): Approval =>
  approvalOf({
    id: 'tk_1',
    isEmergency: false,
    key,
    commitment: commitmentOf(key, { ...call, ...of }),
  })

const bearer = { issuer: 'i', subject: 's', kind: 'person', groups: [], roles: [] } as const
const grants = compileGrants([{ who: {}, may: { connection: 'shop', tools: ['execute_sql'] } }])

function granted(): Granted {
  const access = grants(bearer, 'shop')
  assert.ok(access)
  return decide(access, 'poll', [])
}

const held: Verdict = {
  effect: 'hold',
  matched: [],
  reason: '',
  hold: undefined,
  duties: {},
  revision: '',
}
const of = { approval: approved(), call, digest: 'd1' }

test('an approval makes a permit of what is held, and is spent with it', () => {
  const approval = approved()
  const made = permitApproved(granted(), held, { ...of, approval })
  assert.equal(made.covers('d1'), true)
  made.spend()
  assert.throws(() => made.spend(), { code: 'refused' })
  assert.throws(() => approval.spend(), { code: 'refused' })
})

const others: readonly [what: string, of: Partial<typeof call>][] = [
  ['another connection', { connection: 'bank' }],
  ['the connection as it was before', { connectionRevision: 'r0' }],
  ['another byte of its arguments', { args: Buffer.from('{"sql":"DELETE FROM carts"}') }],
]
for (const [what, other] of others) {
  test(`an approval for ${what} makes no permit`, () => {
    assert.throws(() => permitApproved(granted(), held, { ...of, approval: approved(other) }), {
      code: 'refused',
      facts: { reason: 'approval_for_other' },
    })
  })
}

test('a denial that came after the approval stands', () => {
  const verdict: Verdict = { ...held, effect: 'deny' }
  assert.throws(() => permitApproved(granted(), verdict, of), { facts: { reason: 'rule' } })
})

test('an approved call that the grants of whoever asks do not cover makes no permit', () => {
  const other = { ...call, tool: 'drop_all' }
  const poll = { ...of, call: other, approval: approved({ tool: 'drop_all' }) }
  assert.throws(() => permitApproved(granted(), held, poll), { code: 'tool_unknown' })
})

test('a look-alike of an approval does not compile', () => {
  const like = { ticket: 'tk_1', isEmergency: false, covers: () => true, spend: () => undefined }
  const wrong = (): void => {
    // @ts-expect-error only hold makes an approval
    permitApproved(granted(), held, { ...of, approval: like })
  }
  assert.ok(wrong)
})
