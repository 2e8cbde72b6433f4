/** `sallyport check`: every mistake of the file, then a look at what it names, or at one token. */
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { checkConfig, showMistake } from '../config/config.ts'
import type { CheckedConfig, Mistake } from '../config/config.ts'
import type { Where } from './installation.ts'
import { liveFindings, ruleFindings } from './live-checks.ts'
import type { Finding } from './live-look.ts'
import { explainToken } from './live-token.ts'
import type { ExplainedToken } from './live-token.ts'
import { readTokenFrom } from './live-token-file.ts'
import { findingsOf, shownPrincipal, tokenLines } from './live-token-lines.ts'

export interface CheckOptions extends Where {
  readonly json?: boolean | undefined
  /** Only the file: nothing is asked, opened or written. */
  readonly offline?: boolean | undefined
  /** A file with an access token to be explained, or `-` for standard input; never the token. */
  readonly token?: string | undefined
  /** Each receiver of notices gets a message that says it is a test. */
  readonly sendNotices?: boolean | undefined
  /** Name of the connection the token is for. */
  readonly connection?: string | undefined
}

/** What `--json` prints. */
export interface CheckReport {
  readonly file: string
  readonly ok: boolean
  readonly mistakes: readonly Mistake[]
  readonly checks: readonly Finding[]
  /** With `--token`, where the gateway lets it in: who it is and what they may, words masked. */
  readonly token?: Required<Pick<ExplainedToken, 'consoleRoles' | 'access'>> & {
    readonly principal: object
  }
}

/** What a check works with besides its options. */
export interface CheckParts {
  /** Where `${env:NAME}` is looked up; the process's own unless told otherwise. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** For `--token -`. */
  readonly input?: Readable
}

/** @returns 0 when nothing is wrong, 1 when something is, 2 for options that do not go together. */
export async function checkCommand(
  options: CheckOptions,
  out: Writable,
  errors: Writable,
  { env = process.env, input = process.stdin }: CheckParts = {},
): Promise<number> {
  const odd = oddOptions(options)
  if (odd !== undefined) {
    errors.write(`${odd}\n`)
    return 2
  }
  const slow = setTimeout(() => errors.write('Asking issuers and upstreams …\n'), 2000)
  try {
    const { lines, report } =
      options.token === undefined
        ? await lookAtAll(options, env)
        : await lookAtToken(options, options.token, { env, input })
    out.write(options.json === true ? `${JSON.stringify(report)}\n` : lines)
    return report.ok ? 0 : 1
  } finally {
    clearTimeout(slow)
  }
}

function oddOptions({ connection, offline, token }: CheckOptions): string | undefined {
  if (token === undefined) {
    return connection === undefined ? undefined : '--connection goes with --token.'
  }
  return offline === true
    ? '--token asks the issuer for its keys; it does not go with --offline.'
    : undefined
}

/** A report, and the same as text. */
interface Told {
  readonly report: CheckReport
  readonly lines: string
}

async function lookAtAll(
  { config, data, offline, sendNotices: sendsNotices }: CheckOptions,
  env: NonNullable<CheckParts['env']>,
): Promise<Told> {
  const file = resolve(config ?? 'sallyport.yaml')
  const { checked, mistakes } = checkFile(file)
  if (checked === undefined) return told({ file, ok: false, mistakes, checks: [] })
  const dataDir = dataDirOf(checked, data)
  const checks =
    offline === true
      ? await ruleFindings(checked)
      : await liveFindings({ checked, dataDir, env, sendsNotices })
  return told({ file, ok: checks.every(({ isGood }) => isGood), mistakes, checks })
}

function told(report: CheckReport): Told {
  return { report, lines: textOf(report) }
}

async function lookAtToken(
  { config, connection, data }: CheckOptions,
  from: string,
  { env, input }: Required<CheckParts>,
): Promise<Told> {
  const file = resolve(config ?? 'sallyport.yaml')
  const { checked, mistakes } = checkFile(file)
  if (checked === undefined) return told({ file, ok: false, mistakes, checks: [] })
  const token = await readTokenFrom(from, input)
  const explained = await explainToken({
    checked,
    dataDir: dataDirOf(checked, data),
    env,
    token,
    connection,
  })
  const checks = findingsOf(explained, checked)
  const { access = [], consoleRoles = [], principal } = explained
  const seen = principal && { principal: shownPrincipal(principal), consoleRoles, access }
  const isIn = principal !== undefined
  const report = { file, ok: isIn, mistakes, checks, ...(seen && { token: seen }) }
  return { report, lines: textOf(report) + tokenLines(explained) }
}

function dataDirOf({ config }: CheckedConfig, data: string | undefined): string {
  return data === undefined ? config.dataDir : resolve(data)
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
  const looked = checks.map((one) => {
    const { isGood, isDoubtful, what, message, line, column } = one
    const isFine = isGood && isDoubtful === undefined
    const place = isFine || line === undefined ? '' : ` (${basename(file)}:${line}:${column})`
    const mark = isFine ? 'ok  ' : isGood ? 'warn' : 'FAIL'
    return `${mark}  ${what.padEnd(width)}  ${message}${place}`
  })
  return `${[...head, ...told, ...looked].join('\n')}\n`
}
