/** From the configured connections to live upstreams, with their secrets. */
import type { ConnectionConfig } from '../config/types.ts'
import type { Connection } from '../exchange/stations.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { detectionOf } from '../mask/detection.ts'
import { connect } from '../upstream/upstream.ts'
import type { Credential, Reveals } from '../upstream/credential.ts'
import type { UpstreamTls } from '../upstream/tls.ts'

/** @throws {Fault} `secret_missing`, `config_bad`. */
export function openConnections(
  configs: readonly ConnectionConfig[],
  publicUrl: string,
  secrets: Secrets,
): Map<string, Connection> {
  return new Map(
    configs.map((config, index) => [config.name, open(config, index, publicUrl, secrets)]),
  )
}

function open(
  config: ConnectionConfig,
  index: number,
  publicUrl: string,
  secrets: Secrets,
): Connection {
  const { name, url, timeouts, headers, answerBytesMax } = config
  const where = `connections[${index}]`
  const upstream = connect({
    name,
    url,
    credential: credentialOf(config, where, secrets),
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
    profile: config.profile,
    answerBytesMax,
  }
  return connection
}

/** @param where the connection's place in the configuration, for messages. */
export function credentialOf(
  config: ConnectionConfig,
  where: string,
  secrets: Secrets,
): Credential {
  const { credential } = config
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
      const hidden: Reveals = {
        reveal: () => {
          const value = password.reveal()
          secrets.hide(Buffer.from(`${credential.username}:${value}`).toString('base64'))
          return value
        },
      }
      return { type: 'basic', username: credential.username, password: hidden }
    }
  }
}

function live(
  secrets: Secrets,
  ref: Parameters<Secrets['open']>[0],
  form: 'header' | 'pem',
  where: string,
): Reveals {
  const secret = secrets.open(ref, form, where)
  return { reveal: () => secret.read().reveal() }
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
