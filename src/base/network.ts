/** Whose an address is, for limits that are counted by address. */
import { isIPv6 } from 'node:net'

// The last two groups may be written as IPv4; for the first four it counts only that they are two.
const decimals = /\d+\.\d+\.\d+\.\d+$/
const mapped = /^(?:::ffff:|0:0:0:0:0:ffff:)(\d+\.\d+\.\d+\.\d+)$/i

/**
 * The network an address counts as: an IPv4 address is itself, also where it stands in IPv6
 * (RFC 4291 §2.5.5.2); an IPv6 address is its first 64 bits, since one subscriber has that many
 * addresses at least (RFC 6177), or 48, which is what a site gets. Whatever is no address is itself.
 */
export function networkOf(ip: string, bits: 48 | 64 = 64): string {
  if (!isIPv6(ip)) return ip
  const four = mapped.exec(ip)?.[1]
  if (four !== undefined) return four
  const [head = '', tail] = (ip.split('%')[0] ?? '').replace(decimals, '0:0').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, bits / 16)
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')
}
