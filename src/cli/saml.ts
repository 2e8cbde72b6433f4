/**
 * `sallyport saml import`: a provider's metadata as a block of the configuration, its certificates
 * as files. Whoever can change that file on its way could sign in as anybody, so nothing is written
 * for a certificate whose fingerprint nobody has compared.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { stringify } from 'yaml'
import { errorCode } from '../base/disk.ts'
import { Fault } from '../base/fault.ts'
import { readIdpMetadata } from '../signin/saml-metadata.ts'
import type { FoundCertificate, IdpMetadata } from '../signin/saml-metadata.ts'

export interface SamlImportOptions {
  /** Name of the sign-in; `corp` where it is missing. */
  readonly name?: string | undefined
  /** Folder for the certificates; the working folder where it is missing. */
  readonly out?: string | undefined
  /** SHA-256 fingerprints that a person has compared, with or without colons. */
  readonly fingerprint?: readonly string[] | undefined
}

const fileBytesMax = 8 * 1024 * 1024

/**
 * Prints the block on `out` and writes `NAME-FINGERPRINT.pem` for each certificate compared;
 * without a fingerprint it writes nothing and tells what to compare.
 * @returns 0 when something was written, 1 when nothing was, 2 for wrong usage.
 * @throws {Fault} `config_bad` for a file that is no such metadata, or cannot be read or written.
 */
export function samlImportCommand(
  file: string,
  { fingerprint = [], name = 'corp', out: folder = '.' }: SamlImportOptions,
  out: Writable,
  errors: Writable,
): number {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    errors.write('--name begins with a letter and holds only a-z, 0-9 and "-".\n')
    return 2
  }
  const metadata = readIdpMetadata(readText(file))
  const compared = fingerprint.map(plain)
  const known = metadata.certificates.map((one) => plain(one.fingerprint))
  if (!compared.every((one) => known.includes(one))) {
    errors.write('A fingerprint given is of no certificate in this file. Nothing was written.\n')
    return 1
  }
  const believed = metadata.certificates.filter((one) => compared.includes(plain(one.fingerprint)))
  if (believed.length === 0) {
    errors.write(whatToCompare(metadata))
    return 1
  }
  const files = believed.map((one) => writeCertificate(one, name, folder))
  out.write(block(metadata, name, files))
  errors.write(`Written: ${files.join(', ')}. Put the block into your configuration.\n`)
  return 0
}

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toUpperCase()
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

function readText(file: string): string {
  try {
    if (statSync(file).size <= fileBytesMax) return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('config_bad', `The file ${resolve(file)} cannot be read.`, { cause })
  }
  throw new Fault('config_bad', `The file ${resolve(file)} is too large for metadata.`)
}

/** Names in metadata are somebody else's: JSON takes the control characters out of them. */
function whatToCompare({ certificates, entityId, entryPoint }: IdpMetadata): string {
  const lines = certificates.map(
    (one) => `  ${one.fingerprint}\n    from ${day(one.fromMs)} to ${day(one.endsMs)}`,
  )
  return [
    `Provider ${JSON.stringify(entityId)}, sign-in at ${JSON.stringify(entryPoint)}.`,
    'SHA-256 fingerprints of its certificates:',
    ...lines,
    'Nothing was written. Compare them with what the provider’s administrator sees there, by a way',
    'other than the one this file came; then run this again with --fingerprint for each that is right.',
    '',
  ].join('\n')
}

/** The same file twice is fine; another one of that name is not overwritten. */
function writeCertificate(one: FoundCertificate, name: string, folder: string): string {
  const file = join(folder, `${name}-${plain(one.fingerprint).slice(0, 8).toLowerCase()}.pem`)
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, one.pem, { flag: 'wx', mode: 0o644 })
  } catch (cause) {
    const isThere = errorCode(cause) === 'EEXIST' && readFileSync(file, 'latin1') === one.pem
    if (!isThere) throw new Fault('config_bad', `The file ${file} cannot be written.`, { cause })
  }
  return file
}

function block(metadata: IdpMetadata, name: string, files: readonly string[]): string {
  const signIn = {
    type: 'saml',
    name,
    idp_issuer: metadata.entityId,
    entry_point: metadata.entryPoint,
    certificates: files.map((file) => `./${relative('.', file)}`),
  }
  const wants = '# The provider wants signed requests: add signing_key.\n'
  const hint = metadata.wantsSignedRequests ? wants : ''
  return hint + stringify({ identity: { sign_in: [signIn] } }, { lineWidth: 0 })
}
