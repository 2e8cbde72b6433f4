/** `sallyport audit witness`: a witness for other logs, in the foreground until it is told to stop. */
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { pino } from 'pino'
import { systemClock } from '../base/clock.ts'
import { realDisk } from '../base/disk.ts'
import { parseHostPort } from '../config/units.ts'
import { openWitnessKey } from '../witness/key.ts'
import { startWitness } from '../witness/server.ts'
import { stopSignal } from './serve.ts'

export interface WitnessOptions {
  readonly listen: string
  readonly log: readonly string[]
  readonly name: string
  readonly state: string
}

/**
 * Prints one line of JSON, `{"witness","vkey"}`, when it answers.
 * @returns 2 for an address that is none.
 */
export async function witnessCommand(
  options: WitnessOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const at = parseHostPort(options.listen)
  if (!at) {
    errors.write('--listen is a host and a port, such as 127.0.0.1:4180.\n')
    return 2
  }
  const stateDir = resolve(options.state)
  const witness = await startWitness({
    host: at.host,
    port: at.port,
    logs: options.log,
    name: options.name,
    key: openWitnessKey(stateDir),
    stateDir,
    disk: realDisk,
    clock: systemClock(),
    log: pino(pino.destination(2)),
  })
  const host = witness.host.includes(':') ? `[${witness.host}]` : witness.host
  const url = `http://${host}:${witness.port}`
  out.write(`${JSON.stringify({ witness: url, vkey: witness.vkey })}\n`)
  await stopSignal()
  await witness.close()
  return 0
}
