import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { checkConfig } from '../config/config.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { holdLooks } from './live-holds.ts'
import { finding } from './live-look.ts'

async function look(extra: string, console = '{}'): Promise<string> {
  const text = `
identity: { issuers: [{ name: local, type: local }], ${extra.includes('sign_in') ? 'sign_in: [{ name: own, type: accounts }]' : ''} }
console: ${console}
connections: [{ name: shop, url: "http://localhost:9999/mcp" ${extra.includes('none') ? ', profile: none' : ''} }]
${extra.includes('session') ? 'holds: { session_decisions: true }' : ''}
`
  const { checked, mistakes } = checkConfig(text, '/etc/sallyport.yaml')
  assert.deepEqual(mistakes, [])
  assert.ok(checked)
  const clock = systemClock()
  const secrets = createSecrets({ env: {}, clock })
  const parts = { dataDir: '/nowhere', env: {}, secrets, clock, fetch, noteDate: () => undefined }
  const [first] = holdLooks({ ...parts, config: checked.config }, false)
  assert.ok(first)
  const { isDoubtful, message } = await finding(first, checked)
  return `${isDoubtful === true ? 'warn' : 'ok'} ${message}`
}

const approver = '{ roles: { approver: { group: leads } } }'
const numbered = '{ public_url: "http://127.0.0.1:4101", roles: { approver: { group: leads } } }'
const cases: readonly [what: string, extra: string, console: string, says: RegExp][] = [
  ['nobody can sign in', '', '{}', /^warn .*nobody can sign in/],
  ['nobody is an approver', 'sign_in', '{}', /^warn .*console\.roles\.approver/],
  ['the console has no name', 'sign_in', numbered, /^warn .*passkeys.*public_url/],
  ['decisions may do without passkeys', 'sign_in session', numbered, /^ok reviewers can/],
  ['reviewers have all they need', 'sign_in', approver, /^ok reviewers can decide/],
  ['no rule holds anything', 'none', '{}', /^ok no rule holds/],
]
for (const [what, extra, console, says] of cases) {
  test(`check says of held calls where ${what}`, async () => {
    assert.match(await look(extra, console), says)
  })
}
