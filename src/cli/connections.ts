/** From the configured connections to live upstreams, with their secrets. */
import { hash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { ConnectionConfig, CredentialConfig, SecretRef } from '../config/types.ts'
import type { Connection } from '../exchange/stations.ts'
import { inspectSettings } from '../inspect/inspector.ts'
import { detectionOf } from '../mask/detection.ts'
import { secretRefsIn } from '../secrets/references.ts'
import type { SecretForm, Secrets } from '../secrets/secrets.ts'
import { awsSource } from '../upstream/credential-aws.ts'
import { managedIdentitySource } from '../upstream/credential-azure.ts'
import { oauthSource } from '../upstream/credential-oauth.ts'
import { credentialHeader } from '../upstream/credential.ts'
import type { Credential, CredentialSource, Reveals } from '../upstream/credential.ts'
import type { UpstreamTls } from '../upstream/tls.ts'
import { connect } from '../upstream/upstream.ts'

/** What credentials take that are got at a service. */
export interface CredentialMeans {
  /** Says on which platform a managed identity is. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Told when a token could not be renewed while the old one is still good. */
  readonly onTrouble?: (fault: Fault) => void
}

/**
 * What services keep must be there: `secrets.ready` comes before.
 * @throws {Fault} `secret_missing`, `config_bad`.
 */
export function openConnections(
  configs: readonly ConnectionConfig[],
  publicUrl: string,
  secrets: Secrets,
  means: CredentialMeans,
): Map<string, Connection> {
  return new Map(
    configs.map((config, index) => {
      const where = `connections[${index}]`
      return [config.name, open(config, where, publicUrl, { secrets, means })]
    }),
  )
}

function open(
  config: ConnectionConfig,
  where: string,
  publicUrl: string,
  { means, secrets }: { secrets: Secrets; means: CredentialMeans },
): Connection {
  const { name, url, timeouts, headers, answerBytesMax } = config
  const upstream = connect({
    name,
    url,
    credential: sourceOf(config, where, secrets, means),
    tls: tlsOf(config, where, secrets),
    timeouts,
    headers,
    answerBytesMax,
  })
  // Made once: maskers know it by identity.
  const detect = detectionOf({ ...config.mask, columns: config.cardholderData.columns })
  const connection = {
    name,
    resource: `${publicUrl}/mcp/${name}`,
    upstream,
    host: new URL(url).host,
    detect,
    profile: config.profile.name,
    answerBytesMax,
    inspect: inspectSettings(config),
    revision: revisionOf(config),
  }
  return connection
}

/** What an approval rests on besides the call: where it goes, and as whom; references, no secrets. */
function revisionOf({ credential, tls, url }: ConnectionConfig): string {
  return hash('sha256', JSON.stringify([url, credential, tls]), 'hex')
}

/**
 * Whatever a connection shows its server: a value of ours, or where one comes from.
 * @param where the connection's place in the configuration, for messages.
 * @throws {Fault} `secret_missing`, `config_bad`. Nothing is sent yet.
 */
export function sourceOf(
  config: ConnectionConfig,
  where: string,
  secrets: Secrets,
  { clock, env, onTrouble }: CredentialMeans,
): Credential | CredentialSource {
  const { credential, name } = config
  const at = `${where}.credential`
  const hide = (value: string): void => secrets.hide(value)
  const means = { clock, env, hide, onTrouble }
  switch (credential.type) {
    case 'none':
    case 'bearer':
    case 'header':
    case 'basic':
      return credentialOf(config, where, secrets)
    case 'client-credentials':
    case 'token-exchange':
    case 'on-behalf-of': {
      const form = credential.clientAuth === 'key' ? 'pem' : 'header'
      const clientSecret = live(secrets, credential.clientSecret, form, `${at}.client_secret`)
      return oauthSource(name, { ...credential, clientSecret }, means)
    }
    case 'managed-identity':
      return managedIdentitySource(name, credential, means)
    case 'aws-sigv4': {
      const aws = awsOf(credential, at, secrets)
      return awsSource(name, new URL(config.url), aws, clock)
    }
  }
}

type AwsConfig = Extract<CredentialConfig, { type: 'aws-sigv4' }>

function awsOf(
  { accessKeyId, region, secretAccessKey, service, sessionToken }: AwsConfig,
  at: string,
  secrets: Secrets,
): Parameters<typeof awsSource>[2] {
  const word = (ref: SecretRef, key: string): Reveals =>
    live(secrets, ref, 'header', `${at}.${key}`)
  const all = {
    region,
    service,
    accessKeyId: word(accessKeyId, 'access_key_id'),
    secretAccessKey: word(secretAccessKey, 'secret_access_key'),
  }
  if (sessionToken === undefined) return all
  return { ...all, sessionToken: word(sessionToken, 'session_token') }
}

/**
 * A credential that is a value of ours.
 * @param where the connection's place in the configuration, for messages.
 * @throws {Fault} `secret_missing`; `config_bad` for a credential that is got at a service.
 */
function credentialOf(
  { credential, name }: ConnectionConfig,
  where: string,
  secrets: Secrets,
): Credential {
  const at = `${where}.credential`
  switch (credential.type) {
    case 'none':
      return { type: 'none' }
    case 'bearer':
      return { type: 'bearer', value: live(secrets, credential.value, 'header', `${at}.value`) }
    case 'header': {
      const value = live(secrets, credential.value, 'header', `${at}.value`)
      return { type: 'header', name: credential.name, value }
    }
    case 'basic': {
      const password = live(secrets, credential.password, 'header', `${at}.password`)
      // RFC 7617 §2: what goes out is the Base64 of the pair; that spelling is secret as well.
      const reveal = (): string => {
        const value = password.reveal()
        secrets.hide(Buffer.from(`${credential.username}:${value}`).toString('base64'))
        return value
      }
      return { type: 'basic', username: credential.username, password: { ...password, reveal } }
    }
    case 'client-credentials':
    case 'token-exchange':
    case 'on-behalf-of':
    case 'managed-identity':
    case 'aws-sigv4': {
      const message = `connection "${name}": a credential of type ${credential.type} is no value of ours.`
      throw new Fault('config_bad', message)
    }
  }
}

function live(secrets: Secrets, ref: SecretRef, form: SecretForm, where: string): Reveals {
  const secret = secrets.open(ref, form, where)
  const reveal = (): string => secret.read().reveal()
  return secret.doubt === undefined ? { reveal } : { reveal, doubt: () => secret.doubt?.() }
}

/** @param where as in `credentialOf`. */
export function tlsOf({ tls }: ConnectionConfig, where: string, secrets: Secrets): UpstreamTls {
  return {
    ...(tls.caFile === undefined ? {} : { caFile: tls.caFile }),
    ...(tls.certFile === undefined ? {} : { certFile: tls.certFile }),
    ...(tls.key === undefined ? {} : { key: live(secrets, tls.key, 'pem', `${where}.tls.key`) }),
    ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
  }
}

/**
 * Has a credential once, as a call would, and shows it to nobody.
 * @param where as in `credentialOf`.
 * @returns what came of it, in words for a person.
 * @throws {Fault} as having it for a call: `secret_missing`, `config_bad`, `upstream_down`.
 */
export async function tryCredential(
  config: ConnectionConfig,
  where: string,
  secrets: Secrets,
  means: CredentialMeans,
): Promise<string> {
  await secrets.ready(secretRefsIn(config.credential, `${where}.credential`))
  const source = sourceOf(config, where, secrets, means)
  const { type } = config.credential
  if (!('names' in source)) {
    credentialHeader(config.name, source)
    return type === 'none' ? 'sends no credential' : 'its secret is there and can be sent'
  }
  if (type === 'token-exchange' || type === 'on-behalf-of') {
    return 'its secret is there; a token is got for each caller, so none was tried'
  }
  await source.headers({ method: 'POST', body: Buffer.from('{}') }, [])
  return type === 'aws-sigv4' ? 'its keys are there and sign' : 'a token was got for it'
}
