/**
 * The certificates by which a provider signs: those of the files named, and no other. They are read
 * again when a file changes, so that the next one can be put beside the present one while we run.
 */
import { X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { samlDown } from './saml-refusals.ts'

export interface SamlCertificates {
  /**
   * Those whose dates hold now, as PEM. The library looks at signatures only, never at dates.
   * @throws {Fault} `identity_down`, reason `certificates`, where there is none.
   */
  pems(): readonly string[]
  /** Their public keys. @throws as `pems`. */
  keys(): readonly KeyObject[]
}

/** What `sallyport check` says of one certificate. */
export interface CertificateWarning {
  /** It ends within so many days; 0: it has ended, or does not hold yet. */
  readonly withinDays: 60 | 30 | 7 | 0
  readonly text: string
}

const pollMs = 1_000
const fileBytesMax = 256 * 1024
const rsaBitsMin = 2048
const dayMs = 86_400_000
const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * @param files PEM; each may hold several certificates.
 * @throws {Fault} `config_bad` where a file cannot be read, holds none, or one that is not an RSA
 *   certificate of 2048 bits or more (signatures by other keys cannot be checked).
 */
export function openCertificates(files: readonly string[], clock: Clock): SamlCertificates {
  const followed = files.map((file) => follow(file, clock))
  const valid = (): readonly X509Certificate[] => {
    const nowMs = clock.nowUs() / 1000
    const all = followed.flatMap((read) => read())
    const found = all.filter((one) => +one.validFromDate <= nowMs && nowMs < +one.validToDate)
    if (found.length === 0) throw samlDown('certificates')
    return found
  }
  return {
    pems: () => valid().map((one) => one.toString()),
    keys: () => valid().map((one) => one.publicKey),
  }
}

/** A file's certificates at any time. One that cannot be read any more is not believed any more:
 *  taking a file away is how a key that was stolen is stopped. */
function follow(file: string, clock: Clock): () => readonly X509Certificate[] {
  let version = versionOf(file) // Before it is read: a change in between is seen next time.
  let certificates = readCertificates(file)
  let lookedMs = clock.monotonicMs()
  return () => {
    if (clock.monotonicMs() - lookedMs < pollMs) return certificates
    lookedMs = clock.monotonicMs()
    const now = versionOf(file)
    if (now === version) return certificates
    version = now
    try {
      certificates = readCertificates(file)
    } catch {
      certificates = [] // Fewer are believed, never more: going on is safe.
    }
    return certificates
  }
}

function versionOf(file: string): string {
  const { mtimeMs, ino, size } = statSync(file, { throwIfNoEntry: false }) ?? {}
  return `${mtimeMs} ${ino} ${size}`
}

function readCertificates(file: string): readonly X509Certificate[] {
  const bad = (what: string, cause?: unknown): Fault =>
    new Fault('config_bad', `The certificate file ${file} ${what}.`, { cause })
  let text: string
  try {
    if (statSync(file).size > fileBytesMax) throw bad('is too large for certificates')
    text = readFileSync(file, 'latin1')
  } catch (cause) {
    throw cause instanceof Fault ? cause : bad('cannot be read', cause)
  }
  const blocks = text.match(pemBlock) ?? []
  if (blocks.length === 0) throw bad('holds no certificate in PEM form')
  return blocks.map((pem) => {
    const certificate = parseCertificate(pem)
    if (certificate === undefined) throw bad('holds a certificate that cannot be read')
    if (!isStrong(certificate)) throw bad('holds a key that is not RSA of 2048 bits or more')
    return certificate
  })
}

/** @param encoded PEM or DER. @returns undefined for what is no certificate. */
export function parseCertificate(encoded: string | Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(encoded)
  } catch {
    return undefined
  }
}

function isStrong({ publicKey }: X509Certificate): boolean {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0
  return publicKey.asymmetricKeyType === 'rsa' && bits >= rsaBitsMin
}

/**
 * What to say about the certificates of files, 60, 30 and 7 days before one ends; nothing for those
 * that hold for longer.
 * @throws {Fault} `config_bad` as `openCertificates`.
 */
export function certificateWarnings(
  files: readonly string[],
  nowMs: number,
): readonly CertificateWarning[] {
  return files.flatMap((file) =>
    readCertificates(file).flatMap((one) => {
      const what = `The certificate ${one.fingerprint256.slice(0, 23)}… in ${file}`
      return warningOf(one, what, nowMs) ?? []
    }),
  )
}

function warningOf(
  one: X509Certificate,
  what: string,
  nowMs: number,
): CertificateWarning | undefined {
  if (nowMs < +one.validFromDate) {
    return { withinDays: 0, text: `${what} does not hold before ${dateOf(one.validFromDate)}.` }
  }
  const left = (+one.validToDate - nowMs) / dayMs
  const ends = dateOf(one.validToDate)
  if (left <= 0) return { withinDays: 0, text: `${what} ended on ${ends}; it is not believed.` }
  const withinDays = ([7, 30, 60] as const).find((days) => left <= days)
  if (withinDays === undefined) return undefined
  const next = 'Add the next one to its certificates before the provider signs with it.'
  return { withinDays, text: `${what} ends in ${Math.floor(left)} days, on ${ends}. ${next}` }
}

const dateOf = (date: Date): string => date.toISOString().slice(0, 10)
