/** Notices by e-mail, with a real SMTP server. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'
import type { SMTPServerOptions } from 'smtp-server'
import type { NoticeConfig } from '../config/policy-types.ts'
import { makeCertificates, noOpenssl } from '../listener/certificates.fixture.ts'
import { desk, ticketOf } from './site.fixture.ts'

const made = noOpenssl === false ? makeCertificates() : undefined
after(() => made?.remove())

type EmailConfig = Extract<NoticeConfig, { type: 'email' }>

interface Mailbox {
  readonly port: number
  readonly mails: string[]
  readonly recipients: string[]
  /** Of those who tried to sign in. */
  readonly passwords: string[]
}

async function mailServer(t: TestContext, more: SMTPServerOptions = {}): Promise<Mailbox> {
  const mails: string[] = []
  const recipients: string[] = []
  const passwords: string[] = []
  const tls = made && {
    cert: readFileSync(made.server.cert),
    key: readFileSync(made.server.key),
  }
  const server = new SMTPServer({
    ...tls,
    authOptional: true,
    disableReverseLookup: true,
    onAuth: ({ password, username }, _session, done) => {
      passwords.push(password ?? '')
      if (username === 'gate' && password === 'mail-password-1') done(null, { user: 'gate' })
      else done(new Error('no'))
    },
    onRcptTo: ({ address }, _session, done) => {
      recipients.push(address)
      done()
    },
    onData: (stream, _session, done) => {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        mails.push(Buffer.concat(parts).toString())
        done()
      })
    },
    ...more,
  })
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    mails,
    recipients,
    passwords,
  }
}

function email(port: number, more: Partial<EmailConfig> = {}): EmailConfig {
  return {
    name: 'mail',
    type: 'email',
    host: 'localhost',
    port,
    security: 'starttls',
    from: 'Sallyport <gate@company.example>',
    to: ['duty@company.example', 'security@company.example'],
    ...more,
  }
}

const signedIn = { username: 'gate', password: { from: 'env', name: 'PASSWORD' } } as const
const pace = { triesMax: 2, refusedTriesMax: 2, tryMs: 10_000 }

/** One header, unfolded. */
function header(mail: string, name: string): string {
  const head = mail.slice(0, mail.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
  const found = head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name}:`))
  assert.ok(found.length < 2, `${name} stands once at most`)
  return (found[0] ?? '').slice(name.length + 1).trim()
}

test(
  'a mail by STARTTLS, signed in, and the thread of a ticket',
  { skip: noOpenssl },
  async (t) => {
    assert.ok(made)
    const box = await mailServer(t)
    const ca = readFileSync(made.ca, 'utf8')
    const at = desk(t, [email(box.port, signedIn)], { ca })
    const ticket = ticketOf()
    await at.notices.tell({ kind: 'created', ticket })
    await at.until(() => at.noted.length === 1)
    await at.notices.tell({ kind: 'denied', ticket })
    await at.until(() => at.noted.length === 2)
    assert.deepEqual(
      at.noted.map(({ type }) => type),
      ['notice.sent', 'notice.sent'],
    )
    const [first = '', second = ''] = box.mails
    assert.equal(header(first, 'message-id'), `<${ticket.id}@company.example>`)
    assert.equal(header(second, 'message-id'), `<${ticket.id}.ticket.denied@company.example>`)
    assert.equal(header(second, 'references'), `<${ticket.id}@company.example>`)
    assert.equal(header(second, 'in-reply-to'), `<${ticket.id}@company.example>`)
    assert.equal(header(first, 'auto-submitted'), 'auto-generated')
    assert.equal(header(first, 'to'), 'duty@company.example, security@company.example')
    assert.equal(header(first, 'from'), 'Sallyport <gate@company.example>')
    assert.match(header(first, 'subject'), /^\[Sallyport\] A call waits for a decision/)
    assert.match(first, /text\/plain[\s\S]*text\/html/)
    assert.match(first.replaceAll('=\r\n', ''), /https:\/\/gate\.example\/approvals\/tk_abc/)
    assert.deepEqual(box.passwords, ['mail-password-1', 'mail-password-1'])
    assert.equal(box.recipients.length, 4)
    assert.doesNotMatch(first, /DELETE|confidential/)
  },
)

test('a mail by TLS from the start', { skip: noOpenssl }, async (t) => {
  assert.ok(made)
  const box = await mailServer(t, { secure: true })
  const at = desk(t, [email(box.port, { security: 'tls' })], { ca: readFileSync(made.ca, 'utf8') })
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0)
  assert.equal(box.mails.length, 1)
})

test('names with line ends, tags and letters of others stay where they are put', async (t) => {
  const box = await mailServer(t)
  const at = desk(t, [email(box.port, { security: 'none' })])
  const evil = 'x\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>" ünï\u202E'
  const requester = { ...ticketOf().requester, name: evil }
  const ticket = ticketOf({ tool: evil, requester, reason: evil, connection: evil })
  await at.notices.tell({ kind: 'created', ticket })
  await at.until(() => at.noted.length > 0)
  const [mail = ''] = box.mails
  assert.deepEqual(box.recipients, ['duty@company.example', 'security@company.example'])
  assert.equal(header(mail, 'bcc'), '')
  assert.doesNotMatch(mail, /^Bcc:/im)
  const plain = mail.replaceAll('=\r\n', '')
  assert.doesNotMatch(plain.slice(plain.indexOf('text/html')), /<script/)
  assert.match(plain, /&lt;script&gt;/)
})

test('an emergency is of high importance', async (t) => {
  const box = await mailServer(t)
  const at = desk(t, [email(box.port, { security: 'none' })])
  await at.notices.tell({ kind: 'emergency', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0)
  assert.equal(header(box.mails[0] ?? '', 'importance'), 'high')
  assert.match(header(box.mails[0] ?? '', 'subject'), /^\[Sallyport\] URGENT/)
})

test('a server that takes some of the addresses has been told; the rest is recorded', async (t) => {
  const box = await mailServer(t, {
    onRcptTo: ({ address }, _session, done) => {
      done(address.startsWith('duty') ? null : new Error('unknown'))
    },
  })
  const at = desk(t, [email(box.port, { security: 'none' })])
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0)
  assert.equal(box.mails.length, 1)
  assert.equal(at.noted[0]?.type, 'notice.sent')
  assert.equal(at.noted[0]?.details.rejected, 1)
})

interface Refusal {
  readonly what: string
  readonly server?: SMTPServerOptions
  readonly config?: Partial<EmailConfig>
  /** Whether the server's authority is believed. */
  readonly isTrusted?: false
  readonly reason: RegExp
  readonly tryMs?: number
}

const refusals: readonly Refusal[] = [
  {
    what: 'offers no STARTTLS',
    server: { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] },
    reason: /^tls$/,
  },
  { what: 'has a certificate nobody vouches for', isTrusted: false, reason: /^tls$/ },
  { what: 'has a certificate of another name', config: { host: '127.0.0.1' }, reason: /^tls$/ },
  {
    what: 'refuses the password',
    server: { onAuth: (_auth, _session, done) => done(new Error('no')) },
    reason: /^smtp_auth$/,
  },
  {
    what: 'refuses every address',
    server: { onRcptTo: (_address, _session, done) => done(new Error('no')) },
    reason: /^smtp_550$/,
  },
  {
    what: 'refuses the mail',
    server: {
      onData: (stream, _session, done) => {
        stream.resume()
        stream.on('end', () => done(Object.assign(new Error('no'), { responseCode: 554 })))
      },
    },
    reason: /^smtp_554$/,
  },
  {
    what: 'never ends',
    server: { onData: (stream) => void stream.resume() },
    reason: /^timeout$/,
    tryMs: 1_000,
  },
]
for (const { config, isTrusted = true, reason, server, tryMs = 10_000, what } of refusals) {
  test(`a mail server that ${what} is recorded as failed`, { skip: noOpenssl }, async (t) => {
    assert.ok(made)
    const box = await mailServer(t, server)
    const ca = isTrusted ? { ca: readFileSync(made.ca, 'utf8') } : {}
    const at = desk(t, [email(box.port, { ...signedIn, ...config })], {
      ...ca,
      pace: { ...pace, tryMs },
    })
    await at.notices.tell({ kind: 'created', ticket: ticketOf() })
    await at.until(() => at.noted.length > 0)
    assert.equal(at.noted[0]?.type, 'notice.failed')
    assert.match(String(at.noted[0]?.details.reason), reason)
    if (String(reason).includes('tls')) assert.deepEqual(box.passwords, [], 'no password went out')
    assert.equal(box.mails.length, 0)
    assert.doesNotMatch(JSON.stringify([at.noted, at.told]), /mail-password|company\.example/)
  })
}

test('a server that says nothing costs the time of a try', async (t) => {
  const server = createServer(() => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const short = { ...pace, tryMs: 100 }
  const at = desk(t, [email(port, { security: 'none' })], { pace: short })
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0)
  assert.equal(at.noted[0]?.details.reason, 'timeout')
})

test('a server that says a little again and again costs no more', async (t) => {
  const drips = new Set<NodeJS.Timeout>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write('220 slow\r\n')
    socket.once('data', () => drips.add(setInterval(() => socket.write('250-more\r\n'), 10)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const drip of drips) clearInterval(drip)
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const short = { ...pace, tryMs: 200 }
  const at = desk(t, [email(port, { security: 'none' })], { pace: short })
  await at.notices.tell({ kind: 'created', ticket: ticketOf() })
  await at.until(() => at.noted.length > 0)
  assert.equal(at.noted[0]?.details.reason, 'timeout')
})

test('a mail in clear beyond this machine is refused at the start', (t) => {
  const config = email(25, { host: 'mail.company.example', security: 'none' })
  assert.throws(() => desk(t, [config]), { name: 'Fault', code: 'config_bad' })
})
