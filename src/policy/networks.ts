/** Addresses for which a grant holds. */
import { BlockList, isIP } from 'node:net'
import { Fault } from '../base/fault.ts'

const mapped = new BlockList()
mapped.addSubnet('::ffff:0.0.0.0', 96, 'ipv6')

/** Addresses remembered for each grant. */
const knownMax = 1024

/**
 * Compiles addresses and CIDR ranges, IPv4 and IPv6 (RFC 4632, RFC 4291 §2.3). An IPv4 address in
 * IPv6's clothes (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2) is that IPv4 address, in a range as well; a
 * range of IPv6 never covers one of IPv4.
 * @returns whether an address is covered; what is no address never is.
 * @throws {Fault} `config_bad` for what is neither address nor range.
 */
export function compileNetworks(ranges: readonly string[]): (ip: string) => boolean {
  const four = new BlockList()
  const six = new BlockList()
  for (const range of ranges) {
    const [address = '', bits, ...rest] = range.split('/')
    const version = isIP(address)
    const widest = version === 4 ? 32 : 128
    const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity
    if (version === 0 || prefix > widest || rest.length > 0 || address.includes('%')) {
      throw new Fault('config_bad', 'A network is an address or a CIDR range, such as 10.0.0.0/8.')
    }
    if (version === 4) four.addSubnet(address, prefix, 'ipv4')
    else if (prefix >= 96 && mapped.check(address, 'ipv6')) four.addSubnet(address, prefix, 'ipv6')
    else six.addSubnet(address, prefix, 'ipv6')
  }
  const covers = (ip: string): boolean => {
    const [address = ''] = ip.split('%', 1) // The zone of a link-local address is this machine's word.
    const version = isIP(address)
    if (version === 0) return false
    if (version === 4) return four.check(address, 'ipv4')
    return mapped.check(address, 'ipv6') ? four.check(address, 'ipv6') : six.check(address, 'ipv6')
  }
  const known = new Map<string, boolean>() // Looking costs ten times as much as remembering.
  return (ip) => {
    const before = known.get(ip)
    if (before !== undefined) return before
    if (known.size >= knownMax) known.clear()
    const isIn = covers(ip)
    known.set(ip, isIn)
    return isIn
  }
}
