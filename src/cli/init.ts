/** `sallyport init`: a first configuration and the keys it needs, from five answers at most. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Readable } from 'node:stream'
import { realDisk } from '../base/disk.ts'
import { checkConfig } from '../config/config.ts'
import { makeLocalKey } from '../identity/local.ts'
import { keepOrigin } from '../record/record.ts'
import { vkeysOf } from '../record/tree-keys.ts'
import { openKeys } from './keys.ts'
import { writer } from './record-parts.ts'

export interface InitOptions {
  /** The file to write; `sallyport.yaml` unless told otherwise. */
  readonly config?: string | undefined
  readonly data?: string | undefined
  readonly publicUrl?: string | undefined
  readonly connection?: string | undefined
  readonly url?: string | undefined
  /** An OpenID Connect issuer; without one the local issuer is used. */
  readonly issuer?: string | undefined
  /** Asks nothing: what no option says has its default. */
  readonly yes?: boolean | undefined
}

type Answers = Readonly<Record<'publicUrl' | 'data' | 'connection' | 'url' | 'issuer', string>>

interface Question {
  readonly key: keyof Answers
  readonly asks: string
  readonly usual: string
}

const questions: readonly Question[] = [
  { key: 'publicUrl', asks: 'How do clients reach the gateway?', usual: 'http://localhost:4100' },
  { key: 'data', asks: 'Where do record and keys go?', usual: '.sallyport' },
  { key: 'connection', asks: 'What is the first MCP server called?', usual: 'first' },
  { key: 'url', asks: 'What is its address?', usual: 'http://127.0.0.1:8080/mcp' },
  {
    key: 'issuer',
    asks: 'Which OpenID Connect issuer knows its users ("local": none)?',
    usual: 'local',
  },
]

/**
 * Asks only where `input` is a terminal and `yes` is not given.
 * @returns 0; 1 when the file is there already or an answer makes no valid configuration.
 */
export async function initCommand(
  options: InitOptions,
  input: Readable & { isTTY?: boolean },
  out: Writable,
  errors: Writable,
): Promise<number> {
  const file = resolve(options.config ?? 'sallyport.yaml')
  if (existsSync(file)) {
    errors.write(`${file} is there already; it was not touched. Name another with -c FILE.\n`)
    return 1
  }
  const answers = await answersOf(options, input, errors)
  const text = fileText(answers)
  const { checked, mistakes } = checkConfig(text, file)
  if (checked === undefined) {
    const told = mistakes.map(({ path, message }) => `  ${path} ${message}\n`)
    errors.write(
      `These answers make no valid configuration; nothing was written.\n${told.join('')}`,
    )
    return 1
  }
  const { dataDir } = checked.config
  mkdirSync(dirname(file), { recursive: true })
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  chmodSync(dataDir, 0o700)
  writeFileSync(file, text, { flag: 'wx', mode: 0o644 })
  if (answers.issuer === 'local') await makeLocalKey(dataDir)
  const vkeys = await makeLogKeys(dataDir, checked.config.record.origin)
  const link = answers.issuer === 'local' ? await inviteAdmin(file, errors) : undefined
  out.write(nextSteps(file, dataDir, answers, { vkeys, link }))
  return 0
}

/** The first admin's account, recorded as any other, and the link by which they set it up. */
async function inviteAdmin(config: string, errors: Writable): Promise<string> {
  const told: Buffer[] = []
  const out = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      told.push(Buffer.from(chunk))
      done()
    },
  })
  const account = { name: 'admin', groups: [], roles: ['gateway-admin'], isBreakGlass: false }
  const { ask } = await import('./ask.ts')
  await ask({ what: 'local-account-add', ...account, format: 'text' }, { config }, { out, errors })
  return Buffer.concat(told).toString().trim()
}

/** The log's name and keys, made now so that the public one can be kept elsewhere from the start. */
async function makeLogKeys(dataDir: string, origin: string | undefined): Promise<string[]> {
  const { signing } = openKeys(dataDir)
  const folder = join(dataDir, 'record', writer)
  return vkeysOf(await keepOrigin(realDisk, folder, { writer, origin }), signing)
}

async function answersOf(
  options: InitOptions,
  input: Readable & { isTTY?: boolean },
  errors: Writable,
): Promise<Answers> {
  const asks = options.yes !== true && input.isTTY === true
  const answers = { publicUrl: '', data: '', connection: '', url: '', issuer: '' }
  const prompt = asks ? createInterface({ input, output: errors }) : undefined
  try {
    for (const { key, asks: question, usual } of questions) {
      const answer = options[key] ?? (await prompt?.question(`${question} [${usual}] `))
      answers[key] = (answer ?? '').trim() || usual
    }
  } finally {
    prompt?.close()
  }
  return answers
}

/** Double-quoted YAML is a superset of JSON's strings. */
const quoted = (text: string): string => JSON.stringify(text)

function fileText({ publicUrl, data, connection, url, issuer }: Answers): string {
  const isLocal = issuer === 'local'
  return `# Sallyport's configuration. "sallyport check" tells every mistake in it with its line.
# Every key with its default: docs/configuration.md. Secrets never stand here: write a reference,
# \${env:NAME} or \${file:path}.

listen:
  gateway: 127.0.0.1:${portOf(publicUrl)}   # MCP clients connect here
  console: 127.0.0.1:4101   # health and metrics

# The origin which clients see. Any but a loopback address needs https.
public_url: ${quoted(publicUrl)}

# Record, keys and state.
data_dir: ${quoted(data)}

identity:
  issuers:
${isLocal ? localIssuer : oidcIssuer(issuer, publicUrl)}
# What people are on the console; nobody is what is not named.
console:
  roles:
    admin: { role: gateway-admin }
    # approver: { group: payments-leads }
    # analyst: { role: fraud-analyst }

connections:
  - name: ${quoted(connection)}
    url: ${quoted(url)}
    # What the server is shown; the client's own token never reaches it.
    credential: { type: none }
    # credential: { type: bearer, value: "\${env:MCP_TOKEN}" }
    # credential: { type: header, name: X-Api-Key, value: "\${file:/run/secrets/key}" }
    # credential: { type: basic, username: sallyport, password: "\${env:MCP_PASSWORD}" }

# Who may use what. What no line allows is refused.
access:
  - { who: { group: engineers }, may: { connection: ${quoted(connection)} } }
  # Card numbers in clear for those who must see them; the record stays masked.
  # - { who: { role: fraud-analyst }, may: { connection: ${quoted(connection)} }, reveal: pan }
`
}

const localIssuer = `    # Tokens of this gateway itself: those its authorization server gives to clients, and those
    # of "sallyport token --subject you --group engineers".
    - { name: local, type: local }
    # - name: company
    #   type: oidc
    #   issuer: https://login.example.com
  # How people sign in, to the console and for their MCP clients. Others: oidc, entra, saml.
  sign_in:
    - { name: staff, type: accounts }
  # Clients need only a connection's address: they register and sign in by themselves.
  authorization_server: {}
`

function oidcIssuer(issuer: string, publicUrl: string): string {
  return `    - name: company
      type: oidc
      issuer: ${quoted(issuer)}
      # Besides a connection's own address, ${publicUrl}/mcp/NAME.
      audience: ${quoted(publicUrl)}
      groups_claim: groups
      roles_claim: roles
`
}

/** Where the gateway is reached without a proxy it listens on the port it is reached at. */
function portOf(publicUrl: string): string {
  const url = URL.parse(publicUrl)
  return url?.protocol === 'http:' && url.port !== '' ? url.port : '4100'
}

function nextSteps(
  file: string,
  dataDir: string,
  { publicUrl, connection, issuer }: Answers,
  { link, vkeys }: { vkeys: readonly string[]; link: string | undefined },
): string {
  const token =
    issuer === 'local'
      ? `  sallyport token -c ${file} --subject you --group engineers\n`
      : `  A token of ${issuer} for ${publicUrl}, in the Authorization header.\n`
  return `Wrote ${file}; record and keys go to ${dataDir}.

Next:
  sallyport check -c ${file}
  sallyport serve -c ${file}
${token}
Clients connect to ${publicUrl}/mcp/${connection}
${link === undefined ? '' : signUp(link)}
Keep this public key elsewhere: with it anybody can prove that the record was not changed.
  ${vkeys[0] ?? ''}
`
}

function signUp(link: string): string {
  return `
The first admin sets up their account here, once the gateway runs. The link works once, for 24 hours.
  ${link}
`
}
