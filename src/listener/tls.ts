import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { Fault } from '../base/fault.ts'
import { codeOf } from './bad.ts'

/** The listener's certificate (with its chain, PEM) and where its key is. */
export interface ListenerTls {
  readonly certFile: string
  /** PEM; read once, when the listener starts. */
  readonly key: { reveal(): string }
}

/**
 * Reads certificate and key and tries them together.
 * @throws {Fault} `config_bad` naming the file and what is wrong with it.
 */
export function readTls(tls: ListenerTls): { readonly cert: string; readonly key: string } {
  let cert: string
  try {
    cert = readFileSync(tls.certFile, 'utf8')
  } catch (cause) {
    const why = codeOf(cause)
    throw bad(`The certificate file ${tls.certFile} cannot be read (${why}).`, cause)
  }
  if (!cert.includes('-----BEGIN CERTIFICATE-----')) {
    throw bad(`The certificate file ${tls.certFile} holds no PEM certificate.`)
  }
  const pair = { cert, key: tls.key.reveal() }
  try {
    createSecureContext(pair)
  } catch (cause) {
    const what = `The certificate of ${tls.certFile} and its key do not work together`
    throw bad(`${what} (${codeOf(cause)}): both must be PEM and belong to each other.`, cause)
  }
  return pair
}

function bad(message: string, cause?: unknown): Fault {
  return new Fault('config_bad', `${message} The listener is not started.`, { cause })
}
