import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { startJsonFake } from '../../tests/peers/json-fake.ts'
import type { JsonFake } from '../../tests/peers/json-fake.ts'
import type { GithubIssuerConfig, WorkflowRule } from '../config/types.ts'
import { createIdentity } from './identify.ts'
import type { Identity } from './identify.ts'
import { Standing, makeKey, reasonFor, sign } from './tokens.fixture.ts'
import type { Key } from './tokens.fixture.ts'

const resource = 'https://mcp.example.com/mcp/payments'
const audience = 'https://mcp.example.com'
let key: Key
let github: JsonFake
let clock = new Standing()

before(async () => {
  key = await makeKey('38826b17-6a30-5f9b-b169-8beb8202f723')
  github = await startJsonFake(({ path }) => {
    const issuer = `${github.origin}/_services/token`
    const keys = { keys: [key.jwk] }
    const document = { issuer, jwks_uri: `${issuer}/.well-known/jwks` }
    return { status: 200, body: path.endsWith('/jwks') ? keys : document }
  })
})
after(() => github.close())
beforeEach(() => {
  clock = new Standing()
})

const rule: WorkflowRule = {
  repository: 'acme/deploy',
  repositoryId: '74',
  ownerId: '65',
  environment: 'production',
  ref: 'refs/heads/main',
  workflow: 'acme/deploy/.github/workflows/ship.yml@refs/heads/*',
  events: [],
  runner: 'github-hosted',
}

function open(
  allow: readonly WorkflowRule[] = [rule],
  over: Partial<GithubIssuerConfig> = {},
): Identity {
  const issuer = `${github.origin}/_services/token`
  const row = { type: 'github-actions', name: 'ci', issuer, audience: [audience], allow } as const
  return createIdentity({ issuers: [{ ...row, ...over }], publicUrl: audience, clock })
}

/** As GitHub documents it, for a job of `acme/deploy` in its environment `production`. */
function job(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    jti: 'example-id',
    sub: 'repo:acme@65/deploy@74:environment:production',
    environment: 'production',
    aud: audience,
    ref: 'refs/heads/main',
    sha: 'a'.repeat(40),
    repository: 'acme/deploy',
    repository_owner: 'acme',
    actor_id: '12',
    repository_visibility: 'private',
    repository_id: '74',
    repository_owner_id: '65',
    run_id: '9001',
    run_number: '10',
    run_attempt: '2',
    runner_environment: 'github-hosted',
    actor: 'octocat',
    workflow: 'ship',
    workflow_ref: 'acme/deploy/.github/workflows/ship.yml@refs/heads/main',
    head_ref: '',
    base_ref: '',
    event_name: 'push',
    ref_type: 'branch',
    job_workflow_ref: 'acme/deploy/.github/workflows/ship.yml@refs/heads/main',
    iss: `${github.origin}/_services/token`,
    nbf: clock.s - 600,
    exp: clock.s + 300,
    iat: clock.s,
    ...over,
  }
}
const reason = async (over: Record<string, unknown>, at = open()): Promise<unknown> =>
  reasonFor(at, await sign(key, job(over)), resource)

const refused: readonly [what: string, over: () => Record<string, unknown>, reason: string][] = [
  ['another repository', () => ({ repository: 'acme/other', repository_id: '75' }), 'workflow'],
  ['a repository of the same name by a stranger', () => ({ repository_id: '75' }), 'workflow'],
  ['another owner', () => ({ repository_owner_id: '66' }), 'workflow'],
  ['another branch', () => ({ ref: 'refs/heads/main-2' }), 'workflow'],
  ['a tag named as the branch', () => ({ ref: 'refs/tags/main' }), 'workflow'],
  ['another environment', () => ({ environment: 'staging' }), 'workflow'],
  ['no environment', () => ({ environment: undefined }), 'workflow'],
  ['an environment in other letters', () => ({ environment: 'Production' }), 'workflow'],
  ['an environment that is a list', () => ({ environment: ['production'] }), 'workflow'],
  [
    'the environment in its subject alone',
    () => ({ environment: 'x', sub: job()['sub'] }),
    'workflow',
  ],
  ['another workflow', () => ({ job_workflow_ref: 'x/y@z', workflow_ref: 'x/y@z' }), 'workflow'],
  ['a runner of its own', () => ({ runner_environment: 'self-hosted' }), 'workflow'],
  ['the event pull_request', () => ({ event_name: 'pull_request' }), 'workflow'],
  ['the event pull_request_target', () => ({ event_name: 'pull_request_target' }), 'workflow'],
  ['the event pull_request_review', () => ({ event_name: 'pull_request_review' }), 'workflow'],
  ['no event', () => ({ event_name: undefined }), 'workflow'],
  ['the URL of its owner as audience', () => ({ aud: 'https://github.com/acme' }), 'audience'],
  ['no id of its repository', () => ({ repository_id: undefined }), 'claims'],
  ['an id that is a number', () => ({ repository_id: 74 }), 'claims'],
  ['an id with an environment behind it', () => ({ repository_id: '74:production' }), 'claims'],
  ['no jti', () => ({ jti: undefined }), 'claims'],
  ['a life of more than an hour', () => ({ exp: clock.s + 3601 }), 'lifetime'],
]
for (const [what, over, wanted] of refused) {
  test(`a job with ${what} is refused: ${wanted}`, async () => {
    assert.equal(await reason(over()), wanted)
  })
}

test('the URL of the owner is refused as audience, also where it is configured', async () => {
  const { host } = new URL(github.origin)
  for (const aud of [`https://${host}/acme`, `https://${host}/ACME/`, `https://${host}/other`]) {
    assert.equal(await reason({ aud }, open([rule], { audience: [aud] })), 'audience')
  }
})

test('a rule about no repository lets nobody in', async () => {
  assert.equal(await reason({}, open([{ events: [], environment: 'production' }])), 'workflow')
  assert.equal(await reason({}, open([])), 'workflow')
})

test('what a rule does not name may be anything, and one rule is enough', async () => {
  const at = open([
    { repositoryId: '1', events: [] },
    { repositoryId: '74', events: [] },
  ])
  assert.equal(await reason({ environment: undefined, ref: 'refs/heads/x' }, at), 'accepted')
  assert.equal(await reason({ event_name: 'pull_request' }, at), 'workflow')
})

test('an event counts when it is named, and no other one then', async () => {
  const at = open([{ ...rule, events: ['pull_request', 'schedule'] }])
  assert.equal(await reason({ event_name: 'pull_request' }, at), 'accepted')
  assert.equal(await reason({ event_name: 'push' }, at), 'workflow')
})

test('a reusable workflow is one by which a rule may name a job, the caller’s the other', async () => {
  const called = 'acme/shared/.github/workflows/ship.yml@refs/tags/v1'
  const at = open([{ repositoryId: '74', workflow: called, events: [] }])
  assert.equal(await reason({ job_workflow_ref: called }, at), 'accepted')
  assert.equal(await reason({}, at), 'workflow')
  assert.equal(await reason({ job_workflow_ref: called }), 'accepted')
})

test('a colon in an environment is compared as it came, and never written back', async () => {
  const at = open([{ repositoryId: '74', environment: 'prod:eu', events: [] }])
  assert.equal(await reason({ environment: 'prod%3Aeu' }, at), 'workflow')
  const sent = await sign(key, job({ environment: 'prod:eu' }))
  assert.equal((await at.identify([`Bearer ${sent}`], resource)).subject, '74:prod:eu')
})

test('both forms of the subject give the same workload: its repository and environment, by id', async () => {
  const subjects = [
    'repo:acme@65/deploy@74:environment:production',
    'repo:acme/deploy:environment:production',
  ]
  for (const sub of subjects) {
    const found = await open().identify([`Bearer ${await sign(key, job({ sub }))}`], resource)
    assert.deepEqual(found, {
      issuer: `${github.origin}/_services/token`,
      subject: '74:production',
      name: 'acme/deploy',
      kind: 'workload',
      groups: [],
      roles: [],
      expiresAtMs: (clock.s + 300) * 1000,
      issuedAtMs: clock.ms,
      tokenId: 'example-id',
      claims: {
        repository: 'acme/deploy',
        repository_id: '74',
        repository_owner: 'acme',
        repository_owner_id: '65',
        ref: 'refs/heads/main',
        sha: 'a'.repeat(40),
        workflow: 'ship',
        workflow_ref: 'acme/deploy/.github/workflows/ship.yml@refs/heads/main',
        run_id: '9001',
        run_attempt: '2',
        actor_id: '12',
        event_name: 'push',
        environment: 'production',
        job_workflow_ref: 'acme/deploy/.github/workflows/ship.yml@refs/heads/main',
        runner_environment: 'github-hosted',
      },
    })
  }
  const at = open([{ repositoryId: '74', events: [] }])
  const bare = await at.identify(
    [`Bearer ${await sign(key, job({ environment: undefined }))}`],
    resource,
  )
  assert.equal(bare.subject, '74')
})

test('metadata never names GitHub as a place to get tokens', () => {
  assert.equal('authorization_servers' in open().metadata(resource), false)
})
