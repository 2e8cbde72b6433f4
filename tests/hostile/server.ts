/** How a hostile server answers: whole or as a stream, cut wherever it hurts. */
import type { ServerResponse } from 'node:http'

/** Sends a JSON answer. */
export function sendJson(res: ServerResponse, message: unknown, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(JSON.stringify(message))
}

/** Sends each message as an event of a stream. */
export function sendEvents(res: ServerResponse, messages: readonly unknown[]): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  sendCut(res, messages.map((one) => `event: message\ndata: ${JSON.stringify(one)}\n\n`).join(''))
}

/** Pieces that end within numbers, escapes and line ends alike. */
const pieces: readonly number[] = [1, 2, 3, 5, 7, 11, 400, 13, 1, 1, 4000, 17]

export function sendCut(res: ServerResponse, text: string): void {
  let at = 0
  for (let i = 0; at < text.length; i++) {
    const size = pieces[i % pieces.length] ?? 1
    res.write(text.slice(at, at + size))
    at += size
  }
  res.end()
}
