import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { noOpenssl } from '../../src/listener/certificates.fixture.ts'
import { readIdpMetadata } from '../../src/signin/saml-metadata.ts'
import { startSamlIdp } from './saml-idp.ts'
import type { SamlIdp } from './saml-idp.ts'
import { makeSamlKey } from './saml-messages.ts'
import type { SamlKey } from './saml-messages.ts'
import { setUpSaml } from './saml-sign-in.ts'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const skip =
  noOpenssl || existsSync(executablePath)
    ? noOpenssl
    : 'no Chromium: apt-get install chromium, or name it in CHROMIUM'

let browser: Browser | undefined
let key: SamlKey
let idp: SamlIdp
before(async () => {
  if (skip !== false) return
  key = makeSamlKey()
  idp = await startSamlIdp({
    key,
    users: { ada: { nameId: 'k7Qm-ada', attributes: { groups: ['staff', 'payments'] } } },
  })
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
after(async () => {
  await browser?.close()
  await idp?.close()
})

test(
  'a browser signs in at the provider and comes back with a response we take',
  { skip },
  async () => {
    const posts: URLSearchParams[] = []
    const site = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        posts.push(new URLSearchParams(Buffer.concat(parts).toString('utf8')))
        response.end('Taken.')
      })
    })
    await new Promise<void>((done) => site.listen(0, '127.0.0.1', done))
    const acsUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}/acs`
    const setup = setUpSaml(key)
    try {
      setup.clock.ms = Date.now()
      const { entityId: idpIssuer, entryPoint } = idp
      const method = setup.open({ idpIssuer, entryPoint }, { acsUrl })
      const { redirect, requestId } = await method.begin({ isFresh: true, relayState: 'flow_1' })
      const page = await browser?.newPage()
      assert.ok(page)
      await page.goto(redirect.href)
      await page.getByLabel('User').fill('ada')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL(acsUrl)
      const [posted] = posts
      assert.equal(posted?.get('RelayState'), 'flow_1')
      const SAMLResponse = posted?.get('SAMLResponse') ?? ''
      setup.clock.ms = Date.now()
      const signed = await method.accept({ SAMLResponse }, requestId)
      assert.deepEqual([signed.subject, signed.groups], ['k7Qm-ada', ['staff', 'payments']])
      assert.equal(idp.requests[0]?.isFresh, true)
    } finally {
      setup.close()
      site.closeAllConnections()
      site.close()
    }
  },
)

test('an unknown user stays at the provider, and its metadata can be read', { skip }, async () => {
  const setup = setUpSaml(key)
  try {
    const { redirect } = await setup.open({ entryPoint: idp.entryPoint }).begin({ isFresh: false })
    const page = await browser?.newPage()
    assert.ok(page)
    await page.goto(redirect.href)
    await page.getByLabel('User').fill('eve')
    await page.getByRole('button', { name: 'Sign in' }).click()
    assert.match((await page.getByRole('alert').textContent()) ?? '', /Unknown user/)
    const metadata = readIdpMetadata(await (await fetch(idp.metadataUrl)).text())
    assert.equal(metadata.entityId, idp.entityId)
    assert.equal(metadata.entryPoint, idp.entryPoint)
  } finally {
    setup.close()
  }
})
