/** Tokens for an ID-JAG: who says so, for which client, for what, and for whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { Fault } from '../base/fault.ts'
import { openDesk, person } from './desk.fixture.ts'
import type { Desk } from './desk.fixture.ts'
import { token } from './flow.fixture.ts'
import type { Json } from './flow.fixture.ts'
import type { Asserted, AuthorizationServerOptions } from './options.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const basic = `Basic ${Buffer.from('ide:secret-of-IDE').toString('base64')}`

interface Case {
  readonly desk: Desk
  readonly asked: unknown[]
  readonly ask: (
    over?: Record<string, string>,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; body: Json }>
}

async function withAssertion(
  over: Partial<Asserted> | Error,
  run: (at: Case) => Promise<void>,
  more: Partial<AuthorizationServerOptions> = {},
): Promise<void> {
  const asked: unknown[] = []
  let publicUrl = ''
  const verifyAssertion: AuthorizationServerOptions['verifyAssertion'] = async (text, to) => {
    asked.push([text, to])
    if (over instanceof Error) throw over
    return {
      issuer: 'https://idp.example.com',
      subject: 'ada',
      clientId: 'ide',
      resource: `${publicUrl}/mcp/shop`,
      expiresMs: Date.now() + 60_000,
      claims: { name: 'Ada L.', iat: Math.floor(Date.now() / 1000) },
      ...over,
    }
  }
  const clients = [
    {
      clientId: 'ide',
      name: 'IDE',
      redirectUris: ['https://ide.example.com/cb'],
      clientSecret: { from: 'env', name: 'IDE' } as const,
    },
  ]
  const desk = await openDesk({ assertionIssuers: ['corp'], clients }, { verifyAssertion, ...more })
  publicUrl = desk.publicUrl
  const ask: Case['ask'] = (params = {}, headers = { authorization: basic }) =>
    token(desk, { grant_type: grantType, assertion: 'the.id.jag', ...params }, headers)
  try {
    await run({ desk, asked, ask })
  } finally {
    await desk.close()
  }
}

const refused: readonly [what: string, over: Partial<Asserted> | Error, error: string][] = [
  ['that does not verify', new Fault('no_identity', 'bad'), 'invalid_grant'],
  ['issued for another client', { clientId: 'other' }, 'invalid_grant'],
  ['for a resource elsewhere', { resource: 'https://elsewhere.example/' }, 'invalid_target'],
  ['for a connection that is none', { resource: 'http://127.0.0.1/mcp/none' }, 'invalid_target'],
]
for (const [what, over, error] of refused) {
  test(`an assertion ${what} gets no token`, async () => {
    await withAssertion(over, async ({ ask, desk }) => {
      const made = await ask()
      assert.deepEqual([made.status, made.body['error']], [400, error])
      assert.equal(desk.people.size, 0)
    })
  })
}
test('while the issuer’s keys cannot be had nobody is told that the assertion is bad', async () => {
  await withAssertion(new Fault('identity_down', 'down'), async ({ ask, desk }) => {
    const made = await ask()
    assert.deepEqual([made.status, made.body['error']], [503, 'temporarily_unavailable'])
    assert.equal(desk.defects.length, 1)
  })
})
test('a wrong secret gets as far as no verification', async () => {
  await withAssertion({}, async ({ ask, asked }) => {
    const wrong = `Basic ${Buffer.from('ide:wrong').toString('base64')}`
    assert.equal((await ask({}, { authorization: wrong })).status, 401)
    assert.equal((await ask({ client_id: 'ide' }, {})).status, 401)
    assert.deepEqual(asked, [])
  })
})
test('no assertion is a bad request', async () => {
  await withAssertion({}, async ({ ask }) => {
    assert.deepEqual((await ask({ assertion: '' })).body['error'], 'invalid_request')
  })
})
test('the resource asked for must be the one asserted', async () => {
  await withAssertion({}, async ({ ask, desk }) => {
    const other = await ask({ resource: `${desk.publicUrl}/mcp/payments` })
    assert.equal(other.body['error'], 'invalid_target')
    assert.equal((await ask({ resource: `${desk.publicUrl}/mcp/shop` })).status, 200)
  })
})
test('a stopped person gets no token', async () => {
  await withAssertion({}, async ({ ask, desk }) => {
    desk.isStopped = ({ subject }) => subject === 'ada'
    assert.equal((await ask()).body['error'], 'invalid_grant')
  })
})
const since: readonly [what: string, claims: Record<string, unknown>, isGood: boolean][] = [
  ['made after that', { iat: 2000 }, true],
  ['made at that very moment', { iat: 1999 }, false],
  ['made before', { iat: 1000 }, false],
  ['of no time', {}, false],
  ['of a time that is a text', { iat: '2000' }, false],
]
for (const [what, claims, isGood] of since) {
  test(`after a sign-out everywhere an assertion ${what} ${isGood ? 'is good' : 'gets no token'}`, async () => {
    await withAssertion({ claims }, async ({ ask, desk }) => {
      // As the list has it: a token without a time is one of before.
      desk.isStopped = ({ issuedAtMs = 0 }) => issuedAtMs <= 1_999_000
      const { body, status } = await ask()
      const seen = [status, body['error']]
      assert.deepEqual(seen, isGood ? [200, undefined] : [400, 'invalid_grant'])
    })
  })
}
test('an assertion gets an access token for its resource, and no refresh token', async () => {
  await withAssertion({}, async ({ ask, asked, desk }) => {
    const made = await ask()
    assert.equal(made.status, 200, JSON.stringify(made.body))
    assert.equal(made.body['refresh_token'], undefined)
    assert.equal(made.body['id_token'], undefined)
    const { sub, aud, client_id, sp, gid, scope } = decodeJwt(String(made.body['access_token']))
    const [known] = desk.people.values()
    assert.equal(known?.name, 'Ada L.')
    assert.match(String(gid), /^gr_/)
    assert.deepEqual(
      { sub, aud, client_id, sp, scope },
      {
        sub: known?.id,
        aud: `${desk.publicUrl}/mcp/shop`,
        client_id: 'ide',
        sp: true,
        scope: 'mcp',
      },
    )
    const to = { issuers: ['corp'], audience: `${desk.publicUrl}/oauth` }
    assert.deepEqual(asked, [['the.id.jag', to]])
  })
})
test('a person who is known keeps the id', async () => {
  await withAssertion({}, async ({ ask, desk }) => {
    const ada = person()
    desk.people.set(ada.id, ada)
    const made = await ask()
    assert.equal(decodeJwt(String(made.body['access_token'])).sub, ada.id)
  })
})
test('issuers without anything to verify with are a mistake of the configuration', async () => {
  await assert.rejects(openDesk({ assertionIssuers: ['corp'] }), { code: 'config_bad' })
})
