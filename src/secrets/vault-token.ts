/**
 * Tokens of HashiCorp Vault (and OpenBao). The first that applies is taken:
 *
 * 1. `VAULT_TOKEN_FILE`: a file which Vault Agent keeps fresh;
 * 2. `VAULT_TOKEN`;
 * 3. AppRole: `VAULT_ROLE_ID` with `VAULT_SECRET_ID` or `VAULT_SECRET_ID_FILE`;
 * 4. Kubernetes: `VAULT_K8S_ROLE`, with the service account's token (`VAULT_K8S_TOKEN_FILE`).
 *
 * `VAULT_AUTH_MOUNT` names the mount of 3 and 4 where it is not `approle` or `kubernetes`.
 * Sources: Vault HTTP API, "AppRole auth method", "Kubernetes auth method".
 */
import type { Answered } from './ask.ts'
import { keptToken } from './kept-token.ts'
import type { FreshToken, TokenParts, TokenSource } from './kept-token.ts'
import { readTokenFile } from './token-file.ts'
import type { Env } from './token-file.ts'
import type { Blame } from './trouble.ts'
import { memberOf } from './wrapping.ts'

const projected = '/var/run/secrets/kubernetes.io/serviceaccount/token'
const mountForm = /^[0-9a-zA-Z_-]+(?:\/[0-9a-zA-Z_-]+){0,7}$/
const headerValue = /^[\x21-\x7e]{1,8192}$/

/** What logging in takes. */
interface Login {
  readonly mount: string
  readonly json: () => object
}

/** @param origin of Vault, from `VAULT_ADDR`. @param headers that every request carries. */
export function vaultTokens(
  origin: string,
  headers: Readonly<Record<string, string>>,
  parts: TokenParts,
): TokenSource {
  const { blame, env, hide } = parts
  const fixed = fixedToken(env, blame)
  if (fixed !== undefined) {
    const token = async (): Promise<string> => {
      const value = checkToken(fixed(), blame)
      hide(value)
      return value
    }
    return { token, forget() {} }
  }
  const login = loginOf(env, blame)
  return keptToken(parts, async () => {
    const url = new URL(`/v1/auth/${login.mount}/login`, origin)
    // Each login may use up a secret id that is good for a few only: never sent twice.
    const question = { method: 'POST', url, headers, json: login.json() } as const
    return tokenIn(await parts.ask({ ...question, isRepeatable: false }), blame)
  })
}

function fixedToken(env: Env, blame: Blame): (() => string) | undefined {
  if (env['VAULT_TOKEN_FILE'] !== undefined) {
    return () => readTokenFile(env, 'VAULT_TOKEN_FILE', blame)
  }
  const token = env['VAULT_TOKEN']
  return token === undefined ? undefined : () => token
}

function checkToken(value: string, blame: Blame): string {
  if (headerValue.test(value)) return value
  throw blame('settings', 'VAULT_TOKEN is empty or no token')
}

function loginOf(env: Env, blame: Blame): Login {
  const roleId = env['VAULT_ROLE_ID']
  if (roleId !== undefined) {
    return {
      mount: mountOf(env, 'approle', blame),
      json: () => ({ role_id: roleId, secret_id: secretId(env, blame) }),
    }
  }
  const role = env['VAULT_K8S_ROLE']
  if (role !== undefined) {
    const jwt = (): string => readTokenFile(env, 'VAULT_K8S_TOKEN_FILE', blame, projected)
    return { mount: mountOf(env, 'kubernetes', blame), json: () => ({ role, jwt: jwt() }) }
  }
  const ways = 'VAULT_TOKEN_FILE, VAULT_TOKEN, VAULT_ROLE_ID or VAULT_K8S_ROLE'
  throw blame('settings', `none of ${ways} is set`)
}

function secretId(env: Env, blame: Blame): string {
  return env['VAULT_SECRET_ID'] ?? readTokenFile(env, 'VAULT_SECRET_ID_FILE', blame)
}

function mountOf(env: Env, usual: string, blame: Blame): string {
  const mount = env['VAULT_AUTH_MOUNT'] ?? usual
  if (mountForm.test(mount)) return mount
  throw blame('settings', 'VAULT_AUTH_MOUNT is no mount')
}

/** A lease of 0 seconds never ends; it is renewed once a day all the same. */
function tokenIn({ status, body }: Answered, blame: Blame): FreshToken {
  if (status >= 500) {
    throw blame('down', `Vault answers a login with an error (${status})`)
  }
  if (status !== 200) {
    throw blame('denied', `Vault refuses the login (${status}); see to role and secret`)
  }
  const auth = memberOf(body, 'auth')
  const value = memberOf(auth, 'client_token')
  const lease = memberOf(auth, 'lease_duration')
  if (typeof value === 'string' && headerValue.test(value) && typeof lease === 'number') {
    const seconds = lease > 0 ? Math.min(lease, 86_400) : 86_400
    return { value, livesMs: seconds * 1_000 }
  }
  throw blame('answer', 'the answer to a login holds no token')
}
