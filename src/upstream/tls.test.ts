/** TLS towards a server, with certificates made for the test. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { after, test } from 'node:test'
import type { Fault } from '../base/fault.ts'
import { keyOf, makeCertificates, noOpenssl } from '../listener/certificates.fixture.ts'
import { send, text, upstreamOf } from './server.fixture.ts'
import type { ConnectOptions } from './upstream.ts'

const made = noOpenssl === false ? makeCertificates() : undefined
after(() => made?.remove())

test(
  'TLS: a private authority, a client certificate and a server name',
  { skip: noOpenssl },
  async (t) => {
    assert.ok(made)
    const seen: IncomingHttpHeaders[] = []
    const server = createHttps(
      {
        cert: readFileSync(made.server.cert),
        key: readFileSync(made.server.key),
        ca: readFileSync(made.ca),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        seen.push(request.headers)
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      },
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => (server.closeAllConnections(), server.close()))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const url = `https://127.0.0.1:${port}/mcp`
    const client = { certFile: made.client.cert, key: keyOf(made.client.key) }
    const refused: readonly [string, Partial<ConnectOptions>][] = [
      ['an unknown authority', { tls: { ...client, serverName: 'upstream.test' } }],
      ['another name', { tls: { ...client, caFile: made.ca, serverName: 'other.test' } }],
      ['no client certificate', { tls: { caFile: made.ca, serverName: 'upstream.test' } }],
    ]
    for (const [what, more] of refused) {
      await assert.rejects(send(upstreamOf(t, url, more)), (error: Fault) => {
        assert.equal(error.code, 'upstream_down', what)
        // A server that wants a certificate says so only after the handshake, or just hangs up.
        const reasons = what === 'no client certificate' ? ['tls', 'reset'] : ['tls']
        assert.ok(reasons.includes(String(error.facts.reason)), what)
        return true
      })
    }
    assert.equal(seen.length, 0)
    const tls = { ...client, caFile: made.ca, serverName: 'upstream.test' }
    const answer = await send(upstreamOf(t, url, { tls }))
    assert.equal(await text(answer), '{}')
    assert.equal(seen[0]?.host, `127.0.0.1:${port}`)
  },
)
