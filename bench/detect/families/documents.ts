/** Documents and machine texts: XML, YAML, logs, mail, addresses, code and dumps of memory. */
import type { Family } from '../corpus.ts'
import { surrounded, textMessage } from '../envelopes.ts'
import type { Scene } from '../scene.ts'
import {
  amount,
  aside,
  city,
  email,
  firstName,
  isoDate,
  isoTime,
  orderId,
  personName,
  sqlTime,
  uuid,
} from '../words.ts'

const text =
  (make: (scene: Scene, pan: string) => string, separators: readonly string[] = ['']) =>
  (scene: Scene): string =>
    textMessage(scene, make(scene, scene.spaced(scene.pan(), separators)))

const element = (name: string, inside: string): string => `<${name}>${inside}</${name}>`

const both = ['', ' ', '-']

const writers: Readonly<Record<string, (scene: Scene) => string>> = {
  'XML elements': text(
    ({ draw }, pan) =>
      `<?xml version="1.0" encoding="UTF-8"?>\n<payment id="${draw.int(1, 999)}">\n  <holder>${personName(draw)}</holder>\n  ${element(draw.pick(['cardNumber', 'PAN', 'card_number', 'Number', 'AcctId']), pan)}\n  <amount currency="EUR">${amount(draw)}</amount>\n</payment>`,
    both,
  ),
  'XML attributes': text(
    ({ draw }, pan) =>
      `<Payment ref="${orderId(draw)}" amount="${amount(draw)}"><Card type="VI" ${draw.pick(['number', 'Number', 'pan', 'cardNumber'])}="${pan}" expire="${isoDate(draw).slice(0, 7)}"/></Payment>`,
  ),
  SOAP: text(
    ({ draw }, pan) =>
      `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><ns2:authorize xmlns:ns2="urn:pay"><ns2:pan>${pan}</ns2:pan><ns2:amount>${amount(draw)}</ns2:amount></ns2:authorize></soap:Body></soap:Envelope>`,
  ),
  'ISO 20022': text(
    (_, pan) =>
      `<CardData><PlainCardData><PAN>${pan}</PAN><CardSeqNb>1</CardSeqNb><XpryDt>2030-11</XpryDt></PlainCardData></CardData>`,
  ),
  YAML: text(
    ({ draw }, pan) =>
      `customer:\n  name: ${personName(draw)}\n  city: ${city(draw)}\n  payment:\n    ${draw.pick(['card_number', 'pan', 'number', 'cardNumber'])}: ${draw.pick(['', '"', "'"])}${pan}\n    expires: ${isoDate(draw).slice(0, 7)}\n`,
    both,
  ),
  'INI and environment': text(
    ({ draw }, pan) =>
      `${draw.pick(['TEST_CARD', 'CARD_NUMBER', 'PAYMENT_PAN', 'card.number', 'card'])}${draw.pick(['=', ' = '])}${pan}\nREGION=${city(draw)}\nTIMEOUT=${draw.int(5, 60)}`,
  ),
  'key=value log': text(
    ({ draw }, pan) =>
      `time=${isoTime(draw)} level=info msg="charge created" order=${orderId(draw)} ${draw.pick(['card', 'pan', 'cc', 'number', 'acct'])}=${draw.pick(['', '"'])}${pan} amount=${amount(draw)}`,
  ),
  'application log': text(
    ({ draw }, pan) =>
      `${sqlTime(draw)},${draw.int(100, 999)} [http-nio-8080-exec-${draw.int(1, 40)}] ${draw.pick(['INFO ', 'WARN ', 'ERROR'])} c.e.pay.ChargeService - ${draw.pick(['Charging', 'Declined', 'Retry for', 'Tokenize'])} ${pan} for ${firstName(draw)}`,
    both,
  ),
  syslog: text(
    ({ draw }, pan) =>
      `<134>1 ${isoTime(draw)} pos-${draw.int(1, 40)} payd ${draw.int(300, 9999)} AUTH - approved pan ${pan} amt ${amount(draw)}`,
  ),
  'access log with a query': text(
    ({ draw }, pan) =>
      `10.0.${draw.int(0, 255)}.${draw.int(1, 254)} - - [09/Mar/2026:11:22:33 +0000] "GET /pay?card=${pan}&amount=${amount(draw)} HTTP/1.1" 200 ${draw.int(200, 9000)} "-" "curl/8.5.0"`,
  ),
  'address with a query': text(
    ({ draw }, pan) =>
      `https://shop.example.com/${draw.pick(['checkout', 'pay', 'api/v2/charge'])}?${draw.pick(['cc', 'card_number', 'pan', 'n'])}=${pan}&name=${firstName(draw)}&ref=${orderId(draw)}`,
  ),
  'address with the number in its path': text(
    ({ draw }, pan) =>
      `GET https://api.example.com/v1/cards/${pan}/transactions?limit=${draw.int(5, 50)}`,
  ),
  'form body': text(
    ({ draw }, pan) =>
      `firstname=${firstName(draw)}&cardnumber=${pan}&exp_month=${draw.int(1, 12)}&exp_year=2029&email=a%40example.com`,
  ),
  'multipart form': text(
    ({ draw }, pan) =>
      `------b${draw.hex(8)}\r\nContent-Disposition: form-data; name="card_number"\r\n\r\n${pan}\r\n------b\r\nContent-Disposition: form-data; name="name"\r\n\r\n${firstName(draw)}`,
    both,
  ),
  'HTML page': text(
    ({ draw }, pan) =>
      `<div class="row"><label>${draw.pick(['Card number', 'Card', 'Paid with'])}</label><span class="v">${pan}</span></div><p>${aside(draw)}</p>`,
    both,
  ),
  'HTML input': text(
    ({ draw }, pan) =>
      `<input type="text" name="${draw.pick(['card', 'cc-number', 'cardnumber'])}" autocomplete="cc-number" value="${pan}">`,
    both,
  ),
  'plain mail': text(
    ({ draw }, pan) =>
      `From: ${email(draw)}\r\nTo: ${email(draw)}\r\nSubject: ${orderId(draw)}\r\nDate: Mon, 9 Mar 2026 10:11:12 +0100\r\nContent-Type: text/plain\r\n\r\nHello,\r\n\r\nplease charge ${pan}.\r\n\r\n${firstName(draw)}\r\n> On Sunday you wrote:\r\n> ${aside(draw)}`,
    both,
  ),
  'Java toString': text(
    ({ draw }, pan) =>
      `PaymentRequest{id=${draw.int(1, 999)}, card=Card[number=${pan}, holder=${personName(draw)}, expiry=${isoDate(draw)}], amount=${amount(draw)}}`,
  ),
  'Go struct': text(
    ({ draw }, pan) =>
      `&{ID:${draw.int(1, 99)} Card:{Number:${pan} Name:${firstName(draw)}} Amount:${amount(draw)}}`,
  ),
  'PHP print_r': text(
    ({ draw }, pan) =>
      `Array\n(\n    [id] => ${draw.int(1, 99)}\n    [card_number] => ${pan}\n    [amount] => ${amount(draw)}\n)`,
  ),
  'PHP serialize': text((_, pan) => `a:2:{s:4:"card";s:${pan.length}:"${pan}";s:2:"ok";b:1;}`),
  'Ruby inspect': text(
    ({ draw }, pan) => `#<Charge id: ${draw.int(1, 99)}, card_number: "${pan}", state: :ok>`,
  ),
  'Protobuf text': text(
    ({ draw }, pan) => `card {\n  number: "${pan}"\n  holder: "${firstName(draw)}"\n}`,
  ),
  'JavaScript source': text(
    ({ draw }, pan) =>
      `const ${draw.pick(['card', 'testCard', 'pan'])} = '${pan}'\nawait pay(card, ${amount(draw)})`,
    both,
  ),
  'SQL query': text(
    ({ draw }, pan) =>
      `SELECT * FROM payments WHERE ${draw.pick(['card_number', 'pan', 'p.number'])} ${draw.pick([`= '${pan}'`, `IN ('${pan}')`, `LIKE '${pan}%'`, `= ${pan}`])} ORDER BY created_at LIMIT ${draw.int(1, 50)}`,
  ),
  'SQL error': text(
    ({ draw }, pan) =>
      `ERROR: duplicate key value violates unique constraint "${draw.pick(['cards_pan_key', 'uq_card'])}"\nDETAIL: Key (${draw.pick(['pan', 'card_number'])})=(${pan}) already exists.`,
  ),
  'validation error': text(
    ({ draw }, pan) =>
      `ValidationError: "${draw.pick(['number', 'card.number', 'pan'])}" with value "${pan}" ${draw.pick(['fails to match the required pattern', 'must be a string', 'is not allowed'])}`,
    both,
  ),
  'stack trace': text(
    ({ draw }, pan) =>
      `java.lang.IllegalArgumentException: Invalid card number: ${pan}\n\tat com.example.Card.of(Card.java:${draw.int(10, 400)})\n\tat com.example.Pay.run(Pay.java:${draw.int(10, 400)})`,
  ),
  'unified diff': text(
    ({ draw }, pan) =>
      `--- a/fixtures.yml\n+++ b/fixtures.yml\n@@ -${draw.int(1, 90)},3 +${draw.int(1, 90)},3 @@\n-  number: none\n+  number: ${pan}\n   name: ${firstName(draw)}`,
  ),
  'curl command': text(
    (_, pan) =>
      `curl -X POST https://api.example.com/charge -d '{"card":{"number":"${pan}"},"amount":100}'`,
  ),
  'list with bullets': text(
    ({ draw }, pan) =>
      `**${personName(draw)}**\n\n- Card: ${pan}\n- Expires: ${isoDate(draw).slice(0, 7)}\n- City: ${city(draw)}`,
    both,
  ),
  'beside an identifier': text(
    ({ draw }, pan) => `${uuid(draw)} ${pan} ${draw.hex(40)} ${isoTime(draw)}`,
    both,
  ),
  'beside a bearer token': text(
    ({ draw }, pan) =>
      `Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.${draw.letters(40)}.${draw.letters(43)}\ncard: ${pan}`,
    both,
  ),
  'soft wrapped line': (scene) => {
    const { draw } = scene
    const groups = scene.spaced(scene.pan(), [' ']).split(' ')
    const at = draw.int(1, groups.length - 1)
    const wrapped = `${groups.slice(0, at).join(' ')}\n${groups.slice(at).join(' ')}`
    return textMessage(scene, `${aside(draw)} The card is ${wrapped} and it works.`)
  },
  receipt: text(
    ({ draw }, pan) =>
      `*** RECEIPT ***\nMERCHANT ${draw.int(1000, 9999)}  TERMINAL ${draw.int(10, 99)}\n${sqlTime(draw)}\nCARD  ${pan}\nTOTAL ${amount(draw)} EUR\nAPPROVED ${draw.letters(6, '0123456789ABCDEF')}`,
    both,
  ),
  'EDI segment': text(
    ({ draw }, pan) =>
      `REF*CC*${pan}*VISA~\nAMT*1*${amount(draw)}~\nDTM*097*${isoDate(draw).replaceAll('-', '')}~`,
  ),
  'FIX and pipes': text(
    ({ draw }, pan) => `8=FIX.4.4|35=D|card=${pan}|44=${amount(draw)}|10=${draw.int(100, 255)}|`,
  ),
}

export const documentFamilies: readonly Family[] = Object.entries(writers).map(
  ([name, build]): Family => ({ name: `document: ${name}`, group: 'core', build }),
)

/** Long texts: the number stands far from either end. */
export const longFamilies: readonly Family[] = [
  {
    name: 'document: a long text',
    group: 'core',
    build: (scene) => {
      const { draw } = scene
      const lines = Array.from({ length: draw.int(40, 120) }, () => aside(draw))
      lines.splice(draw.int(5, 35), 0, `Paid with ${scene.spaced(scene.pan())}.`)
      return textMessage(scene, surrounded(scene, lines.join(draw.pick(['\n', ' ']))))
    },
  },
]
