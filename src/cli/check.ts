/** `sallyport check`: every mistake of the file, then a look at what it names. */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { checkConfig, showMistake } from '../config/config.ts'
import type { Mistake } from '../config/config.ts'
import type { Where } from './installation.ts'
import { liveFindings } from './live-checks.ts'
import type { Finding } from './live-checks.ts'

export interface CheckOptions extends Where {
  readonly json?: boolean | undefined
  /** Only the file: nothing is asked, opened or written. */
  readonly offline?: boolean | undefined
}

/** What `--json` prints. */
export interface CheckReport {
  readonly file: string
  readonly ok: boolean
  readonly mistakes: readonly Mistake[]
  readonly checks: readonly Finding[]
}

/**
 * @param env where `${env:NAME}` is looked up.
 * @returns 0 when nothing is wrong, else 1.
 */
export async function checkCommand(
  options: CheckOptions,
  out: Writable,
  errors: Writable,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<number> {
  const slow = setTimeout(() => errors.write('Asking issuers and upstreams …\n'), 2000)
  try {
    const report = await makeReport(options, env)
    out.write(options.json === true ? `${JSON.stringify(report)}\n` : textOf(report))
    return report.ok ? 0 : 1
  } finally {
    clearTimeout(slow)
  }
}

async function makeReport(
  { config, data, offline }: CheckOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CheckReport> {
  const file = resolve(config ?? 'sallyport.yaml')
  const { checked, mistakes } = checkFile(file)
  if (checked === undefined) return { file, ok: false, mistakes, checks: [] }
  const dataDir = data === undefined ? checked.config.dataDir : resolve(data)
  const checks = offline === true ? [] : await liveFindings({ checked, dataDir, env })
  return { file, ok: checks.every(({ isGood }) => isGood), mistakes, checks }
}

function checkFile(file: string): ReturnType<typeof checkConfig> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    const message = 'cannot be read; make one with "sallyport init", or name yours with -c FILE'
    return { mistakes: [{ line: 1, column: 1, path: '', message }] }
  }
  return checkConfig(text, file)
}

function textOf({ file, mistakes, checks }: CheckReport): string {
  const head = mistakes.length === 0 ? [`${basename(file)} has no mistakes.`] : []
  const told = mistakes.map((mistake) => showMistake(mistake, file))
  const width = Math.max(0, ...checks.map(({ what }) => what.length))
  const looked = checks.map(({ isGood, what, message, line, column }) => {
    const place = isGood || line === undefined ? '' : ` (${basename(file)}:${line}:${column})`
    return `${isGood ? 'ok  ' : 'FAIL'}  ${what.padEnd(width)}  ${message}${place}`
  })
  return `${[...head, ...told, ...looked].join('\n')}\n`
}
