import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { Fault } from '../base/fault.ts'
import type { Reveals } from './credential.ts'
import { codeOf } from './faults.ts'

/** TLS towards a server: files are PEM. */
export interface UpstreamTls {
  /** The only authorities believed; without it, those that node brings. */
  readonly caFile?: string
  readonly certFile?: string
  readonly key?: Reveals
  /** The name the server's certificate is checked for, where it is not the URL's host. */
  readonly serverName?: string
}

/** What node's TLS wants. */
export interface TlsParts {
  ca?: string
  cert?: string
  key?: string
  servername?: string
}

/**
 * Reads the files of a connection and tries them together.
 * @throws {Fault} `config_bad` naming the connection, the file and what is wrong.
 */
export function readUpstreamTls(connection: string, tls: UpstreamTls): TlsParts {
  const parts: TlsParts = {}
  if (tls.caFile !== undefined) parts.ca = readPem(connection, 'ca_file', tls.caFile)
  if (tls.certFile !== undefined) parts.cert = readPem(connection, 'cert_file', tls.certFile)
  if (tls.key !== undefined) parts.key = tls.key.reveal()
  if ((parts.cert === undefined) !== (parts.key === undefined)) {
    throw bad(connection, 'a client certificate needs both cert_file and key')
  }
  try {
    createSecureContext(parts)
  } catch (cause) {
    const what = `its certificate, key and authorities do not work together (${codeOf(cause)})`
    throw bad(connection, what, cause)
  }
  if (tls.serverName !== undefined) parts.servername = tls.serverName
  return parts
}

function readPem(connection: string, what: string, file: string): string {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (cause) {
    throw bad(connection, `${what} ${file} cannot be read (${codeOf(cause)})`, cause)
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  throw bad(connection, `${what} ${file} holds no PEM certificate`)
}

function bad(connection: string, problem: string, cause?: unknown): Fault {
  return new Fault('config_bad', `connection "${connection}", tls: ${problem}.`, { cause })
}
