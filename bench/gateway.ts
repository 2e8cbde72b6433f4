/** The gateway as it is installed: started by `bin/sallyport serve`, asked by a token of its own. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { end, placed } from './processes.ts'
import type { Running } from './processes.ts'

export interface Gateway extends Running {
  /** Origin of the console listener, for `/metrics`. */
  readonly console: string
  readonly dataDir: string
  /** The value of `Authorization` for a subject of the group that may call. */
  token(subject: string): Promise<string>
}

const program = new URL('../bin/sallyport', import.meta.url).pathname
const readyWithinMs = 30_000

/** Whether there is a gateway to measure in this tree. */
export const hasGateway: boolean = existsSync(new URL('../src/cli/main.ts', import.meta.url))

/**
 * Starts it with every control on: token check, twenty grants of which the last one fits, SQL facts and
 * findings, twenty rules, masking, and
 * the durable record on the disk of `folder`.
 * @throws {Error} when it does not say that it is ready within half a minute.
 */
export async function startGateway(folder: string, serverPort: number): Promise<Gateway> {
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, configuration(serverPort))
  const common = ['-c', file, '--data', dataDir]
  const serve = ['serve', ...common, '--port', '0', '--console-port', '0']
  const [command, args] = placed('measured', program, serve)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const signal = AbortSignal.timeout(readyWithinMs)
  const gone = once(child, 'exit').then(() => {
    throw new Error('the gateway ended before it was ready')
  })
  const [line]: string[] = await Promise.race([once(lines, 'line', { signal }), gone])
  gone.catch(() => {}) // Its end is awaited in end(); an early one shows in the figures.
  const ready: { gateway: string; console: string } = JSON.parse(line ?? '{}')
  const ask = promisify(execFile)
  const token = async (subject: string): Promise<string> => {
    const who = ['--subject', subject, '--group', 'bench', '--connection', 'bench', '--ttl', '1h']
    const { stdout } = await ask(program, ['token', ...common, ...who])
    return `Bearer ${stdout.trim()}`
  }
  const port = Number(new URL(ready.gateway).port)
  return { child, port, console: ready.console, dataDir, token, end: () => end(child) }
}

/** Twenty grants: nineteen for somebody else, so that each call looks at all of them. */
function configuration(serverPort: number): string {
  const others = Array.from({ length: 19 }, (_, i) => {
    const who = i % 2 === 0 ? `group: team-${i}` : `role: role-${i}`
    return `  - { who: { ${who} }, may: { connection: bench, tools: [tool_${i}, "read_*"] } }`
  })
  return `listen: { gateway: "127.0.0.1:4100", console: "127.0.0.1:4101" }
identity:
  issuers:
    - { name: local, type: local }
connections:
  - name: bench
    url: http://127.0.0.1:${serverPort}/mcp
    profile: pci
    # One statement again and again: its facts are known from the first call on.
    sql: { dialect: mysql, tools: { "rows_*": sql } }
    cardholder_data: { tables: [cards] }
rules:
  - { name: night, when: 'time.hour < 0', effect: deny }
  - { name: mass, when: 'call.bytes > 4000000', effect: hold }
access:
${others.join('\n')}
  - { who: { group: bench }, may: { connection: bench, tools: ["rows_*"], methods: ["*"] } }
limits: { streams_per_principal_max: 2000 }
log: { level: warn }
`
}
