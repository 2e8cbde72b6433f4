import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { pan } from '../../tests/cards.ts'
import { Secret } from '../secrets/secret.ts'
import { openDecisionPoint } from './decision-point.ts'
import { configOf, factsOf, finding, statement } from './facts.fixture.ts'
import { compileRules } from './rules.ts'
import type { CallFacts, Verdict } from './verdict.ts'

let script: (req: IncomingMessage, res: ServerResponse, body: string) => void = () => undefined
const server = createServer((req, res) => {
  let body = ''
  req.setEncoding('utf8').on('data', (part: string) => (body += part))
  req.on('end', () => script(req, res, body))
})
let url = ''
before(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  url = `http://127.0.0.1:${port}/v1/data/sallyport`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const says =
  (text: string, status = 200): typeof script =>
  (_req, res) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(text)

async function judged(
  own = '',
  facts: CallFacts = factsOf(),
  { at = url, timeout = '10s' } = {},
): Promise<[Verdict, string[]]> {
  const told: string[] = []
  const config = configOf(`decision_point: { url: "${at}", timeout: ${timeout} }\nrules: [${own}]`)
  const { decisionPoint } = config
  assert.ok(decisionPoint)
  const token = (): Secret => new Secret('opa-token')
  const point = openDecisionPoint(decisionPoint, token, (why) => void told.push(why))
  return [await compileRules(config, { point }).judge('shop', facts), told]
}

const silent: readonly [what: string, does: typeof script, why: string][] = [
  ['answers nothing in time', () => undefined, 'timeout'],
  ['hangs up', (_req, res) => void res.destroy(), 'unreachable'],
  ['answers slowly', (_req, res) => void res.writeHead(200).write('{"result":'), 'timeout'],
  ['fails', says('{"result":true}', 500), 'form'],
  ['moves elsewhere', says('{"result":true}', 307), 'form'],
  ['answers no JSON', says('yes'), 'form'],
  ['has no such rule', says('{}'), 'form'],
  ['answers null', says('{"result":null}'), 'form'],
  ['answers with a text', says('{"result":"allow"}'), 'form'],
  ['says neither', says('{"result":{"reason":"hm"}}'), 'form'],
  ['says a word nobody knows', says('{"result":{"effect":"permit"}}'), 'form'],
  ['answers too much', says(`{"result":true,"x":"${'x'.repeat(70_000)}"}`), 'form'],
]
for (const [what, does, why] of silent) {
  test(`a decision point that ${what} denies`, async () => {
    script = does
    const [verdict, told] = await judged('', factsOf(), {
      timeout: why === 'timeout' ? '200ms' : '10s',
    })
    assert.equal(verdict.effect, 'deny')
    assert.equal(verdict.matched[0]?.fault, 'decision_point_down')
    assert.deepEqual(told, [why])
  })
}

test('one that is not there denies, and one that nobody opened', async () => {
  const [verdict] = await judged('', factsOf(), { at: 'http://127.0.0.1:1/' })
  assert.equal(verdict.effect, 'deny')
  const config = configOf(`decision_point: { url: "${url}" }`)
  assert.equal((await compileRules(config).judge('shop', factsOf())).effect, 'deny')
})

const hold = '{ name: mine, when: "true", effect: hold, reviewers: { role: a }, reason: Mine. }'
const answers: readonly [what: string, own: string, said: string, effect: string, first: string][] =
  [
    ['true', '', '{"result":true}', 'allow', ''],
    ['allow', '', '{"result":{"allow":true}}', 'allow', ''],
    ['false', '', '{"result":false}', 'deny', 'decision-point'],
    ['no', '', '{"result":{"allow":false,"reason":"No."}}', 'deny', 'decision-point'],
    ['yes and deny', '', '{"result":{"allow":true,"effect":"deny"}}', 'deny', 'decision-point'],
    ['no, but hold', '', '{"result":{"allow":false,"effect":"hold"}}', 'hold', 'decision-point'],
    ['yes to what a rule holds', hold, '{"result":true}', 'hold', 'mine'],
    ['no to what a rule holds', hold, '{"result":false}', 'deny', 'decision-point'],
  ]
for (const [what, own, said, effect, first] of answers) {
  test(`where it says ${what}, the stricter of both holds: ${effect}`, async () => {
    script = says(said)
    const [verdict, told] = await judged(own)
    assert.equal(verdict.effect, effect)
    assert.equal(verdict.matched[0]?.rule ?? '', first)
    assert.equal(verdict.hold === undefined, effect !== 'hold')
    assert.deepEqual(told, [])
  })
}

test('what a rule denies is not asked', async () => {
  let asked = 0
  script = (req, res, body) => {
    asked++
    says('{"result":true}')(req, res, body)
  }
  const [verdict] = await judged('{ name: mine, when: "true", effect: deny }')
  assert.equal(verdict.effect, 'deny')
  assert.equal(asked, 0)
})

test('it may name reviewers, who come to those of the rules', async () => {
  script = says('{"result":{"effect":"hold","reviewers":[{"group":"b"},{}],"reason":"Look."}}')
  const [alone] = await judged()
  assert.deepEqual(alone.hold?.reviewers, [{ who: { group: 'b' }, quorum: 1 }])
  assert.equal(alone.reason, 'Look.')
  const [both] = await judged(hold)
  assert.deepEqual(both.hold?.reviewers, [
    { who: { role: 'a' }, quorum: 1 },
    { who: { group: 'b' }, quorum: 1 },
  ])
  assert.equal(both.reason, 'Mine.')
})

test('a connection it is not for is judged at once', () => {
  const config = configOf(`decision_point: { url: "${url}", connections: [bank] }`)
  const verdict = compileRules(config).judge('shop', factsOf())
  assert.ok(!(verdict instanceof Promise))
})

test('it is told names and counts, never an argument, a claim, an address of a resource or a card', async () => {
  let [sent, token] = ['', '']
  script = (req, res, body) => {
    sent = body
    token = req.headers.authorization ?? ''
    says('{"result":true}')(req, res, body)
  }
  const card = pan(4, 16)
  const grouped = (card.match(/\d{4}/g) ?? []).join(' ')
  const facts = factsOf(
    [statement({ columns_read: ['pan', `c${card}`], tables_read: [grouped] })],
    {
      findings: [finding({ at: `/params/arguments/${card}` })],
    },
  )
  const call = { ...facts.call, arguments: () => ({ secret: 'the-argument' }) }
  await judged('', {
    ...facts,
    call,
    principal: { ...facts.principal, claims: { x: 'the-claim' } },
  })
  assert.equal(token, 'Bearer opa-token')
  for (const never of ['the-argument', 'the-claim', card, card.slice(6), grouped]) {
    assert.equal(sent.includes(never), false)
  }
  const { input } = JSON.parse(sent) as { input: Record<string, unknown> }
  assert.deepEqual(input['call'], {
    method: 'tools/call',
    kind: 'tool',
    bytes: 200,
    name: 'execute_sql',
  })
  assert.equal(input['connection'], 'shop')
  assert.equal(input['time'], '2026-01-05T08:30:00.000Z')
  await judged('', { ...facts, call: { ...call, kind: 'resource', name: 'file:///the-address' } })
  assert.equal(sent.includes('the-address'), false)
})
