/** What stands in a notice, whatever others wrote into names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { grouped, pan } from '../../tests/cards.ts'
import type { Ticket } from '../hold/ticket.ts'
import { summarise } from './event.ts'
import type { NoticeEvent, Summary } from './event.ts'
import { digestOf, messageOf, testMessage } from './message.ts'
import type { Message } from './message.ts'
import { consoleUrl, masker, ticketOf } from './site.fixture.ts'
import { slackBody } from './slack.ts'
import { teamsBody } from './teams.ts'
import { webhookBody, webhookHeaders, webhookKey } from './webhook.ts'

const bodies = { webhook: webhookBody, teams: teamsBody, slack: slackBody }

function summaryOf(more: Partial<Ticket>, kind: 'created' | 'emergency' = 'created'): Summary {
  return summarise({ kind, ticket: ticketOf(more) }, masker, Date.now())
}

function messageFor(words: string): Message {
  const requester = { ...ticketOf().requester, name: words }
  const matched = [{ rule: words, effect: 'hold', reason: words }] as const
  const decisions = [
    {
      decision: 'approve',
      by: { ...requester, subject: words },
      person: 'p',
      method: 'passkey',
      justification: 'a justification',
      atMs: 0,
      statementSha256: '',
    },
  ] as const
  const ticket = ticketOf({ tool: words, reason: words, requester, matched, decisions })
  return messageOf(summarise({ kind: 'created', ticket }, masker, Date.now()), consoleUrl)
}

/** Every text of a JSON value. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

const card = pan('4', 16)
const evil: readonly (readonly [what: string, words: string, never: RegExp])[] = [
  ['a line end and a header', 'x\r\nBcc: eve@evil.example', /[\r\n]/],
  ['a script', '<script>alert(1)</script>', /^never$/],
  ['a Slack link', '<https://evil.example|Approve>', /<https?:\/\/evil|:\/\/evil/],
  ['a Markdown link', '[Approve](https://evil.example/x)', /:\/\/evil/],
  [
    'an address',
    'http://evil.example www.evil.example mailto:eve@evil.example',
    /:\/\/evil|www\.e/,
  ],
  ['a date that a card computes', '{{DATE(2017-02-14T06:00:00Z)}}', /\{\{/],
  ['turned text', 'safe\u202Etxet', /\u202e/],
  ['hidden tags', 'pay\u{E0041}\u{E0042}\u200B', /[\u{E0000}-\u{E01EF}\u200b]/u],
  ['a terminal code', '\u001b]0;title\u0007', /\p{Cc}/u],
  ['half a surrogate', 'a\ud800b', /\p{Cs}/u],
  ['a card number', `card ${card}`, new RegExp(card)],
  ['one in groups', grouped(card, [4, 4, 4, 4], ' '), new RegExp(card.slice(0, 12))],
  ['one with each digit apart', card.split('').join(' '), /(?:\d\D*){13}/],
  ['one over two lines', `${card.slice(0, 7)}\n${card.slice(7)}`, /(?:\d\D{0,4}){13}/],
  ['one hidden in between', card.split('').join('\u200b'), /(?:\d\D*){13}/],
]
for (const [what, words, never] of evil) {
  test(`${what} in a name comes out as words`, () => {
    const message = messageFor(words)
    for (const [name, bodyOf] of Object.entries(bodies)) {
      const body = JSON.parse(bodyOf(message))
      const texts = textsOf(body).filter((text) => !/^[\d-]+T[\d:.]+Z$/.test(text)) // A time.
      for (const text of texts) assert.doesNotMatch(text, never, name)
    }
  })
}

test('Slack gets no angle bracket but those of our own link', () => {
  const body = slackBody(messageFor('<b> & <!here> <@U123> > <'))
  const texts = textsOf(JSON.parse(body)).filter((text) => /[<>]/.test(text))
  assert.deepEqual(texts, [`<https://gate.example/approvals/${ticketOf().id}|Open in the console>`])
  assert.match(body, /&lt;b&gt; &amp; &lt;!here&gt; &lt;@U123&gt;/)
  assert.doesNotMatch(body, /"type":"(?:actions|button)"/)
})

test('words of others stand in no block of a card that knows Markdown', () => {
  const words = 'MARKED'
  const card = JSON.parse(teamsBody(messageFor(words)))
  const { content, contentType } = card.attachments[0]
  assert.equal(card.type, 'message')
  assert.equal(contentType, 'application/vnd.microsoft.card.adaptive')
  assert.deepEqual([content.type, content.version], ['AdaptiveCard', '1.4'])
  for (const block of content.body as { type: string; text?: string }[]) {
    if (block.type === 'TextBlock') assert.doesNotMatch(block.text ?? '', /MARKED/)
  }
  assert.match(JSON.stringify(content.body), /MARKED/)
  assert.deepEqual(content.actions, [
    {
      type: 'Action.OpenUrl',
      title: 'Open in the console',
      url: `https://gate.example/approvals/${ticketOf().id}`,
    },
  ])
  assert.equal(content.msteams, undefined, 'no entity, so nobody is mentioned')
})

test('nothing of the call but its names stands in any notice', () => {
  const secret = 'SELECT-SECRET'
  const ticket = ticketOf({
    shown: `{"sql":"${secret}"}`,
    source: secret,
    owner: secret,
    session: secret,
    exchange: secret,
    ended: secret,
    emergency: { justification: secret },
    requester: { ...ticketOf().requester, issuer: secret, groups: [secret] },
  })
  for (const kind of ['created', 'approved', 'emergency', 'reviewed'] as const) {
    const message = messageOf(summarise({ kind, ticket }, masker, Date.now()), consoleUrl)
    for (const bodyOf of Object.values(bodies)) {
      assert.doesNotMatch(bodyOf(message), new RegExp(secret))
    }
  }
})

test('a ticket whose id is none cannot leave its place in the link', () => {
  const { link } = messageOf(summaryOf({ id: '../../x?y=1#z' }), consoleUrl)
  assert.equal(link, 'https://gate.example/approvals/..%2F..%2Fx%3Fy%3D1%23z')
})

test('an emergency is worded as urgent, and so is a digest with one in it', () => {
  const urgent = summaryOf({}, 'emergency')
  const one = messageOf(urgent, consoleUrl)
  const many = digestOf([summaryOf({ id: 'tk_b' }), urgent], 0, consoleUrl)
  for (const message of [one, many]) {
    assert.match(message.title, /^URGENT: /)
    assert.match(slackBody(message), /:rotating_light:/)
    assert.match(teamsBody(message), /"color":"Attention"/)
  }
  assert.match(one.ask, /must review/)
})

test('a digest counts calls once, whatever was told of them', () => {
  const reminder = { kind: 'reminded', ticket: ticketOf({ id: 'tk_1' }) } as const
  const all = [
    summaryOf({ id: 'tk_1' }),
    summarise(reminder, masker, 0),
    summaryOf({ id: 'tk_2', connection: 'ledger' }),
  ]
  const message = digestOf(all, 5, consoleUrl)
  assert.equal(message.title, '7 calls wait for a decision')
  assert.equal(message.link, 'https://gate.example/approvals')
  assert.deepEqual(message.lines.at(-1), {
    label: 'Connections',
    value: 'payments (2), ledger (1)',
  })
})

test('the same content has the same id, another has another', () => {
  const a = summaryOf({ id: 'tk_a' })
  const b = summaryOf({ id: 'tk_b' })
  assert.equal(messageOf(a, consoleUrl).id, messageOf({ ...a, atMs: 1 }, consoleUrl).id)
  const ids = [
    messageOf(a, consoleUrl).id,
    messageOf(b, consoleUrl).id,
    digestOf([a, b], 0, consoleUrl).id,
    digestOf([a, b], 1, consoleUrl).id,
    digestOf([a], 0, consoleUrl).id,
    testMessage(consoleUrl, 1).id,
  ]
  assert.equal(new Set(ids).size, ids.length)
})

test('whatever names there are, a card is under 28 KB, and no line is broken', () => {
  const name = fc.string({ unit: 'binary', maxLength: 5_000 })
  const holds = fc.property(name, fc.array(name, { maxLength: 30 }), (words, names) => {
    const all = names.map((connection, i) => summaryOf({ id: `tk_${i}`, connection, tool: words }))
    for (const message of [messageFor(words), digestOf(all, 3, consoleUrl)]) {
      assert.ok(Buffer.byteLength(teamsBody(message)) < 28 * 1024)
      for (const { value } of message.lines) assert.doesNotMatch(value, /[\p{Cc}\p{Cs}]/u)
      const slack = JSON.parse(slackBody(message)) as { blocks: { fields?: unknown[] }[] }
      for (const text of textsOf(slack)) assert.ok(text.length < 3_000)
      for (const { fields = [] } of slack.blocks) assert.ok(fields.length <= 10)
    }
  })
  fc.assert(holds, { numRuns: 60 })
})

test('every kind has its words', () => {
  const change: NoticeEvent = {
    kind: 'tool_changed',
    connection: 'payments',
    tool: 'pay; rm -rf /',
    sha256: 'aa',
    isHeld: true,
  }
  const kinds = [
    'created',
    'reminded',
    'approved',
    'denied',
    'expired',
    'withdrawn',
    'emergency',
    'reviewed',
  ]
  const events = (kinds as 'created'[]).map((kind) => ({ kind, ticket: ticketOf() }))
  const messages = [...events, change].map((event) => {
    return messageOf(summarise(event, masker, 0), consoleUrl)
  })
  assert.equal(new Set(messages.map(({ title }) => title)).size, 9)
  assert.equal(new Set(messages.map(({ type }) => type)).size, 9)
  assert.match(messages[0]?.ask ?? '', /2 approvals, each with a passkey/)
  assert.doesNotMatch(messages[8]?.ask ?? '', /rm -rf/, 'no name stands in a command')
  assert.equal(messages[8]?.ticket, '')
})

test('the vector of the libraries of Standard Webhooks', () => {
  const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'notify[0].secret')
  const body = '{"test": 2432232314}'
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
  assert.deepEqual(webhookHeaders(id, body, key, 1_614_265_330_999), {
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

const weak = [
  'short',
  'whsec_',
  'whsec_AAAA',
  'whsec_not base64 at all, surely not',
  'x'.repeat(23),
]
for (const secret of [...weak, `whsec_${Buffer.alloc(65).toString('base64')}`]) {
  test(`a secret of ${secret.length} characters that cannot sign is refused unseen`, () => {
    assert.throws(
      () => webhookKey(secret, 'notify[0].secret'),
      (error: Error) => {
        assert.match(error.message, /notify\[0\]\.secret/)
        assert.ok(secret === 'whsec_' || !error.message.includes(secret))
        return true
      },
    )
  })
}
