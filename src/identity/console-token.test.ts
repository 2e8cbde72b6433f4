import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { Fault } from '../base/fault.ts'
import { identifyForConsole } from './console-token.ts'
import type { Principal } from './principal.ts'

const resource = 'https://mcp.example.com/console'
const gateway = 'https://mcp.example.com'

async function outcome(
  claims: Record<string, unknown>,
  kind: Principal['kind'] = 'person',
): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' })
  const token = await jwt.sign(new Uint8Array(32))
  const principal = { issuer: 'i', subject: 's', kind, groups: [], roles: [], expiresAtMs: 0 }
  const identity = { identify: () => Promise.resolve(principal) }
  try {
    await identifyForConsole(identity, [`Bearer ${token}`], resource)
    return 'accepted'
  } catch (error) {
    if (error instanceof Fault) return String(error.facts['reason'])
    throw error
  }
}

test('a token that an MCP client of a person holds is no token for the console', async () => {
  assert.equal(await outcome({ aud: gateway }), 'audience')
  assert.equal(await outcome({ aud: [resource, gateway] }), 'audience')
  assert.equal(await outcome({ aud: resource, sp: true }), 'audience')
  assert.equal(await outcome({}), 'audience')
})

test('one made for the console alone is, and so is that of a program', async () => {
  assert.equal(await outcome({ aud: resource }), 'accepted')
  assert.equal(await outcome({ aud: [resource] }), 'accepted')
  assert.equal(await outcome({ aud: gateway }, 'service'), 'accepted')
  assert.equal(await outcome({ aud: gateway, sp: true }, 'service'), 'audience')
})
