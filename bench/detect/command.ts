/** Our masker through its command, as anybody runs it: `bin/sallyport mask --jsonl`. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const command = join(import.meta.dirname, '..', '..', 'bin', 'sallyport')

/**
 * Masks messages in a child process, in one go and in their order.
 * @returns message by id. One that the command refused is not in it.
 * @throws {Error} when the command ends otherwise than with 0 or 1, or does not start.
 */
export async function maskedByCommand(
  messages: readonly { readonly id: string; readonly message: string }[],
): Promise<Map<string, string>> {
  const child = spawn(command, ['mask', '--jsonl'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const outputs = new Map<string, string>()
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.on('error', () => {}) // It ended early: its exit code tells.
  child.stdin.end(
    messages.map(({ id, message }) => `${JSON.stringify({ id, message })}\n`).join(''),
  )
  for await (const line of createInterface({ input: child.stdout })) {
    const answer: { id: string; message: string } = JSON.parse(line)
    outputs.set(answer.id, answer.message)
  }
  const code = await ended
  if (code !== 0 && code !== 1) throw new Error(`${command} mask ended with ${code}`)
  return outputs
}
