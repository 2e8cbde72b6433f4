/** `sallyport audit approval` and `verify-approval`: the proof of a held call's decisions, as a file. */
import { readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { ProvenEntry } from '../hold/proof-format.ts'
import { readApproval } from '../hold/read-approval.ts'
import { readOrigin } from '../record/read.ts'
import { isObject } from '../record/unfinished.ts'
import { oneLine } from '../replay/plain.ts'
import { canonicalize } from '../tlog/canonical.ts'
import { formatApproval } from '../verify/approval-form.ts'
import { verifyApproval } from '../verify/approval.ts'
import type { ApprovalReport } from '../verify/approval.ts'
import { ask } from './ask.ts'
import { askGateway } from './control.ts'
import { findDataDir } from './installation.ts'
import type { Where } from './installation.ts'
import { openKeys } from './keys.ts'
import { recordPlace, settingsOf } from './record-parts.ts'

export interface ApprovalOptions extends Where {
  readonly out?: string
}

/**
 * Writes the proof of a ticket, with the entries of the record that tell of it, each proven.
 * @throws {Fault} `path_unknown` for a ticket that is none.
 */
export async function approvalCommand(
  ticket: string,
  options: ApprovalOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const dataDir = findDataDir(options)
  await askGateway(dataDir, { what: 'sign' }, userInfo().username).then(drain)
  const clock = systemClock()
  const { key: bodyKey } = settingsOf(options)
  const hide = (): void => undefined
  const place = recordPlace(dataDir, { key: bodyKey, env: process.env, clock, hide })
  const { proof, exchange } = readApproval(join(dataDir, 'state.sqlite'), ticket, {
    gateway: (await readOrigin(place)) ?? '',
    key: openKeys(dataDir).signing.current,
    nowMs: Math.floor(clock.nowUs() / 1000),
  })
  const record = await provenEntries(ticket, exchange, options, errors)
  const entries = record.length
  const exporting = { what: 'exporting', kind: 'proof', query: ticket, entries, bodies: 0 } as const
  await ask(exporting, options, { out, errors })
  const file = formatApproval(record.length === 0 ? proof : { ...proof, record })
  if (options.out === undefined) out.write(file)
  else {
    writeFileSync(options.out, file, { flag: 'wx', mode: 0o600 })
    errors.write(`Wrote ${options.out}.\n`)
  }
  return 0
}

export interface VerifyApprovalOptions {
  readonly key?: readonly string[]
  readonly json?: boolean
}

/** @returns 0 proven, 1 disproven, 2 cannot tell. */
export function verifyApprovalCommand(
  file: string,
  options: VerifyApprovalOptions,
  out: Writable,
): number {
  const report = verifyApproval(read(file), options.key ?? [])
  const { decisions, findings } = report
  if (options.json === true) {
    const verdict = ['proven', 'disproven', 'unsure'][findings.exitCode]
    out.write(`${JSON.stringify({ verdict, findings: findings.list(), decisions })}\n`)
  } else
    out.write(
      linesOf(report)
        .map((line) => `${oneLine(line)}\n`)
        .join(''),
    )
  return findings.exitCode
}

const signs = { wrong: '✗', unsure: '?', note: '·' } as const
const verdicts = [
  'Proven: every statement, decision and signature is as it was made.',
  'DISPROVEN: what stands above is not what was signed.',
  'Cannot tell: what stands above is missing for a proof.',
] as const

function linesOf({ decisions, findings, proof }: ApprovalReport): string[] {
  const lines: string[] = []
  if (proof !== undefined) {
    const { connection, created_at: at, id, outcome, state, tool } = proof.ticket
    const ran = outcome === '' ? state : `${state}, ${outcome}`
    lines.push(`${id} of ${proof.gateway}`, `  ${tool} on ${connection}, held ${at}: ${ran}`)
  }
  for (const { at, by, decision, justification, method, onBehalfOf } of decisions) {
    const who = onBehalfOf === undefined ? by : `${by} for ${onBehalfOf}`
    lines.push(`  ${decision} by ${who}, ${at}, by ${method}: ${justification}`)
  }
  for (const { place, weight, words } of findings.list()) {
    lines.push(`${signs[weight]} ${place}: ${words}`)
  }
  return [...lines, verdicts[findings.exitCode]]
}

/** Entries about a ticket which a checkpoint covers; those that none covers yet are left out. */
async function provenEntries(
  ticket: string,
  exchange: string,
  where: Where,
  errors: Writable,
): Promise<ProvenEntry[]> {
  const chunks: Buffer[] = []
  const out = new Writable({
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk)
      done()
    },
  })
  const look = { what: 'replay', ids: [exchange], format: 'jsonl', isProven: true } as const
  await ask(look, where, { out, errors })
  return Buffer.concat(chunks)
    .toString()
    .split('\n')
    .flatMap((line) => {
      const shown: unknown = line === '' ? {} : JSON.parse(line)
      if (!isObject(shown) || !isObject(shown['entry'])) return []
      const { entry, proof } = shown
      const { details, type } = entry
      if (!isObject(details) || details['ticket'] !== ticket) return []
      if (typeof type !== 'string' || typeof proof !== 'string') return []
      return [{ type, entry: canonicalize(entry), proof }]
    })
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const message = 'There is no such file, or it cannot be read.'
    throw new Fault('path_unknown', message, { cause })
  }
}

async function drain(lines: AsyncIterable<Buffer> | undefined): Promise<void> {
  for await (const _ of lines ?? []) continue
}
