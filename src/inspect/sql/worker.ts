/** The thread that reads long and deep statements: one after the other, and it may be ended at any time. */
import { parentPort } from 'node:worker_threads'
import { stepBack } from '../../base/thread.ts'
import { compacted } from './compact.ts'
import { load, parse } from './parse.ts'
import type { FromWorker, ToWorker } from './thread.ts'

const port = parentPort
if (!port) throw new Error('This file runs as a thread of the gateway.')
stepBack(5)

port.on('message', (ask: ToWorker) => {
  void answer(ask).then(send, () => send({ answer: { problem: 'too_deep' }, isBroken: true }))
})

async function answer({ text, dialect }: ToWorker): Promise<FromWorker> {
  await load(dialect)
  const read = parse(text, dialect)
  return { answer: 'problem' in read ? read : read.map(compacted), isBroken: false }
}

/** What is too deep to be sent is too deep. */
function send(message: FromWorker): void {
  try {
    port?.postMessage(message)
  } catch {
    port?.postMessage({ answer: { problem: 'too_deep' }, isBroken: false } satisfies FromWorker)
  }
}
