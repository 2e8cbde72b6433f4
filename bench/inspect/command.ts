/** The inspection through its command, as anybody runs it: `bin/sallyport inspect --jsonl`. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Case } from './case.ts'

const command = join(import.meta.dirname, '..', '..', 'bin', 'sallyport')

/** What the command says of one message. */
export interface Answer {
  readonly id: string
  readonly verdict: 'clean' | 'suspicious'
  readonly findings: readonly { family: string; confidence: string; what: string }[]
}

const messageOf = ({ argument, tool, value }: Case): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: tool, arguments: { [argument]: value } },
  })

/**
 * Judges all cases in one child process, in their order.
 * @throws {Error} when the command ends with anything but 0, or leaves a case out.
 */
export async function judged(cases: readonly Case[]): Promise<Map<string, Answer>> {
  const child = spawn(command, ['inspect', '--jsonl'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = new Map<string, Answer>()
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.on('error', () => {}) // It ended early: its exit code tells.
  for (const one of cases) {
    const line = { id: one.id, direction: 'request', message: messageOf(one) }
    child.stdin.write(`${JSON.stringify(line)}\n`)
  }
  child.stdin.end()
  for await (const line of createInterface({ input: child.stdout })) {
    const answer: Answer = JSON.parse(line)
    answers.set(answer.id, answer)
  }
  const code = await ended
  if (code !== 0) throw new Error(`the command ended with ${code}`)
  if (answers.size !== cases.length) throw new Error('the command left cases out')
  return answers
}
