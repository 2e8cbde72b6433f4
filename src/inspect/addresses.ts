/** Hosts that a server should not be sent to: this machine, private networks, metadata of clouds. */
import { BlockList, isIP } from 'node:net'

/** IANA special-purpose registries (RFC 6890 and later); metadata addresses as clouds document them. */
const ranges: readonly (readonly [what: string, list: readonly string[]])[] = [
  [
    'metadata_address',
    [
      '169.254.169.254/32',
      '169.254.170.2/32',
      '169.254.170.23/32',
      '100.100.100.200/32',
      '192.0.0.192/32',
      '168.63.129.16/32',
      'fd00:ec2::254/128',
      'fd20:ce::254/128',
      'fe80::a9fe:a9fe/128',
    ],
  ],
  ['loopback_address', ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128']],
  [
    'private_address',
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
  ],
  [
    'link_local_address',
    [
      '169.254.0.0/16',
      'fe80::/10',
      '224.0.0.0/4',
      'ff00::/8',
      '255.255.255.255/32',
      '198.18.0.0/15',
    ],
  ],
]
const lists = ranges.map(([what, list]) => {
  const block = new BlockList()
  for (const range of list) {
    const [address = '', bits] = range.split('/')
    block.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
  return [what, block] as const
})

/** Names of metadata services and of this machine. */
const names: ReadonlyMap<string, string> = new Map([
  ['metadata.google.internal', 'metadata_address'],
  ['metadata.goog', 'metadata_address'],
  ['metadata', 'metadata_address'],
  ['instance-data', 'metadata_address'],
  ['instance-data.ec2.internal', 'metadata_address'],
  ['metadata.azure.com', 'metadata_address'],
  ['metadata.azure.internal', 'metadata_address'],
  ['metadata.packet.net', 'metadata_address'],
  ['metadata.platformequinix.com', 'metadata_address'],
  ['metadata.tencentyun.com', 'metadata_address'],
  ['rancher-metadata', 'metadata_address'],
  ['localhost', 'loopback_address'],
  ['localhost.localdomain', 'loopback_address'],
  ['localhost6', 'loopback_address'],
  ['ip6-localhost', 'loopback_address'],
  ['ip6-loopback', 'loopback_address'],
  ['loopback', 'loopback_address'],
  ['broadcasthost', 'loopback_address'],
  ['host.docker.internal', 'private_name'],
  ['gateway.docker.internal', 'private_name'],
  ['kubernetes.default', 'private_name'],
  ['kubernetes', 'private_name'],
])
/** Public names which answer with whatever address they are asked for, or with this machine's. */
const rebinding =
  /(?:^|\.)(?:nip\.io|sslip\.io|xip\.io|xip\.name|localtest\.me|lvh\.me|lacolhost\.com|vcap\.me|yoogle\.com|127-0-0-1\.org\.uk|localh\.st|rbndr\.us|1u\.ms|rebind\.it|rebind\.network|ip6\.name|backname\.io|traefik\.me)$/
const caught =
  /(?:^|\.)(?:burpcollaborator\.net|oastify\.com|oast\.(?:pro|live|site|online|fun|me)|interact\.sh|interactsh\.com|canarytokens\.com|dnslog\.cn|ceye\.io|requestbin\.(?:net|com)|pipedream\.net|webhook\.site|bxss\.me|xss\.ht|ngrok\.io|ngrok-free\.app|serveo\.net|requestrepo\.com|beeceptor\.com|hookbin\.com|postb\.in)$/
const inner =
  /\.(?:internal|local|localdomain|localhost|intranet|lan|corp|home|private|svc|consul|cluster\.local|home\.arpa|in-addr\.arpa|ec2\.internal|compute\.internal)$/

/**
 * What sort of host it is: the machine's word, or undefined for a public one.
 * @param host as `URL` gives it: lower case, IPv4 in four parts, IPv6 in brackets.
 */
export function hostKind(host: string): string | undefined {
  const name = host
    .replace(/^\[|\]$/g, '')
    .replace(/\.{1,4}$/, '')
    .replace(/%.*$/, '')
    .toLowerCase()
  const version = isIP(name)
  if (version === 4) return within(name, 'ipv4')
  if (version === 6) return sixKind(name)
  const known = names.get(name)
  if (known !== undefined) return known
  if (rebinding.test(name)) return 'rebinding_name'
  if (caught.test(name)) return 'callback_name'
  if (inner.test(name)) return name.endsWith('.localhost') ? 'loopback_address' : 'private_name'
  return undefined
}

/** A name without a point: only a machine of one's own network answers to it. */
export function isSingle(host: string): boolean {
  return /^[a-z][a-z\d-]{0,62}$/.test(host)
}

function within(address: string, version: 'ipv4' | 'ipv6'): string | undefined {
  return lists.find(([, block]) => block.check(address, version))?.[0]
}

/** IPv4 in the clothes of IPv6 is that IPv4 address: mapped, compatible, NAT64, 6to4. */
function sixKind(name: string): string | undefined {
  const groups = groupsOf(name)
  const four = (at: number): string => {
    const [high = 0, low = 0] = groups.slice(at, at + 2)
    return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  }
  const isZero = (from: number, to: number): boolean =>
    groups.slice(from, to).every((group) => group === 0)
  if (
    isZero(0, 5) &&
    (groups[5] === 0xffff || groups[5] === 0) &&
    !(groups[6] === 0 && (groups[7] ?? 0) < 2)
  ) {
    return within(four(6), 'ipv4')
  }
  if (isZero(0, 4) && groups[4] === 0xffff && groups[5] === 0) return within(four(6), 'ipv4')
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return within(four(6), 'ipv4')
  if (groups[0] === 0x2002) return within(four(1), 'ipv4')
  return within(name, 'ipv6')
}

/** The eight groups of an address that `isIP` took. */
function groupsOf(name: string): number[] {
  const dotted = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(name)
  const text = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : name
  const [head = '', tail] = text.split('::')
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => parseInt(group, 16))
  if (tail === undefined) return read(head)
  const [before, behind] = [read(head), read(tail)]
  return [
    ...before,
    ...Array<number>(Math.max(0, 8 - before.length - behind.length)).fill(0),
    ...behind,
  ]
}
