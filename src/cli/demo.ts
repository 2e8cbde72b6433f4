/** `sallyport demo` and `npm start`: two real MCP servers behind the gateway, ready to be tried. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { readConfig } from '../config/config.ts'
import { Fault } from '../base/fault.ts'
import type { Directory } from '../identity/directory.ts'
import type { Accounts, NewAccount } from '../signin/accounts.ts'
import { startEverything, startShop } from './demo-servers.ts'
import type { RunningServer } from './demo-servers.ts'
import { stopSignal, tellRecovered } from './serve.ts'
import { startGateway } from './start.ts'
import type { Gateway } from './start.ts'

export interface DemoOptions {
  readonly data?: string | undefined
  readonly port?: number | undefined
  readonly consolePort?: number | undefined
}

/** What `demo/ready.json` says when both listeners answer. */
export interface Ready {
  readonly gateway: string
  readonly console: string
  readonly connections: Readonly<Record<'shop' | 'everything', string>>
  readonly tokens: Readonly<Record<'engineer' | 'analyst', string>>
  /** With which people sign in to the console, and MCP clients by themselves. New at each start. */
  readonly logins: Readonly<Record<DemoRole, { readonly user: string; readonly password: string }>>
  readonly pid: number
}

type DemoRole = 'engineer' | 'analyst' | 'reviewer' | 'admin'

/** The people of the demo: who they are to `access` and to the console. */
const people: Readonly<Record<DemoRole, NewAccount>> = {
  engineer: person('erin', 'Erin Engineer', ['shop-engineers'], []),
  analyst: person('anna', 'Anna Analyst', [], ['fraud-analyst']),
  reviewer: person('rita', 'Rita Reviewer', [], ['reviewer']),
  admin: person('adam', 'Adam Admin', [], ['gateway-admin']),
}

function person(name: string, title: string, groups: string[], roles: string[]): NewAccount {
  return { name, title, groups, roles, isBreakGlass: false }
}

const tokenSeconds = 12 * 3600

export async function demoCommand(
  options: DemoOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const dataDir = resolve(options.data ?? '.sallyport')
  const dir = join(dataDir, 'demo')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  rmSync(join(dir, 'ready.json'), { force: true })
  errors.write('Making the card shop and starting two MCP servers …\n')
  const [shop, everything] = await startServers(dir)
  try {
    const gateway = await startDemoGateway(options, { dataDir, dir, shop, everything })
    tellRecovered(gateway, errors)
    const ready = await readyOf(gateway)
    writeFileSync(join(dir, 'ready.json'), `${JSON.stringify(ready, null, 2)}\n`, { mode: 0o600 })
    out.write(screen(ready, dataDir))
    await gateway.stop(await stopSignal())
  } finally {
    rmSync(join(dir, 'ready.json'), { force: true })
    await Promise.all([shop.close(), everything.close()])
  }
  return 0
}

async function startServers(dir: string): Promise<[RunningServer, RunningServer]> {
  const started = await Promise.allSettled([startShop(dir), startEverything()])
  const [shop, everything] = started
  if (shop.status === 'fulfilled' && everything.status === 'fulfilled') {
    return [shop.value, everything.value]
  }
  for (const one of started) if (one.status === 'fulfilled') await one.value.close()
  const failed = started.find((one) => one.status === 'rejected')
  const reason: unknown = failed?.status === 'rejected' ? failed.reason : undefined
  throw reason instanceof Error
    ? reason
    : new Fault('upstream_down', 'A demo server did not start.')
}

async function startDemoGateway(
  options: DemoOptions,
  of: { dataDir: string; dir: string; shop: RunningServer; everything: RunningServer },
): Promise<Gateway> {
  const file = join(of.dir, 'sallyport.yaml')
  const ports = { gateway: options.port ?? 4100, console: options.consolePort ?? 4101 }
  const text = configText(ports, of.dataDir, of.shop.url, of.everything.url)
  writeFileSync(file, text, { mode: 0o600 })
  return await startGateway({
    checked: readConfig(text, file),
    dataDir: of.dataDir,
    env: process.env,
  })
}

/** The demo's configuration: what stands here is what a person would write. */
function configText(
  ports: { gateway: number; console: number },
  dataDir: string,
  shop: string,
  everything: string,
): string {
  return `# The demo's configuration, written anew at each start.
listen:
  gateway: 127.0.0.1:${ports.gateway}
  console: 127.0.0.1:${ports.console}
data_dir: ${JSON.stringify(dataDir)}
log: { level: warn }
identity:
  issuers:
    - { name: demo, type: local }
  # Passwords alone are for trying things; where card data is real, leave them out.
  sign_in:
    - { name: people, type: accounts, passwords: true }
  # Signs MCP clients in by themselves: they need only a connection's address.
  authorization_server: {}
console:
  roles:
    admin: { role: gateway-admin }
    approver: { role: reviewer }
    analyst: { role: fraud-analyst }
connections:
  - name: shop
    url: ${shop}
    credential: { type: none }
    # Which argument is SQL is known of this server; the rules of the profile pci look at it.
    sql: { dialect: sqlite }
    cardholder_data: { columns: [pan, pan_number, card_number], tables: [cards] }
  - name: everything
    url: ${everything}
    credential: { type: none }
access:
  # Engineers query the shop; card numbers come back masked.
  - { who: { group: shop-engineers }, may: { connection: shop, tools: [execute_sql, search_objects] } }
  # Fraud analysts see the numbers. Nobody ever sees a CVV.
  - { who: { role: fraud-analyst }, may: { connection: shop }, reveal: pan }
  # Both try every tool of the other server but get-env, which prints its environment.
  - who: { kind: person }
    may:
      connection: everything
      tools: [echo, get-sum, get-tiny-image, get-annotated-message, get-structured-content, get-resource-links, get-resource-reference, get-roots-list, gzip-file-as-resource, "toggle-*", "trigger-*", "simulate-*"]
      resources: ["*"]
      prompts: ["*"]
`
}

async function readyOf(gateway: Gateway): Promise<Ready> {
  const { local, config, gatewayUrl, consoleUrl, accounts, directory } = gateway
  if (local === undefined || accounts === undefined)
    throw new Fault('config_bad', 'The demo needs its local issuer.')
  const audience = config.publicUrl
  const of = { kind: 'person' as const, audience, ttlSeconds: tokenSeconds }
  const mint = async ({ name: subject, title: name = '', ...rest }: NewAccount): Promise<string> =>
    await local.mint({ ...of, subject, name, groups: rest.groups, roles: rest.roles })
  const [engineer, analyst] = await Promise.all([mint(people.engineer), mint(people.analyst)])
  const logins = {
    engineer: await loginOf(people.engineer, { accounts, directory }),
    analyst: await loginOf(people.analyst, { accounts, directory }),
    reviewer: await loginOf(people.reviewer, { accounts, directory }),
    admin: await loginOf(people.admin, { accounts, directory }),
  }
  return {
    gateway: gatewayUrl,
    console: consoleUrl,
    connections: { shop: `${gatewayUrl}/mcp/shop`, everything: `${gatewayUrl}/mcp/everything` },
    tokens: { engineer, analyst },
    logins,
    pid: process.pid,
  }
}

/** The account of one of them, with a new password. */
async function loginOf(
  account: NewAccount,
  { accounts, directory }: { accounts: Accounts; directory: Directory },
): Promise<{ user: string; password: string }> {
  const { name, groups, roles, title = name } = account
  const { issuer } = accounts
  const told = { issuer, subject: name, name: title, kind: 'person' as const, groups, roles }
  directory.tell(told, 'command', Date.now())
  const isNew = accounts.find(name) === undefined
  const secret = isNew ? accounts.add(account) : accounts.invite(name, true)
  const password = `demo-1-${randomBytes(9).toString('base64url')}`
  await accounts.setPassword(secret, password)
  return { user: name, password }
}

/** A dozen lines for a newcomer: what to try, and what they will see. */
function screen(ready: Ready, dataDir: string): string {
  const { shop } = ready.connections
  const file = join(dataDir, 'demo', 'ready.json')
  const flag = dataDir === resolve('.sallyport') ? '' : ` --data ${dataDir}`
  const body = callOf('select holder, pan, cvv from cards limit 3')
  const risky = callOf('delete from cards where id = 7')
  const headers = `-H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream'`
  const token = (who: string): string =>
    `"Authorization: Bearer $(node -p 'require("${file}").tokens.${who}')"`
  const client = { mcpServers: { shop: { type: 'http', url: shop } } }
  const { engineer, reviewer } = ready.logins
  return `
Sallyport demo.  Gateway ${ready.gateway}   Console ${ready.console}   Stop with Ctrl+C.

1. As Erin, an engineer: the cards come back masked.
   curl -s ${shop} ${headers} -H ${token('engineer')} -d '${body}'
2. As Anna, a fraud analyst: the same numbers in clear, and still no CVV.
   curl -s ${shop} ${headers} -H ${token('analyst')} -d '${body}'
3. What both did, masked, in order, with times, identity and source address:
   bin/sallyport sessions${flag}      then      bin/sallyport replay${flag} SESSION
4. Your own client: it opens a browser to sign in; take ${engineer.user}, password ${engineer.password}
   ${JSON.stringify(client)}
   One that cannot: "headers": {"Authorization": "Bearer …"} with a token of ${file}.
5. A risky call waits for a person: as Erin, and then as Rita, a reviewer, in the console.
   curl -s ${shop} ${headers} -H ${token('engineer')} -d '${risky}'
   Console ${ready.console}/approvals: ${reviewer.user}, password ${reviewer.password}; make a passkey there first.
   Approved, the identical call runs, once. (More logins are in the same file.)
`
}

function callOf(sql: string): string {
  const params = { name: 'execute_sql', arguments: { sql } }
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
}
