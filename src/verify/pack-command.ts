/** The command that lies in a pack: verifies the pack it lies in. */
import { readFileSync, realpathSync, writeSync } from 'node:fs'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Unproven } from '../tlog/unproven.ts'
import { packReader } from './pack-folder.ts'
import { reportPack } from './pack-verify.ts'
import { packLines } from './pack-words.ts'

const usage = `Usage: node verify.mjs --key VKEY [--key VKEY ...] [--witness VKEY ...]

VKEY is the log's key, or a file with it, which you got elsewhere than from this pack.
Ends with 0: proven. 1: disproven. 2: cannot tell, or asked otherwise than this.
`

/**
 * Prints what was found, and ends the process itself unless all is proven.
 * @param folder of the pack, as a URL.
 * @returns 0.
 */
export async function packCommand(args: readonly string[], folder: URL): Promise<number> {
  const asked = readArgs(args)
  if (asked === undefined) end(2, usage)
  const root = fileURLToPath(folder)
  try {
    const keys = asked.keys.map((key) => keyOf(key, root))
    const witnesses = asked.witnesses.map((key) => keyOf(key, root))
    const report = await reportPack(packReader(root), { keys, witnesses })
    writeSync(1, `${packLines(report).join('\n')}\n`)
    if (report.findings.exitCode !== 0) process.exit(report.findings.exitCode)
    return 0
  } catch (error) {
    if (error instanceof Unproven) end(2, `${error.message}\n`)
    throw error
  }
}

function readArgs(args: readonly string[]): { keys: string[]; witnesses: string[] } | undefined {
  try {
    const many = { type: 'string', multiple: true } as const
    const { values } = parseArgs({ args: [...args], options: { key: many, witness: many } })
    return { keys: values.key ?? [], witnesses: values.witness ?? [] }
  } catch {
    return undefined // Node's words repeat what was typed.
  }
}

/** A vkey as it was typed, or the one in a file outside the pack. */
function keyOf(typed: string, root: string): string {
  if (/^[^+]+\+[0-9a-f]{8}\+/.test(typed)) return typed
  try {
    const path = realpathSync(typed)
    if (path.startsWith(realpathSync(root) + sep)) {
      end(2, 'That key lies in the pack itself, so it proves nothing: get it by another way.\n')
    }
    return readFileSync(path, 'utf8').trim()
  } catch {
    end(2, 'A key is neither a vkey (name+id+base64) nor a file that can be read.\n')
  }
}

function end(code: number, words: string): never {
  writeSync(2, words)
  process.exit(code)
}
