/** Spellings of the file: durations, sizes, addresses, references to secrets. */
import { BlockList, isIP } from 'node:net'
import type { HostPort, SecretRef } from './types.ts'

/** `250ms`, `30s`, `15m`, `2h`, `400d`. */
export const durationForm: RegExp = /^(\d{1,9})(ms|s|m|h|d)$/
const durationMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** @param text of `durationForm`. @returns milliseconds; NaN when it has another form. */
export function parseDuration(text: string): number {
  const [, count = '', unit = ''] = durationForm.exec(text) ?? []
  return Number(count || Number.NaN) * (durationMs[unit] ?? Number.NaN)
}

/** `512`, `64KiB`, `16MiB`, `2GiB`: whole numbers, binary units. */
export const sizeForm: RegExp = /^(\d{1,12})(B|KiB|MiB|GiB)?$/
const sizeBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** @param text of `sizeForm`. @returns bytes; NaN when it has another form. */
export function parseSize(text: string): number {
  const [, count = '', unit = 'B'] = sizeForm.exec(text) ?? []
  return Number(count || Number.NaN) * (sizeBytes[unit] ?? Number.NaN)
}

/** `127.0.0.1:4100`, `gateway.internal:4100`, `[::1]:4100`. */
export const hostPortForm: RegExp = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/

/** @returns host (IPv6 without brackets) and port, or undefined when it has another form. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, host = '', port = ''] = hostPortForm.exec(text) ?? []
  if (host === '' || Number(port) > 65_535) return undefined
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  if (host.startsWith('[') && isIP(bare) !== 6) return undefined
  return { host: bare, port: Number(port) }
}

/** Whether the text is an IP address or a CIDR range such as `10.0.0.0/8`. */
export function isAddressRange(text: string): boolean {
  const [address = '', bits, rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest !== undefined) return false
  if (bits === undefined) return true
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

/** The references to secrets. */
export const secretForm: RegExp =
  /^\$\{(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^}\n]+|keyvault:[A-Za-z0-9-]{3,24}\/[A-Za-z0-9-]{1,127}(?:\/[0-9a-f]{32})?|vault:[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+){1,16}#[A-Za-z0-9._-]{1,128})\}$/

/**
 * @param text as in the file: `${env:NAME}`, `${file:path}`, `${keyvault:vault/name}`, also with a
 *   version behind it, or `${vault:mount/path#key}`.
 * @param absolute makes a path absolute.
 * @returns where the secret stands, or undefined when the text is no such reference.
 */
export function parseSecretRef(
  text: string,
  absolute: (path: string) => string,
): SecretRef | undefined {
  if (!secretForm.test(text)) return undefined
  const [from = '', inner = ''] = text.slice(2, -1).split(/:(.*)/s)
  if (from === 'env') return { from, name: inner }
  if (from === 'file') return { from, path: absolute(inner) }
  if (from === 'keyvault') {
    const [vault = '', name = '', version] = inner.split('/')
    return { from, vault, name, ...(version === undefined ? {} : { version }) }
  }
  const [path = '', key = ''] = inner.split('#')
  return { from: 'vault', path, key }
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether a host (without brackets) can only be this machine. */
export function isLoopbackHost(host: string): boolean {
  const version = isIP(host)
  if (version === 0) return host === 'localhost' || host.endsWith('.localhost')
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

/** Host of a parsed address, IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}

/** `host:port` as it stands in an address; IPv6 gets its brackets. */
export function showHostPort({ host, port }: HostPort): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}
