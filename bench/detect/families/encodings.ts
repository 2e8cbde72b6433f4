/** Disguises by encoding: escapes, entities, tags, percent signs, quoted-printable, base64. */
import type { Family } from '../corpus.ts'
import type { Draw } from '../draw.ts'
import { message, surrounded, textMessage, toolResult } from '../envelopes.ts'
import { escapeBeyond, print, python } from '../print.ts'
import type { Scene } from '../scene.ts'
import { aside, email, firstName, isoDate, orderId, personName } from '../words.ts'
import { fill } from './brands.ts'
import { printers } from './grid.ts'
import { anySentences, cardSentences, inScript } from './scripts.ts'

const family = (name: string, build: (scene: Scene) => string): Family => ({
  name,
  group: 'disguise',
  build,
})

const sentence = (scene: Scene, pan: string, templates = anySentences): string =>
  fill(scene, scene.draw.pick(templates), pan)

const unicode = (text: string): string =>
  text.replaceAll(/[0-9]/g, (digit) => `\\u${digit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Changes the first, and from there every `step`-th character. */
const eachNth = (text: string, step: number, change: (one: string) => string): string =>
  Array.from(text, (one, i) => (i % step === 0 ? change(one) : one)).join('')

/** Escapes digits in the printed message itself, as any JSON printer may. */
function escapedRaw(scene: Scene): string {
  const pan = scene.spaced(scene.pan())
  const every = scene.draw.pick([1, 1, 3])
  const text = sentence(scene, '@@')
  const escaped = eachNth(pan, every, unicode)
  return textMessage(scene, text).replaceAll('@@', () => escaped)
}

/** The same one level down: a JSON text in a string whose digits are escaped. */
function escapedInside(scene: Scene): string {
  const inner = print({ id: scene.draw.int(1, 99), card_number: '@@', by: personName(scene.draw) })
  return message(scene, toolResult(inner.replace('@@', () => unicode(scene.spaced(scene.pan())))))
}

const decimal = (text: string): string =>
  text.replaceAll(/./gu, (one) => `&#${one.codePointAt(0)};`)
const hexadecimal = (text: string): string =>
  text.replaceAll(/./gu, (one) => `&#x${one.codePointAt(0)?.toString(16).toUpperCase()};`)

const page = (scene: Scene, inside: string): string => {
  const { draw } = scene
  const text = draw.pick([
    `<p>Card: ${inside}</p>`,
    `<td class="pan">${inside}</td>`,
    `Hello ${firstName(draw)},<br>your card ${inside} was charged.`,
    `<li>${inside}</li><li>${aside(draw)}</li>`,
    inside,
  ])
  return textMessage(scene, surrounded(scene, text))
}

/** Tags around groups, or around each digit. */
function tagged(scene: Scene, size: number): string {
  const { draw } = scene
  const [open, close] = draw.pick([
    ['<b>', '</b>'],
    ['<span>', '</span>'],
    ['<span class="d">', '</span>'],
    ['<i>', '</i>'],
    ['<span id="d1" data-pos="12">', '</span>'],
  ] as const)
  const pan = scene.pan()
  const joint = size === 4 ? draw.pick(['', ' ', '&nbsp;']) : ''
  const pieces = pan.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
  return page(scene, pieces.map((piece) => open + piece + close).join(joint))
}

const percent = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')

const query = (scene: Scene, value: string): string => {
  const { draw } = scene
  return textMessage(
    scene,
    draw.pick([
      `https://shop.example.com/pay?card=${value}&ref=${orderId(draw)}`,
      `name=${firstName(draw)}&card_number=${value}&x=1`,
      `GET /charge?n=${draw.int(1, 9)}&pan=${value} HTTP/1.1`,
    ]),
  )
}

/** RFC 2045 §6.7; lines cut at `width` with a soft break. */
function quotedPrintable(text: string, width: number, isEveryDigit: boolean): string {
  const encoded = [...Buffer.from(text)].map((byte) => {
    const letter = String.fromCharCode(byte)
    const isPlain = byte === 10 || byte === 13 || (byte >= 32 && byte < 127 && letter !== '=')
    if (isPlain && !(isEveryDigit && /\d/.test(letter))) return letter
    return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
  })
  let line = 0
  let out = ''
  for (const piece of encoded) {
    if (piece === '\n') line = -1
    else if (line + piece.length > width) {
      out += '=\r\n'
      line = 0
    }
    out += piece
    line += piece.length
  }
  return out
}

function mail(scene: Scene, body: string): string {
  const { draw } = scene
  const head = `From: ${email(draw)}\r\nSubject: ${orderId(draw)}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`
  return textMessage(scene, head + body)
}

const textTypes = [
  'text/plain',
  'text/csv',
  'application/json',
  'text/markdown',
  'text/html',
  'text/plain; charset=utf-8',
]

/** Some text with a number in it, as a file may hold it. */
function file(scene: Scene): string {
  const { draw } = scene
  const pan = scene.spaced(scene.pan(), ['', ' ', '-'])
  return draw.pick([
    () => `${aside(draw)}\n${fill(scene, draw.pick(cardSentences), pan)}\n${aside(draw)}`,
    () => `id,name,card_number\n1,${personName(draw)},${pan}\n`,
    () => print({ id: draw.int(1, 99), card: { number: pan }, note: aside(draw) }),
    () => `${isoDate(draw)} paid ${pan}\n`,
  ])()
}

const blob = (
  draw: Draw,
  text: string,
  mimeType = draw.pick(textTypes),
): { blob: string; mimeType: string; uri: string } => ({
  uri: `file:///out/${draw.letters(6)}`,
  mimeType,
  blob: Buffer.from(text).toString('base64'),
})

export const encodingFamilies: readonly Family[] = [
  family('escape: \\u in the message', escapedRaw),
  family('escape: \\u in JSON in a string', escapedInside),
  family('escape: surrogate pairs of mathematical digits', (scene) => {
    const text = sentence(scene, inScript(scene.spaced(scene.pan()), 0x1d7f6))
    return message(scene, toolResult(print({ note: text }, python)))
  }),
  family('escape: \\u of separators', (scene) => {
    const pan = scene.spaced(scene.pan(), ['\u00a0', '\u2009', '\u2011', '\u200b'])
    return escapeBeyond(textMessage(scene, sentence(scene, pan)))
  }),
  family('escape: \\/ between groups', (scene) => {
    const text = sentence(scene, '@@', cardSentences)
    const joint = scene.draw.pick(['\\/', '\\/'])
    const pan = scene.spaced(scene.pan(), ['/']).replaceAll('/', joint)
    return textMessage(scene, text).replaceAll('@@', () => pan)
  }),
  family('entity: decimal', (scene) => page(scene, decimal(scene.spaced(scene.pan())))),
  family('entity: hexadecimal', (scene) => page(scene, hexadecimal(scene.spaced(scene.pan())))),
  family('entity: some digits only', (scene) => {
    const pan = scene.pan()
    const every = scene.draw.pick([2, 3, 5])
    return page(scene, eachNth(pan, every, decimal))
  }),
  family('entity: named spaces and marks between groups', (scene) => {
    const joints = [
      '&nbsp;',
      '&thinsp;',
      '&shy;',
      '&zwnj;',
      '&ensp;',
      '&ndash;',
      '&#160;',
      '&#xA0;',
    ]
    return page(scene, scene.spaced(scene.pan(), joints))
  }),
  family('tag: around each group', (scene) => tagged(scene, 4)),
  family('tag: around each digit', (scene) => tagged(scene, 1)),
  family('tag: <wbr> and comments between groups', (scene) =>
    page(scene, scene.spaced(scene.pan(), ['<wbr>', '<wbr/>', '<!-- -->'])),
  ),
  family('percent: spaces as %20 or +', (scene) =>
    query(scene, scene.spaced(scene.pan(), ['%20', '+', '%2D', '%C2%A0'])),
  ),
  family('percent: every digit', (scene) => query(scene, percent(scene.spaced(scene.pan())))),
  family('percent: twice', (scene) =>
    query(scene, percent(scene.spaced(scene.pan(), ['', ' '])).replaceAll('%', '%25')),
  ),
  family('percent: JSON in a query', (scene) => {
    const body = print({ card: { number: scene.spaced(scene.pan()) }, ok: true })
    return query(scene, encodeURIComponent(body))
  }),
  family('quoted-printable: soft line breaks', (scene) => {
    const text = `${aside(scene.draw)} é ${sentence(scene, scene.spaced(scene.pan()))} ${aside(scene.draw)}`
    return mail(scene, quotedPrintable(text, scene.draw.int(30, 76), false))
  }),
  family('quoted-printable: every digit', (scene) => {
    const text = sentence(scene, scene.spaced(scene.pan()))
    return mail(scene, quotedPrintable(text, 72, true))
  }),
  family('quoted-printable: no-break spaces', (scene) => {
    const text = `${sentence(scene, scene.spaced(scene.pan(), ['\u00a0']))} =`
    return mail(scene, quotedPrintable(text, 76, false))
  }),
  family('base64: blob of a text type in a resource', (scene) =>
    message(scene, { result: { contents: [blob(scene.draw, file(scene))] } }),
  ),
  family('base64: blob of a text type in a tool result', (scene) => {
    const resource = blob(scene.draw, file(scene))
    return message(scene, { result: { content: [{ type: 'resource', resource }] } })
  }),
  family('base64: blob with a printed table', (scene) => {
    const grid = {
      head: ['id', 'card_number', 'city'],
      rows: Array.from({ length: 3 }, (_, i) => [String(i + 1), scene.pan(), 'Oslo']),
    }
    const text = printers[scene.draw.pick(['CSV', 'Markdown', 'mysql'])]?.(grid, scene.draw) ?? ''
    return message(scene, { result: { contents: [blob(scene.draw, text, 'text/plain')] } })
  }),
  family('base64: blob with a disguised number', (scene) => {
    const pan = scene.draw.pick<(text: string) => string>([
      (text) => inScript(text, 0xff10),
      (text) => decimal(text),
      (text) => print(print({ card_number: text })),
      (text) => text.replaceAll(' ', '\u00a0'),
    ])(scene.spaced(scene.pan(), [' ', '']))
    const text = `${aside(scene.draw)}\ncard: ${pan}\n`
    return message(scene, { result: { contents: [blob(scene.draw, text, 'text/plain')] } })
  }),
  family('base64: data address of a text type', (scene) => {
    const data = Buffer.from(file(scene)).toString('base64')
    const type = scene.draw.pick(['text/plain', 'application/json', 'text/csv'])
    return textMessage(scene, `${aside(scene.draw)} data:${type};base64,${data}`)
  }),
  family('mixed: entities in JSON in a string', (scene) => {
    const html = `<p>${decimal(scene.spaced(scene.pan(), ['', ' ']))}</p>`
    return message(scene, toolResult(print({ id: 7, html, status: 'ok' })))
  }),
  family('mixed: percent signs in JSON in a string', (scene) => {
    const url = `https://a.example/p?card=${percent(scene.spaced(scene.pan(), ['', ' ']))}&x=1`
    return message(scene, toolResult(print({ id: 7, url, status: 302 })))
  }),
  family('mixed: escapes in JSON three deep', (scene) => {
    const inner = print({ card_number: '@@' }).replace('@@', () => unicode(scene.pan()))
    return message(scene, toolResult(print({ body: print({ payload: inner }) })))
  }),
]
