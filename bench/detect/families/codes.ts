/** Verification values: by key, label, column header, or as neighbour of a number and a date. */
import type { Family } from '../corpus.ts'
import {
  message,
  structured,
  surrounded,
  textMessage,
  toolResult,
  valueMessage,
} from '../envelopes.ts'
import { brandNamed } from '../numbers.ts'
import { Token, print, pretty } from '../print.ts'
import type { Value } from '../print.ts'
import type { Scene } from '../scene.ts'
import { firstName, personName } from '../words.ts'
import { cardColumns, gridWith, printers } from './grid.ts'

const family = (name: string, build: (scene: Scene) => string): Family => ({
  name,
  group: 'sad',
  build,
})

const keys =
  'cvv cvv2 cvc cvc2 csc cvn cav2 security_code securityCode card_code cardCode verification_value verificationValue card_verification CVV Cvc cvv-2 card_cvv cardCvc card_security_code cvv_code CVC2'.split(
    ' ',
  )

/** A card as services send one, with its verification value under `key`. */
function card(scene: Scene, key: string, value: Value, withPan = true): Value {
  const { draw } = scene
  return {
    ...(withPan ? { [draw.pick(['number', 'card_number', 'pan'])]: scene.pan() } : {}),
    [key]: value,
    exp_month: draw.int(1, 12),
    exp_year: draw.int(2026, 2033),
    holder: personName(draw),
  }
}

/** A number token; the ideal `000` is the token `0`. */
const token = (digits: string): Token => new Token(String(Number(digits)))

const english = [
  'CVV: @@',
  'CVV @@',
  'cvv=@@',
  'CVV2 is @@',
  'the security code is @@',
  'security code: @@',
  'CVC @@, thanks',
  'my cvv is @@.',
  'card verification value @@',
  'CVV number: @@',
  'CSC: @@',
  'The code on the back (CVV) is @@',
]
const foreign = [
  'Sicherheitscode: @@',
  'Prüfziffer der Karte (CVC): @@',
  'Kartenprüfnummer @@',
  'código de seguridad: @@',
  'código de segurança @@',
  'cryptogramme : @@',
  'cryptogramme visuel @@',
  'codice di sicurezza: @@',
  'beveiligingscode @@',
  'kod CVV: @@',
  'код безопасности: @@',
  'CVV-код @@',
  'セキュリティコード：@@',
  '安全码：@@',
  '安全码 @@',
  'güvenlik kodu: @@',
  '보안코드: @@',
]

const labelled = (templates: readonly string[]) => (scene: Scene) => {
  const { draw } = scene
  const text = draw.pick(templates).replace('@@', () => scene.cvv())
  const lead = draw.pick(['', '', `${firstName(draw)}: `, 'Also, '])
  return textMessage(scene, surrounded(scene, lead + text, ' '))
}

const withCard = (scene: Scene): string => {
  const { draw } = scene
  const pan = scene.spaced(scene.pan())
  const cvv = scene.cvv()
  const label = draw.pick(['cvv', 'CVV', 'cvc', 'security code', 'CVV2', 'sec code'])
  const text = draw.pick([
    `card ${pan} exp ${scene.mmyy()} ${label} ${cvv}`,
    `${pan}, ${scene.mmyy()}, ${label} ${cvv}`,
    `Card: ${pan}\nExpires: ${scene.mmyy()}\n${label}: ${cvv}`,
    `${label.toUpperCase()}: ${cvv} for card ${pan}`,
  ])
  return textMessage(scene, text)
}

/** Nothing tells but the place: after a number and its date. */
function byPlace(scene: Scene): string {
  const { draw } = scene
  const pan = scene.spaced(scene.pan(), ['', '', ' '])
  const cvv = scene.cvv()
  const [month = '', year = ''] = scene.mmyy().split('/')
  const text = draw.pick([
    `${pan} ${month}/${year} ${cvv}`,
    `${pan}, ${month}/${year}, ${cvv}`,
    `${pan}|${month}|20${year}|${cvv}`,
    `${pan}|${month}|${year}|${cvv}|${personName(draw)}`,
    `${pan};${month}/20${year};${cvv}`,
    `${pan} exp ${month}/${year} - ${cvv}`,
    `${pan}:${month}/${year}:${cvv}`,
    `card ${pan} ${month}/${year} ${cvv} ${personName(draw)}`,
    `${pan}\t${month}/${year}\t${cvv}`,
  ])
  return textMessage(scene, surrounded(scene, text))
}

const grid = (scene: Scene, withPan: boolean): ReturnType<typeof gridWith> =>
  gridWith(scene, [
    ...(withPan ? [[scene.draw.pick(cardColumns), () => scene.pan()] as const] : []),
    ['expiry', () => scene.mmyy()],
    [scene.draw.pick(['cvv', 'CVV2', 'cvc', 'security_code', 'csc']), () => scene.cvv()],
  ])

const printed = (names: readonly string[]) => (scene: Scene) => {
  const made = grid(scene, scene.draw.chance(0.7))
  return textMessage(scene, printers[scene.draw.pick(names)]?.(made, scene.draw) ?? '')
}

function asRows(scene: Scene): string {
  const { head, rows } = grid(scene, scene.draw.chance(0.7))
  const value: Value = scene.draw.pick<Value>([
    { columns: head, rows },
    [head, ...rows],
    { fields: head.map((name) => ({ name })), rows },
  ])
  return message(
    scene,
    scene.draw.chance(0.5) ? structured(value) : toolResult(print(value, pretty)),
  )
}

export const codeFamilies: readonly Family[] = [
  family('CVV by key, a string', (scene) =>
    valueMessage(scene, card(scene, scene.draw.pick(keys), scene.cvv())),
  ),
  family('CVV by key, a number', (scene) =>
    valueMessage(scene, card(scene, scene.draw.pick(keys), token(scene.cvv()))),
  ),
  family('CVV by key, no number beside it', (scene) =>
    valueMessage(scene, card(scene, scene.draw.pick(keys), scene.cvv(), false)),
  ),
  family('CVV by key, nested', (scene) => {
    const key = scene.draw.pick(keys)
    return valueMessage(scene, {
      id: scene.draw.int(1, 99),
      payment_method: { type: 'card', card: card(scene, key, scene.cvv()) },
    })
  }),
  family('CVV of four digits', (scene) => {
    const { draw } = scene
    const pan = scene.pan(brandNamed('amex'))
    return draw.chance(0.5)
      ? valueMessage(scene, { card_number: pan, [draw.pick(['cid', 'cvv', 'csc'])]: scene.cvv(4) })
      : textMessage(scene, `Amex ${scene.spaced(pan)} ${scene.mmyy()} CID ${scene.cvv(4)}`)
  }),
  family('CVV under cid beside a card', (scene) =>
    valueMessage(scene, { cid: scene.cvv(), card_number: scene.pan(), expiry: scene.expiry() }),
  ),
  family('CVV by label, English', labelled(english)),
  family('CVV by label, other languages', labelled(foreign)),
  family('CVV by label beside a number', withCard),
  family('CVV by place after number and date', byPlace),
  family('CVV by place in a list', (scene) => {
    const row = [scene.pan(), scene.mmyy(), scene.cvv()]
    return valueMessage(scene, { row, source: 'import' })
  }),
  family('CVV by column, CSV and tabs', printed(['CSV', 'CSV, all quoted', 'tab separated'])),
  family('CVV by column, Markdown', printed(['Markdown', 'Markdown, aligned'])),
  family('CVV by column, printed tables', printed(['mysql', 'psql', 'box drawing', 'fixed width'])),
  family('CVV by column, one line a cell', printed(['psql, expanded', 'mysql, vertical'])),
  family('CVV by column, Python and HTML', printed(['Python dictionaries', 'HTML table'])),
  family('CVV by column, rows of lists', asRows),
  family('CVV in XML', (scene) => {
    const name = scene.draw.pick(['cvv', 'CVV2', 'SecurityCode', 'cvc', 'cardVerification'])
    const cvv = scene.cvv()
    return textMessage(
      scene,
      scene.draw.chance(0.5)
        ? `<Card><Number>${scene.pan()}</Number><${name}>${cvv}</${name}></Card>`
        : `<Card number="${scene.pan()}" ${name}="${cvv}"/>`,
    )
  }),
  family('CVV in a form or address', (scene) =>
    textMessage(
      scene,
      `${scene.draw.pick(['https://a.example/pay?', '', 'POST /pay '])}number=${scene.pan()}&exp=${scene.mmyy().replace('/', '%2F')}&${scene.draw.pick(['cvv', 'cvc', 'cvv2', 'securityCode'])}=${scene.cvv()}`,
    ),
  ),
  family('CVV in YAML, logs and code', (scene) => {
    const { draw } = scene
    const key = draw.pick(['cvv', 'cvc', 'securityCode', 'cvv2'])
    const [pan, cvv] = [scene.pan(), scene.cvv()]
    return textMessage(
      scene,
      draw.pick([
        `card:\n  number: ${pan}\n  ${key}: ${cvv}\n`,
        `level=debug msg=auth pan=${pan} ${key}=${cvv}`,
        `Card{number='${pan}', ${key}='${cvv}'}`,
        `Array\n(\n    [number] => ${pan}\n    [${key}] => ${cvv}\n)`,
        `INSERT INTO c (pan, ${key}) VALUES ('${pan}', '${cvv}');`,
      ]),
    )
  }),
  family('CVV in JSON in a string', (scene) => {
    const inner = print(card(scene, scene.draw.pick(keys), scene.cvv()))
    return message(scene, toolResult(print({ request: inner, status: 200 })))
  }),
  family('CVV in a call or an elicitation answer', (scene) => {
    const { draw } = scene
    const content = card(scene, draw.pick(keys), scene.cvv())
    return draw.chance(0.5)
      ? message(scene, { result: { action: 'accept', content } })
      : message(scene, { method: 'tools/call', params: { name: 'pay', arguments: content } })
  }),
]
