/** What stands between a suite and a server: the gateway with a relay, or a stand-in for it. */
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { endProcess, firstJson } from '../peers/servers.ts'
import { openRelay, withHeader, withToken } from './relay.ts'
import type { Relay } from './relay.ts'

/** Something to send a suite through. */
export interface Between {
  /** The address for the suite, of the server with this name. */
  url(name: string): string
  close(): Promise<void>
}

/** Makes a {@link Between} in front of servers, given by name and Streamable HTTP address. */
export type Stand = (servers: Readonly<Record<string, string>>) => Promise<Between>

const bin = join(import.meta.dirname, '../../bin/sallyport')
const readyMs = 30_000

/**
 * The gateway as people run it, with sign-on: one connection a server, the grant of one group, and
 * before it a relay for each connection, which puts that connection's token in.
 */
export const gateway: Stand = async (servers) => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-gateway-'))
  const data = join(dir, 'data')
  mkdirSync(data)
  const relays = new Map<string, Relay>()
  for (const name of Object.keys(servers)) relays.set(name, await openRelay())
  const file = join(dir, 'sallyport.yaml')
  writeFileSync(file, configuration(servers, [...relays.values()]))
  const args = ['serve', '-c', file, '--data', data, '--port', '0', '--console-port', '0']
  const child = spawn(bin, args, { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
  // Where this process ends early, nobody closes what it began.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const close = async (): Promise<void> => {
    for (const relay of relays.values()) await relay.close()
    await endProcess(child)
    process.removeListener('exit', kill)
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const { port } = new URL(await firstJson(child, 'gateway', readyMs))
    for (const [name, relay] of relays) {
      relay.aim({ port: Number(port), headers: withToken(await token(file, data, name)) })
    }
  } catch (error) {
    await close()
    throw error
  }
  return { url: (name) => `http://127.0.0.1:${relays.get(name)?.port}/mcp/${name}`, close }
}

async function token(file: string, data: string, name: string): Promise<string> {
  const who = ['--subject', 'conformance', '--group', 'conformance', '--connection', name]
  const args = ['token', '-c', file, '--data', data, ...who, '--ttl', '1h']
  const { stdout } = await promisify(execFile)(bin, args, { timeout: readyMs })
  return stdout.trim()
}

/** The gateway's configuration, in JSON, which is YAML. Each relay is a name of the gateway: the suites send the relay's `Host`. */
export function configuration(
  servers: Readonly<Record<string, string>>,
  relays: readonly Pick<Relay, 'port'>[],
): string {
  const hosts = ['127.0.0.1', 'localhost']
  return JSON.stringify({
    listen: {
      hosts,
      origins: relays.flatMap(({ port }) => hosts.map((host) => `http://${host}:${port}`)),
    },
    identity: { issuers: [{ name: 'local', type: 'local' }] },
    connections: Object.entries(servers).map(([name, url]) => ({ name, url })),
    access: [{ who: { group: 'conformance' }, may: { connection: '*' } }],
    // A suite sends bad requests on purpose, and is one source.
    limits: { refusals_per_minute_max: 100_000 },
    record: { free_bytes_min: '1MiB' },
    log: { level: 'error' },
  })
}

/**
 * No gateway at all: the relay straight before each server.
 * @param kind `faithful` changes nothing, so that a difference seen with the gateway is the
 *   gateway's; `forgetful` hides `Host` and `Origin`, as a careless proxy does, which the suites
 *   must notice.
 */
export function standIn(kind: 'faithful' | 'forgetful'): Stand {
  return async (servers) => {
    const relays = new Map<string, Relay>()
    for (const [name, address] of Object.entries(servers)) {
      const { port, host, pathname: path } = new URL(address)
      const relay = await openRelay()
      const ours = withHeader('Host', host)
      const noOrigin = withHeader('Origin')
      const forget = (raw: readonly string[]): readonly string[] => ours(noOrigin(raw))
      const headers = kind === 'faithful' ? withToken('nobody-reads-this') : forget
      relay.aim({ port: Number(port), path, headers })
      relays.set(name, relay)
    }
    return {
      url: (name) => `http://127.0.0.1:${relays.get(name)?.port}/mcp/${name}`,
      close: async () => {
        for (const relay of relays.values()) await relay.close()
      },
    }
  }
}
