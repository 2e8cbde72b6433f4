/** `sallyport serve`: the gateway in the foreground, until it is told to stop. */
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { findConfig } from './installation.ts'
import type { Where } from './installation.ts'
import { startGateway } from './start.ts'
import type { Gateway } from './start.ts'

export interface ServeOptions extends Where {
  readonly port?: number | undefined
  readonly consolePort?: number | undefined
}

/** Prints one line of JSON, `{"gateway","console"}`, when both listeners answer. */
export async function serveCommand(
  options: ServeOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const checked = findConfig(options)
  const gateway = await startGateway({
    checked,
    gatewayPort: options.port,
    consolePort: options.consolePort,
    dataDir: options.data === undefined ? checked.config.dataDir : resolve(options.data),
    env: process.env,
  })
  tellRecovered(gateway, errors)
  out.write(`${JSON.stringify({ gateway: gateway.gatewayUrl, console: gateway.consoleUrl })}\n`)
  await gateway.stop(await stopSignal())
  return 0
}

/** What start-up found, in words, whenever there was something to find. */
export function tellRecovered({ recovered }: Gateway, errors: Writable): void {
  const { isClean, torn, callsUnknown, callsFailed, sessionsClosed } = recovered
  if (isClean) return
  const bytes = torn.reduce((sum, tail) => sum + tail.bytes, 0)
  errors.write(
    `Recovered after a stop that was not graceful: ${callsUnknown} calls in flight are recorded as unknown, ` +
      `${callsFailed} were never sent, ${sessionsClosed} sessions were closed, ` +
      `${bytes} bytes of an unfinished write were set aside.\n`,
  )
}

/** Resolves with the first of SIGTERM and SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve(signal)
      })
    }
  })
}
