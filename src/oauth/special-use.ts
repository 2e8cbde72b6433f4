/** Addresses that are not somebody else's on the internet: a fetch for a stranger never goes there. */
import { BlockList, isIP } from 'node:net'

// IANA special-purpose registries (RFC 6890), multicast, 6to4 with its relays.
const ranges4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
// Of IPv6 only 2000::/3 is given out at all; these parts of it are special.
const ranges6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

const special = listOf(ranges4, ranges6)
const given = listOf([], ['2000::/3'])

/** Whether an address must not be fetched from; true for what is no address. */
export function isSpecialUse(ip: string): boolean {
  if (isIP(ip) === 4) return special.check(ip, 'ipv4')
  if (isIP(ip) === 6) return !given.check(ip, 'ipv6') || special.check(ip, 'ipv6')
  return true
}

function listOf(four: readonly string[], six: readonly string[]): BlockList {
  const list = new BlockList()
  const add = (range: string, family: 'ipv4' | 'ipv6'): void => {
    const [network = '', bits] = range.split('/')
    list.addSubnet(network, Number(bits), family)
  }
  for (const range of four) add(range, 'ipv4')
  for (const range of six) add(range, 'ipv6')
  return list
}
