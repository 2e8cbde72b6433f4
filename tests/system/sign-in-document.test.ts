/**
 * Programs known by a document at their id (client id metadata documents), on both official SDKs and
 * in a real browser. Documents are fetched from outside only, on port 443, so that no test can serve
 * one: here the fetching is handed in, and everything behind it is the real thing.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { GetDocument } from '../../src/oauth/documents.ts'
import { openDesk } from '../../src/oauth/desk.fixture.ts'
import type { Desk } from '../../src/oauth/desk.fixture.ts'
import { missingChromium, startChromium, takeSeat } from '../peers/chromium.ts'
import type { Browser } from '../peers/chromium.ts'
import { Program } from '../peers/program.ts'
import { answer } from './company.ts'

const skip = missingChromium() ?? false
const documentUrl = 'https://program.example/client.json'

let browser: Browser
let desk: Desk
let origin: string
const documents = new Map<string, object>()
const server = createServer((request, response) => {
  const { url = '' } = request
  const metadata = `/.well-known/oauth-protected-resource/mcp/shop`
  if (url === metadata) {
    const resource = { resource: `${origin}/mcp/shop`, authorization_servers: [`${origin}/oauth`] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(resource))
  } else if (url === '/mcp/shop') {
    const challenge = `Bearer resource_metadata="${origin}${metadata}", scope="mcp"`
    response.writeHead(401, { 'www-authenticate': challenge }).end()
  } else {
    void desk.server.handle(request, response, { ip: '127.0.0.1', port: 1 }).then((isOwn) => {
      if (!isOwn) response.writeHead(404).end()
    })
  }
})

before(async () => {
  if (skip !== false) return
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // oxlint-disable-next-line require-await -- as the network's, which waits.
  const getDocument: GetDocument = async ({ href }) => {
    const found = documents.get(href)
    return { status: found ? 200 : 404, text: JSON.stringify(found ?? {}), headers: {} }
  }
  const documentHosts = ['*.example']
  desk = await openDesk({ documentHosts }, { publicUrl: origin, getDocument })
  browser = await startChromium()
})
after(async () => {
  if (skip !== false) return
  await Promise.all([browser.close(), desk.close()])
  server.closeAllConnections()
  server.close()
})

for (const kind of ['v1', 'v2-auto'] as const) {
  const title = `the ${kind === 'v1' ? 'v1' : 'v2'} SDK registers nothing where it has a document`
  test(title, { skip }, async (t) => {
    const program = await Program.start(kind, `${origin}/mcp/shop`, { documentUrl })
    t.after(() => program.close())
    // Of another port: loopback redirects are free in it (RFC 8252 §7.3).
    const redirect_uris = ['http://127.0.0.1/callback']
    const said = { client_id: documentUrl, client_name: 'A described program', redirect_uris }
    const grants = { grant_types: ['authorization_code', 'refresh_token'] }
    documents.set(documentUrl, { ...said, ...grants, token_endpoint_auth_method: 'none' })
    const seat = await takeSeat(browser, [origin])
    t.after(() => seat.leave())
    const none = await program.authorize(async (address) => {
      await seat.page.goto(address.href)
      await answer(seat, program, 'Allow', async (page) => {
        const text = (await page.locator('main').textContent()) ?? ''
        for (const word of ['A described program', documentUrl, 'described at this address'])
          assert.ok(text.includes(word), `the question names ${word}`)
      })
    })
    assert.equal(none, undefined)
    assert.equal(
      program.sent.some(({ url }) => url.pathname === '/oauth/reg'),
      false,
    )
    const { access_token: token = '', refresh_token: renewal } = program.kept.tokens ?? {}
    const { aud, client_id } = decodeJwt(token)
    assert.deepEqual([aud, client_id], [`${origin}/mcp/shop`, documentUrl])
    assert.ok(renewal)
    // The second program is the same to us: its document was told of already.
    const registered = desk.notes.filter(({ type }) => type === 'client.registered')
    assert.deepEqual(
      registered.map(({ details }) => [details['client'], details['how']]),
      [[documentUrl, 'document']],
    )
  })
}
