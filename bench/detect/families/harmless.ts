/** Digits which are no ids: hashes, measures, lists, logs, code and binary data. */
import type { Family } from '../corpus.ts'
import type { Draw } from '../draw.ts'
import { message, toolResult } from '../envelopes.ts'
import { Token } from '../print.ts'
import {
  amount,
  aside,
  city,
  email,
  firstName,
  isoTime,
  orderId,
  personName,
  product,
  sqlTime,
  uuid,
} from '../words.ts'
import { fair } from './kinds.ts'
import { family, lines, many, value } from './negatives.ts'

const hash = (draw: Draw, length: number): string => draw.hex(length)
const coordinate = (draw: Draw): string =>
  `${draw.int(-89, 89)}.${draw.digits(draw.pick([4, 6, 7, 13, 14, 15]))}`
export const float = (draw: Draw): string =>
  draw.pick([
    `${draw.int(0, 9)}.${draw.digits(draw.int(12, 17))}`,
    `0.${draw.digits(draw.int(14, 17))}`,
    `${draw.int(10, 999)}.${draw.digits(14)}`,
    `${draw.int(1, 9)}.${draw.digits(15)}e-${draw.int(5, 30)}`,
    `-${draw.int(0, 9)}.${draw.digits(16)}`,
    '3.1415926535897931',
    '2.718281828459045',
  ])

const someFairDigits = (draw: Draw, length: number): string =>
  fair(draw, (each) => each.digits(length))

export const harmlessFamilies: readonly Family[] = [
  lines('UUIDs', (draw) => many(draw.int(1, 5), () => uuid(draw)).join('\n')),
  value('UUIDs without dashes and ULIDs', (draw) => ({
    id: hash(draw, 32),
    ulid: `01${draw.letters(24, '0123456789ABCDEFGHJKMNPQRSTVWXYZ')}`,
    object_id: hash(draw, 24),
  })),
  lines('hashes', (draw) =>
    many(3, () => `${hash(draw, draw.pick([32, 40, 64, 128]))}  ${draw.letters(6)}.tar.gz`).join(
      '\n',
    ),
  ),
  lines('hashes that begin or end with many digits', (draw) =>
    many(
      3,
      () => `sha256:${draw.digits(draw.int(12, 19))}${draw.pick(['a', 'e', 'f'])}${hash(draw, 40)}`,
    ).join('\n'),
  ),
  lines('Git log', (draw) =>
    many(
      4,
      () =>
        `${hash(draw, draw.pick([7, 8, 40]))} ${isoTime(draw).slice(0, 10)} ${firstName(draw)}: ${aside(draw)}`,
    ).join('\n'),
  ),
  value('floats', (draw) => ({ mean: new Token(float(draw)), sd: new Token(float(draw)), n: 128 })),
  lines('floats in text', (draw) => `loss=${float(draw)} acc=${float(draw)} lr=${float(draw)}`),
  value('coordinates', (draw) => ({
    type: 'Point',
    coordinates: [new Token(coordinate(draw)), new Token(coordinate(draw))],
    place: city(draw),
  })),
  lines(
    'coordinates in text',
    (draw) => `POINT(${coordinate(draw)} ${coordinate(draw)}) near ${city(draw)}`,
  ),
  value('lists of small numbers', (draw) => ({
    values: many(draw.int(8, 40), () => draw.int(0, 255)),
  })),
  value('matrices of four digits', (draw) => ({
    rows: many(4, () => many(4, () => draw.int(1000, 9999))),
  })),
  lines('columns of four digits', (draw) =>
    many(4, () =>
      many(4, () => draw.int(1000, 9999)).join(draw.pick(['\t', ',', ' | ', ';'])),
    ).join('\n'),
  ),
  lines('years and ranges of years', (draw) => {
    const years = many(draw.int(4, 8), (i) => 1988 + i * 4).join(' ')
    return draw.pick([years, `${years.replaceAll(' ', '-')}`, `1987-1999, 2004-2019: ${years}`])
  }),
  value('big integers', (draw) => ({
    n: new Token(someFairDigits(draw, draw.int(20, 60))),
    max: new Token('9007199254740993'),
    wei: `${draw.digits(draw.int(20, 30))}`,
    factorial: '2432902008176640000',
  })),
  lines('version strings', (draw) =>
    many(
      3,
      () =>
        `${draw.letters(6)}@${draw.int(0, 40)}.${draw.int(0, 99)}.${draw.int(0, 9999)}-${draw.pick(['rc', 'beta'])}.${draw.int(1, 20)}+build.${isoTime(draw).replaceAll(/\D/g, '').slice(0, 12)}`,
    ).join('\n'),
  ),
  lines('addresses of machines', (draw) =>
    many(
      3,
      () =>
        `${draw.int(1, 223)}.${draw.int(0, 255)}.${draw.int(0, 255)}.${draw.int(1, 254)}:${draw.int(1024, 65_535)} ${many(6, () => draw.hex(2)).join(':')} 2001:db8:${draw.hex(4)}:${draw.hex(4)}::${draw.hex(2)}`,
    ).join('\n'),
  ),
  lines('prices and amounts', (draw) =>
    many(
      4,
      () =>
        `${product(draw)}\t${amount(draw)} EUR\t${draw.int(1, 99)} pcs\t${draw.int(1, 9)},${draw.digits(3)},${draw.digits(3)}.00`,
    ).join('\n'),
  ),
  lines('dates and times', (draw) =>
    many(
      4,
      () =>
        `${isoTime(draw)} / ${sqlTime(draw)} / ${isoTime(draw).slice(0, 10).replaceAll('-', '.')}`,
    ).join('\n'),
  ),
  lines('HTTP and server logs', (draw) =>
    many(
      3,
      () =>
        `10.${draw.int(0, 255)}.${draw.int(0, 255)}.${draw.int(1, 254)} - - [09/Mar/2026:${draw.int(10, 23)}:${draw.int(10, 59)}:${draw.int(10, 59)} +0000] "GET /orders/${draw.digits(draw.int(5, 9))}?page=${draw.int(1, 90)} HTTP/1.1" ${draw.pick([200, 304, 404])} ${draw.int(100, 99_999)} "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.6478.${draw.int(10, 200)}"`,
    ).join('\n'),
  ),
  lines('application logs', (draw) =>
    many(
      3,
      () =>
        `${isoTime(draw)} [pid ${draw.int(300, 65_000)}] [thread 0x${draw.hex(12)}] INFO took ${draw.int(1, 9999)}ms rows=${draw.int(0, 5000)} heap=${draw.digits(9)} seq=${draw.digits(8)}`,
    ).join('\n'),
  ),
  lines(
    'traces',
    (draw) =>
      `traceparent: 00-${draw.hex(32)}-${draw.hex(16)}-01\nx-request-id: ${uuid(draw)}\nx-b3-spanid: ${draw.hex(16)}\nx-amzn-trace-id: Root=1-${draw.hex(8)}-${draw.hex(24)}`,
  ),
  lines(
    'minified script',
    (draw) =>
      `!function(e,t){var n=${draw.int(100, 99_999)},r=[${many(12, () => draw.int(0, 65_535)).join(',')}];for(var i=0;i<256;i++)r[i]^=n>>>${draw.int(1, 31)}|0x${draw.hex(8)};e.c="#${draw.hex(6)}";t(${draw.digits(9)},${float(draw)})}`,
  ),
  lines(
    'drawing paths',
    (draw) =>
      `<path d="M${many(14, () => `${draw.int(0, 999)}.${draw.int(100, 999)} ${draw.int(0, 999)}.${draw.int(100, 999)}`).join('L')}z" fill="#${draw.hex(6)}"/>`,
  ),
  family('base64 of images', (scene) => {
    const { draw } = scene
    const png = Buffer.from([
      0x89,
      0x50,
      0x4e,
      0x47,
      13,
      10,
      26,
      10,
      ...many(240, () => draw.int(0, 255)),
    ])
    return message(scene, {
      result: { content: [{ type: 'image', data: png.toString('base64'), mimeType: 'image/png' }] },
    })
  }),
  family('base64 in texts and signatures', (scene) => {
    const { draw } = scene
    const bytes = Buffer.from(many(draw.int(60, 200), () => draw.int(0, 255)))
    const token = `eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.${Buffer.from(`{"sub":"${uuid(draw)}","iat":${String(draw.int(1_700_000_000, 1_790_000_000))}}`).toString('base64url')}.${bytes.toString('base64url')}`
    return message(
      scene,
      toolResult(`Authorization: Bearer ${token}\nsig=${bytes.toString('base64')}`),
    )
  }),
  family('base64 blob of a text without cards', (scene) => {
    const { draw } = scene
    const text = `${aside(draw)}\n${personName(draw)},${email(draw)},${amount(draw)},${orderId(draw)}\n${sqlTime(draw)}`
    const resource = {
      uri: 'file:///notes.txt',
      mimeType: 'text/plain',
      blob: Buffer.from(text).toString('base64'),
    }
    return message(scene, { result: { contents: [resource] } })
  }),
  lines(
    'keys and addresses of chains',
    (draw) =>
      `0x${draw.hex(40)}\nbc1q${draw.letters(38, '023456789acdefghjklmnpqrstuvwxyz')}\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${draw.letters(43, 'ABCDEFabcdef0123456789+/')}\nAKIA${draw.letters(16, 'ABCDEFGHIJKLMNOP234567')}`,
  ),
  lines(
    'science and sport',
    (draw) =>
      `c = 299792458 m/s, N = 6.02214076e23, e = 1.602176634e-19\nscores ${many(8, () => `${draw.int(0, 9)}:${draw.int(0, 9)}`).join(' ')}\nGTTACA${draw.digits(5)} ${many(6, () => draw.int(10, 99)).join('-')}`,
  ),
  lines(
    'plates, codes and schedules',
    (draw) =>
      `LH${draw.int(100, 9999)} ${draw.int(10, 23)}:${draw.int(10, 59)}-${draw.int(10, 23)}:${draw.int(10, 59)}; B-${draw.letters(2, 'ABCDEFG')} ${draw.int(1000, 9999)}; ${draw.digits(4)}-${draw.digits(4)}; ZIP ${draw.digits(5)}-${draw.digits(4)}; HS ${draw.digits(4)}.${draw.digits(2)}.${draw.digits(2)}`,
  ),
  lines('grids of single digits', (draw) =>
    many(9, () => many(9, () => draw.int(1, 9)).join(draw.pick([' ', ',', ' | ']))).join('\n'),
  ),
  lines('bits', (draw) => many(4, () => many(8, () => draw.letters(4, '01')).join(' ')).join('\n')),
  lines('hex dumps', (draw) =>
    many(
      5,
      (i) =>
        `${(i * 16).toString(16).padStart(8, '0')}: ${many(8, () => draw.hex(4)).join(' ')}  ${draw.letters(16)}`,
    ).join('\n'),
  ),
  lines('positions from receivers', (draw) =>
    many(
      3,
      () =>
        `$GPGGA,${draw.digits(6)}.00,${draw.digits(4)}.${draw.digits(4)},N,0${draw.digits(4)}.${draw.digits(4)},E,1,08,0.9,${draw.int(1, 900)}.4,M,46.9,M,,*${draw.hex(2).toUpperCase()}`,
    ).join('\n'),
  ),
  lines('lock files and certificates', (draw) => {
    const base64 = 'ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789+/'
    return `"integrity": "sha512-${draw.letters(86, base64)}=="\n-----BEGIN CERTIFICATE-----\n${many(4, () => draw.letters(64, base64)).join('\n')}\n-----END CERTIFICATE-----\nserial: ${many(16, () => draw.hex(2)).join(':')}`
  }),
  lines('measurements as CSV', (draw) => {
    const rows = many(
      6,
      () =>
        `${isoTime(draw)},${draw.int(1000, 9999)},${draw.int(1000, 9999)},${draw.int(1000, 9999)},${draw.int(1000, 9999)},${float(draw)}`,
    )
    return ['time,rpm,torque,pressure,flow,ratio', ...rows].join('\n')
  }),
  lines('calendars', (draw) => {
    const day = isoTime(draw).slice(0, 10).replaceAll('-', '')
    return `BEGIN:VEVENT\nUID:${draw.digits(8)}T${draw.digits(6)}Z-${draw.digits(6)}@example.org\nDTSTART:${day}T090000Z\nDTEND:${day}T101500Z\nSEQUENCE:${draw.int(0, 9)}\nEND:VEVENT`
  }),
]
