import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/config/config.ts'
import { configuration } from './gateway.ts'

test('the configuration that the harness writes has no mistake', () => {
  const servers = { everything: 'http://127.0.0.1:1/mcp', fixture: 'http://127.0.0.1:2/mcp' }
  const { config } = readConfig(
    configuration(servers, [{ port: 3 }, { port: 4 }]),
    '/x/sallyport.yaml',
  )
  assert.deepEqual(
    config.connections.map(({ name, url }) => [name, url]),
    Object.entries(servers),
  )
  assert.ok(config.listen.origins.includes('http://localhost:4'))
})
