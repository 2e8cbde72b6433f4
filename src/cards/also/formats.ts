/**
 * The formats of tokens and secret keys: how they begin, what follows, how long it is. As published
 * by who issues them; cross-checked with the rules of gitleaks (config/gitleaks.toml, 2026-07).
 * Lengths are least lengths: issuers make tokens longer, and what is longer is no less a token.
 */
import { HIGH, KEY, MEDIUM, TOKEN } from '../findings.ts'

/** How the characters behind the prefix are looked at once more. */
export type Check =
  | 'none'
  /** Not one character more. */
  | 'exact'
  /** A digit and a letter, as words of prose have not. */
  | 'mixed'
  /** The last six of thirty-six are the CRC-32 of the others, in base 62. */
  | 'crc62'
  | 'openai'
  /** Parts between dots, the first of them a header in JSON. */
  | 'jwt'
  /** `name:password` in base64. */
  | 'basic'
  /** A private key in PEM, in base64 once more. */
  | 'pem'

export interface Format {
  /** What it begins with, byte for byte. */
  readonly prefix: string
  /** The inside of a character class. */
  readonly chars: string
  readonly min: number
  readonly kind: number
  readonly confidence: number
  readonly check: Check
}

/** A label that stays, in any case, with its secret behind it. */
export interface Labelled {
  readonly label: string
  /** Whether blanks alone may stand between them, as in a header. */
  readonly isHeader: boolean
  readonly chars: string
  readonly min: number
  readonly kind: number
  readonly check: Check
}

const alnum = 'A-Za-z0-9'
const word = `${alnum}_`
const url64 = `-_${alnum}`
const base64 = `${alnum}+/=`
const hex = '0-9a-fA-F'

const format = (
  prefixes: string,
  chars: string,
  min: number,
  check: Check = 'none',
  confidence: number = HIGH,
): Format[] =>
  prefixes.split(' ').map((prefix) => ({ prefix, chars, min, check, confidence, kind: TOKEN }))

export const formats: readonly Format[] = [
  // GitHub: `docs.github.com`, "About authentication to GitHub"; since 2026 `ghs_` may be a JWT.
  ...format('ghp_ gho_ ghu_ ghr_', word, 36, 'crc62'),
  ...format('ghs_', `${url64}.`, 36, 'crc62'),
  ...format('github_pat_', word, 40),
  // GitLab: "Token overview"; routable ones go on behind dots.
  ...format(
    'glpat- gldt- glrt- glptt- glft- glimt- glagent- glsoat- glffct- glcbt-',
    `${url64}.`,
    20,
  ),
  ...format('gloas-', url64, 60),
  // Slack: bot, user, app, configuration and refresh tokens.
  ...format(
    'xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxe- xoxe.xoxb- xoxe.xoxp- xapp-',
    url64,
    16,
    'mixed',
  ),
  // Stripe: secret and restricted keys; signing secrets of webhooks.
  ...format('sk_live_ rk_live_ sk_test_ rk_test_', alnum, 16),
  ...format('whsec_', base64, 24, 'mixed'),
  // AWS: ids of keys, twenty characters in all. An id alone opens nothing, but belongs to a secret.
  ...format('AKIA ASIA ABIA ACCA', 'A-Z2-7', 16, 'exact'),
  // Google: API keys, OAuth access tokens, client secrets.
  ...format('AIza', url64, 35),
  ...format('ya29.', `${url64}.`, 20, 'mixed'),
  ...format('GOCSPX-', url64, 28),
  // Package registries.
  ...format('npm_', alnum, 36, 'crc62'),
  ...format('pypi-AgE', url64, 50),
  ...format('rubygems_', hex, 48),
  ...format('dckr_pat_ dckr_oat_', url64, 27),
  // Model providers. OpenAI's carry `T3BlbkFJ`, "OpenAI" in base64.
  ...format('sk-ant-', url64, 40),
  ...format('sk-proj- sk-svcacct- sk-admin-', url64, 40, 'openai'),
  ...format('sk-or-v1-', hex, 64),
  ...format('sk-', alnum, 32, 'openai', MEDIUM),
  ...format('hf_', 'A-Za-z', 34),
  ...format('xai- gsk_ pplx- r8_', alnum, 37, 'mixed'),
  // Clouds and hosting.
  ...format('dop_v1_ doo_v1_ dor_v1_', hex, 64),
  ...format('dapi', hex, 32, 'exact'),
  ...format('hvs. hvb.', url64, 24, 'mixed'),
  ...format('pul-', hex, 40),
  ...format('LTAI', alnum, 20, 'exact'),
  ...format('dp.pt. dp.st. dp.ct.', `${alnum}.`, 40),
  ...format('glsa_', word, 40),
  ...format('glc_', base64, 32, 'mixed'),
  // Commerce, mail, work.
  ...format('shpat_ shpca_ shppa_ shpss_', hex, 32),
  ...format('sq0atp- sq0csp-', url64, 22),
  ...format('SG.', `${url64}.`, 60, 'mixed'),
  ...format('ATATT3 ATCTT3', `${url64}=`, 60),
  ...format('lin_api_ lin_oauth_', alnum, 32),
  ...format('PMAK-', `${hex}-`, 59),
  ...format('NRAK-', 'A-Z0-9', 27),
  ...format('ntn_', alnum, 40, 'mixed'),
  ...format('figd_', url64, 40),
  ...format('sntryu_', hex, 64),
  ...format('sntrys_', `${base64}_`, 60),
  // JSON Web Tokens (RFC 7519): the header begins with `{"`, or `{` and white space.
  ...format('eyJ eyA ewo ew0', url64, 14, 'jwt'),
]

/** Secret keys that begin in a way of their own. PEM and the rest are in `keys.ts`. */
export const keyFormats: readonly Format[] = [
  // age: a Bech32 string, upper case.
  {
    prefix: 'AGE-SECRET-KEY-1',
    chars: 'A-Z0-9',
    min: 58,
    kind: KEY,
    confidence: HIGH,
    check: 'none',
  },
  // `-----BEGIN `, as Kubernetes and CI systems keep it.
  {
    prefix: 'LS0tLS1CRUdJTi',
    chars: base64,
    min: 80,
    kind: KEY,
    confidence: HIGH,
    check: 'pem',
  },
]

export const labelledTokens: readonly Labelled[] = [
  // RFC 6750 §2.1, RFC 7617.
  { label: 'bearer', isHeader: true, chars: `${url64}.~+/=`, min: 16, kind: TOKEN, check: 'mixed' },
  { label: 'basic', isHeader: true, chars: base64, min: 8, kind: TOKEN, check: 'basic' },
  // Azure: connection strings (64 and 32 bytes in base64), shared access signatures (32 bytes).
  { label: 'accountkey', isHeader: false, chars: base64, min: 80, kind: TOKEN, check: 'none' },
  { label: 'sharedaccesskey', isHeader: false, chars: base64, min: 40, kind: TOKEN, check: 'none' },
  { label: 'sig', isHeader: false, chars: `${base64}%_-`, min: 43, kind: TOKEN, check: 'mixed' },
]

/** AWS secret access keys are forty characters with nothing of their own, so their name tells. */
export const labelledKeys: readonly Labelled[] = [
  'secret_access_key',
  'secret-access-key',
  'secret access key',
  'secretaccesskey',
  'awssecretaccesskey',
  'aws_secret_key',
].map((label) => ({
  label,
  isHeader: false,
  chars: `${alnum}+/`,
  min: 40,
  kind: KEY,
  check: 'exact',
}))
