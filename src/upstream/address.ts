/**
 * Addresses no connection may lead to: link-local ones and the metadata services of clouds, which
 * hand credentials of the machine to whoever asks from it. Looked at in the configuration and again
 * behind DNS, for each socket: a name may point elsewhere tomorrow.
 */
import { lookup } from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { Fault } from '../base/fault.ts'

const forbidden = new BlockList()
forbidden.addSubnet('169.254.0.0', 16, 'ipv4') // Link-local (RFC 3927): AWS, Azure, Google, ECS, …
forbidden.addAddress('168.63.129.16', 'ipv4') // Azure's wire server
forbidden.addAddress('100.100.100.200', 'ipv4') // Alibaba Cloud
forbidden.addAddress('192.0.0.192', 'ipv4') // Oracle Cloud
forbidden.addSubnet('fe80::', 10, 'ipv6') // Link-local (RFC 4291 §2.5.6)
forbidden.addSubnet('fd00:ec2::', 32, 'ipv6') // AWS: metadata, pod identity, clock
forbidden.addAddress('fd20:ce::254', 'ipv6') // Google Cloud
forbidden.addAddress('fd00:c1::a9fe:a9fe', 'ipv6') // Oracle Cloud

/** This machine, and addresses that end up there: `0.0.0.0` connects to it. */
const near = new BlockList()
near.addSubnet('127.0.0.0', 8, 'ipv4')
near.addSubnet('0.0.0.0', 8, 'ipv4')
near.addAddress('::1', 'ipv6')
near.addAddress('::', 'ipv6')

const names: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'instance-data.ec2.internal',
  'metadata.azure.internal',
])

/** @param hostname as `URL.hostname` has it: IPv4 in its usual form, IPv6 in brackets. */
export function forbiddenHost(hostname: string): boolean {
  const plain = plainOf(hostname)
  return names.has(plain) || (isIP(plain) !== 0 && isIn(forbidden, plain))
}

/** @throws {Fault} `config_bad` for a URL that leads to such an address by its very words. */
export function checkHost(connection: string, { hostname }: URL): void {
  if (!forbiddenHost(hostname)) return
  const what = 'url leads to a link-local address or a metadata service, which no connection may'
  throw new Fault('config_bad', `connection "${connection}": ${what}.`)
}

/** The code of the error by which a socket is refused. */
export const forbiddenCode = 'ERR_FORBIDDEN_ADDRESS'

type Found = (error: Error | null, found: string | LookupAddress[], family?: number) => void
export type Lookup = (hostname: string, options: LookupOptions, found: Found) => void

/**
 * Resolves names as `dns.lookup` does and refuses what must not be reached: as a whole, even where
 * one of several addresses is such a one. The loopback is let through only where the configuration
 * says `localhost` itself, so that a name's owner cannot turn our credential to this machine.
 * @param hostname of the configured URL.
 */
export function guardedLookup(hostname: string, resolve: typeof lookup = lookup): Lookup {
  const isNear = /(?:^|\.)localhost$/.test(plainOf(hostname))
  return (name, options, found) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return found(error, [])
      const isBad = ({ address }: LookupAddress): boolean =>
        isIn(forbidden, address) || (!isNear && isIn(near, address))
      const [first] = addresses
      if (first === undefined || addresses.some(isBad)) return found(refusal(), [])
      if (options.all === true) found(null, addresses)
      else found(null, first.address, first.family)
    })
  }
}

function refusal(): Error {
  return Object.assign(new Error('the address is not allowed'), { code: forbiddenCode })
}

function plainOf(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
}

const mapped = /^(?:::ffff:|64:ff9b::)(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/

/** Also IPv4 within IPv6: mapped (RFC 4291 §2.5.5.2) and translated (RFC 6052). */
function isIn(list: BlockList, address: string): boolean {
  const [plain = ''] = address.toLowerCase().split('%') // A zone names an interface of ours.
  const [, dotted, high, low] = mapped.exec(plain) ?? []
  if (dotted !== undefined) return list.check(dotted, 'ipv4')
  if (high !== undefined && low !== undefined) {
    const [a, b] = [parseInt(high, 16), parseInt(low, 16)]
    return list.check(`${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`, 'ipv4')
  }
  return list.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6')
}
