/** What a stream costs that is open and says nothing, and what the gateway holds before any call. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { residentMb } from './processes.ts'
import type { Gateway } from './gateway.ts'

const settleMs = 2000

/** Memory a while after the start, in megabytes. */
export async function restMb(gateway: Gateway): Promise<number> {
  await wait(settleMs)
  return residentMb(gateway.child.pid ?? 0)
}

/**
 * Opens streams by `subscriptions/listen` (MCP 2026-07-28, subscriptions) and looks at what they add.
 * @returns kilobytes (10^3 bytes) a stream, its server's side included, and how many were opened.
 * @throws {Error} when a stream is not acknowledged within ten seconds.
 */
export async function streamKb(
  gateway: Gateway,
  streams: number,
): Promise<{ kilobytes: number; opened: number }> {
  const pid = gateway.child.pid ?? 0
  const token = await gateway.token('listener')
  // The first few make what is made once: pools, compiled code.
  const first = await openAll(gateway.port, token, 50)
  await wait(settleMs)
  const before = residentMb(pid)
  const sockets = await openAll(gateway.port, token, streams)
  await wait(settleMs)
  const after = residentMb(pid)
  for (const socket of [...first, ...sockets]) socket.destroy()
  await wait(settleMs) // Each closing is recorded as well.
  const opened = first.length + sockets.length
  return { kilobytes: ((after - before) * 1000) / streams, opened }
}

async function openAll(port: number, token: string, streams: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let at = 0; at < streams; at += 50) {
    const count = Math.min(50, streams - at)
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => open(port, token)))))
  }
  return sockets
}

function open(port: number, token: string): Promise<Socket> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { notifications: { toolsListChanged: true }, _meta: meta }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params })
  const head = [
    'POST /mcp/bench HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    `Authorization: ${token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: subscriptions/listen',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    })
    const late = setTimeout(() => fail('was not acknowledged'), 10_000)
    const fail = (what: string): void => {
      clearTimeout(late)
      socket.destroy()
      reject(new Error(`a stream ${what}; status line: ${heard.slice(0, 12)}`))
    }
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      heard += text
      if (!heard.includes('subscriptions/acknowledged')) return
      clearTimeout(late)
      resolve(socket)
    })
    socket.on('error', () => fail('broke'))
    socket.on('close', () => fail('was closed'))
  })
}
