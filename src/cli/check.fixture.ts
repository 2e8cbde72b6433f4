/** For tests of `check`: a folder with a configuration, a server behind, and the command run on it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { checkCommand } from './check.ts'
import type { CheckOptions, CheckReport } from './check.ts'

export class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

export interface Site {
  readonly folder: string
  /** Writes `sallyport.yaml`. */
  write(text: string): void
  file(name: string, text: string): string
  run(
    options?: Omit<CheckOptions, 'config' | 'json'>,
    input?: string,
  ): Promise<{ report: CheckReport; text: string; code: number }>
}

/** @param env secrets; none of their values, and nothing of `hidden`, may ever be printed. */
export function openSite(
  t: Pick<TestContext, 'after'>,
  env: Record<string, string>,
  hidden: readonly string[] = [],
): Site {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'sallyport.yaml')
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const once = async (options: CheckOptions, input: string): Promise<[string, number]> => {
    const [out, errors] = [new Sink(), new Sink()]
    const parts = { env, input: Readable.from([Buffer.from(input)]) }
    const code = await checkCommand(options, out, errors, parts)
    for (const secret of [...Object.values(env), ...hidden]) {
      assert.ok(!out.text.includes(secret) && !errors.text.includes(secret), 'a secret was shown')
    }
    return [out.text, code]
  }
  return {
    folder,
    write: (text) => void file('sallyport.yaml', text),
    file,
    async run(options = {}, input = '') {
      const [json, code] = await once({ ...options, config, json: true }, input)
      const [text] = await once({ ...options, config }, input)
      const report: unknown = JSON.parse(json)
      assert.ok(isReport(report))
      assert.equal(code, report.ok ? 0 : 1)
      return { report, text, code }
    },
  }
}

function isReport(value: unknown): value is CheckReport {
  return typeof value === 'object' && value !== null && 'checks' in value
}

/** `ok message`, `warn …` or `FAIL …` of the finding of this name. */
export function saidOf({ checks, mistakes }: CheckReport, what: string): string {
  assert.deepEqual(mistakes, [])
  const one = checks.find((each) => each.what === what)
  if (one === undefined) return `missing among ${checks.map((each) => each.what).join(', ')}`
  return `${one.isGood ? (one.isDoubtful ? 'warn' : 'ok') : 'FAIL'} ${one.message}`
}

/** A server of MCP 2026-07-28 that answers its discovery and nothing else. */
export async function openUpstream(t: Pick<TestContext, 'after'>): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"]}}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}/mcp`
}

interface Named {
  readonly status: number
  readonly body: unknown
}

/** The fake of Entra, as far as it is needed here. */
interface EntraFake {
  readonly origin: string
  once(path: RegExp, change: (answer: Named, asked: { readonly path: string }) => Named): void
}

/** Lets the documents of version 1 name an issuer at the origin, since a configuration takes no path
 *  beside it. @param times they are asked for at most. */
export function nameVersion1(entra: EntraFake, times = 12): void {
  for (let i = 0; i < times; i++) {
    entra.once(/^\/[^/]+\/\.well-known/, (answer, { path }) => {
      const body = typeof answer.body === 'object' ? answer.body : {}
      return { ...answer, body: { ...body, issuer: `${entra.origin}/${path.split('/')[1]}/` } }
    })
  }
}

export interface EntraYaml {
  /** Members of the issuer beside name and type; null leaves one out. */
  readonly row: Readonly<Record<string, unknown>>
  readonly upstream?: string
  /** Lines that follow the issuer, such as another one. */
  readonly more?: string
  readonly access?: string
}

/** A configuration with one Entra issuer. JSON is YAML too. */
export function entraYaml({ access = '[]', more = '', row, upstream }: EntraYaml): string {
  const members = Object.entries({ name: 'entra', type: 'entra', ...row })
  const present = Object.fromEntries(members.filter(([, value]) => value !== null))
  const url = upstream ?? 'http://127.0.0.1:1/mcp'
  return `data_dir: data
public_url: https://mcp.example.com
identity:
  issuers:
    - ${JSON.stringify(present)}
${more}
connections:
  - { name: payments, url: "${url}" }
  - { name: tickets, url: "${url}" }
access: ${access}
`
}
