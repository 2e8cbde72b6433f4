/** Where a request comes from: PCI DSS v4.0.1 req. 10.2.2, "origination of event". */
import { BlockList, isIP } from 'node:net'
import { Fault } from '../base/fault.ts'
import type { RequestHeaders } from './headers.ts'

export interface Source {
  /** The client's address as far as we can know it, IPv4 without the IPv6 mapping prefix. */
  readonly ip: string
  /** Its port; 0 where a proxy did not tell. */
  readonly port: number
  /** The trusted proxies it came through, the nearest last; only checked addresses, no words sent. */
  readonly forwarded?: string
}

/** The header that our proxies write. The other one is ignored: a client could have set it itself. */
export type ForwardedBy = 'x-forwarded-for' | 'forwarded'

/** Hops looked at; a longer list than any real chain is somebody's game. */
const hopsMax = 16

/**
 * Returns a function that says where a request comes from. Addresses are read from right to left:
 * each entry was written by the hop to its right, so it is believed only while that hop is trusted.
 * @param trusted addresses and CIDR ranges of our own proxies; empty: the socket's peer alone counts.
 * @throws {Fault} `config_bad` when a range cannot be read.
 */
export function sourceFinder(
  trusted: readonly string[],
  by: ForwardedBy = 'x-forwarded-for',
): (peer: Source, headers: Pick<RequestHeaders, 'all'>) => Source {
  if (trusted.length === 0) return (peer) => peer
  const list = blockList(trusted)
  const isOurs = (ip: string): boolean => list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4')
  const read = by === 'forwarded' ? forwardedHops : plainHops
  return (peer, headers) => {
    if (!isOurs(peer.ip)) return peer
    const values = headers.all(by)
    if (values.length === 0) return peer
    return walk(peer, read(values), isOurs)
  }
}

/** A peer's address without the mapping prefix of dual-stack sockets. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return '0.0.0.0' // The socket is gone already; no request comes of it.
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address
}

function walk(peer: Source, hops: readonly Source[], isOurs: (ip: string) => boolean): Source {
  let client = peer
  const proxies: string[] = []
  for (const hop of hops) {
    // What cannot be read ends the way: then the last hop we can name is the source.
    if (isIP(hop.ip) === 0) break
    proxies.unshift(client.ip)
    client = hop
    if (!isOurs(hop.ip)) break
  }
  return proxies.length === 0 ? peer : { ...client, forwarded: proxies.join(', ') }
}

/** Right to left, so that the hop nearest to us comes first. */
function plainHops(values: readonly string[]): Source[] {
  return values.join(',').split(',').slice(-hopsMax).reverse().map(address)
}

function forwardedHops(values: readonly string[]): Source[] {
  // RFC 7239 §4: elements by comma, pairs by semicolon. A comma in quotes would only make rubbish
  // of an element, and rubbish ends the way.
  const elements = values.join(',').split(',').slice(-hopsMax).reverse()
  return elements.map((element) => {
    const found = /(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^\s;"]+))\s*(?:;|$)/i.exec(element)
    return address(found?.[1] ?? found?.[2] ?? '')
  })
}

/** `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]:567`. */
function address(text: string): Source {
  const word = text.trim()
  const parts = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(word) ?? /^([\d.]+):(\d{1,5})$/.exec(word)
  return { ip: plainIp(parts?.[1] ?? word), port: Number(parts?.[2] ?? 0) }
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [ip = '', bits, ...rest] = range.split('/')
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4'
    const widest = family === 'ipv6' ? 128 : 32
    const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity
    if (isIP(ip) === 0 || prefix > widest || rest.length > 0) {
      const message = `trusted_proxies: "${range}" is neither an address nor a CIDR range like 10.0.0.0/8.`
      throw new Fault('config_bad', message)
    }
    list.addSubnet(ip, prefix, family)
  }
  return list
}
