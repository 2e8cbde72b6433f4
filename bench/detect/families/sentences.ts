/** Sentences in many languages, with a card word and without one. */
import type { Family } from '../corpus.ts'
import { surrounded, textMessage, textMessageAt, textPlaceNames } from '../envelopes.ts'
import type { Scene } from '../scene.ts'
import { aside, firstName } from '../words.ts'
import { fill } from './brands.ts'

const languages: Readonly<Record<string, readonly string[]>> = {
  english: [
    'Hi, my card is {pan} and it expires soon, can you update it?',
    'I was charged twice on {pan}. The amount was {amount}.',
    'Caller {name} read out the number {pan} and hung up.',
    'Please use {pan} for order {order}.',
    'Visa ending? No, the full one: {pan}. Thanks!',
    'Re: {order} - the credit card we have is {pan}, amount {amount}.',
    'Mastercard {pan} was reported stolen by {name}.',
    'Account number {pan} was debited with {amount}',
  ],
  german: [
    'Die Kreditkarte {pan} von {name} wurde abgelehnt.',
    'Bitte buchen Sie {amount} von der Karte {pan} ab.',
    'Kartennummer: {pan}, Bestellung {order}',
    'Der Kunde zahlt mit {pan}, gültig bis Jahresende.',
  ],
  'french, Spanish, Portuguese, Italian': [
    'La carte bancaire {pan} a été refusée.',
    'Numéro de carte : {pan} ({name})',
    'La tarjeta {pan} fue rechazada, importe {amount}.',
    'Número de tarjeta: {pan}',
    'O cartão {pan} foi recusado no pedido {order}.',
    'La carta di credito {pan} è scaduta.',
    'Il cliente {name} ha pagato con {pan}.',
  ],
  'dutch, Nordic, Polish, Czech': [
    'Betaald met kaart {pan} door {name}.',
    'Kortnummer {pan} er spærret.',
    'Kortet {pan} nekades, belopp {amount}.',
    'Luottokortin numero on {pan}.',
    'Numer karty: {pan}, zamówienie {order}',
    'Karta {pan} byla zamítnuta.',
  ],
  'russian, Ukrainian, Turkish': [
    'Карта {pan} отклонена, сумма {amount}.',
    'Номер карты: {pan}',
    'Клієнт {name} сплатив карткою {pan}.',
    'Kart numarası {pan}, sipariş {order}.',
    '{name} kredi kartı {pan} ile ödedi.',
  ],
  'japanese, Chinese, Korean': [
    'カード番号は{pan}です。',
    '{name}様のカード {pan} が拒否されました。',
    '卡号：{pan}，金额 {amount}。',
    '信用卡{pan}已过期',
    '카드 번호: {pan} ({amount})',
    'クレジットカード「{pan}」で支払い済み',
  ],
  'arabic, Hebrew, Hindi, Thai': [
    'رقم البطاقة {pan} مرفوض',
    'تم الدفع بالبطاقة {pan} بمبلغ {amount}.',
    'כרטיס אשראי {pan} נדחה',
    'कार्ड संख्या {pan} अस्वीकृत',
    'บัตรเครดิต {pan} ถูกปฏิเสธ',
  ],
}

const wordless = [
  '{pan}',
  'Order {order} - {name} - {pan} - {amount}',
  'note from {name}: "{pan}"',
  '({pan})',
  '{name} said it was {pan}.',
  'Is {pan} correct?',
  '1. {pan}\n2. see above',
  '- {pan}\n- {amount}',
  '*{pan}*',
  '`{pan}`',
  '{pan},{amount}',
  "it's '{pan}', I think",
  '#{order}: {pan}!',
  '[{pan}]',
  'a:{pan};b:{amount}',
]

const sentence = (
  scene: Scene,
  templates: readonly string[],
  separators?: readonly string[],
): string => fill(scene, scene.draw.pick(templates), scene.spaced(scene.pan(), separators))

/** Two people typing. */
function chat(scene: Scene): string {
  const { draw } = scene
  const [asker, agent] = [firstName(draw), firstName(draw)]
  const card = scene.spaced(scene.pan())
  const answers = [
    `${card}`,
    `sure: ${card}`,
    `it is ${card} exp ${scene.mmyy()}`,
    `${card} I believe`,
  ]
  const time = (): string => `[${String(draw.int(10, 23))}:${String(draw.int(10, 59))}]`
  return [
    `${time()} ${agent}: ${draw.pick(['Which card should we use?', 'What is the number?', 'How do you want to pay?'])}`,
    `${time()} ${asker}: ${draw.pick(answers)}`,
    `${time()} ${agent}: ${aside(draw)}`,
  ].join('\n')
}

export const sentenceFamilies: readonly Family[] = [
  ...Object.entries(languages).map(([name, templates]): Family => ({
    name: `sentence: ${name}`,
    group: 'core',
    build: (scene) => textMessage(scene, surrounded(scene, sentence(scene, templates), ' ')),
  })),
  {
    name: 'sentence: no card word, in groups',
    group: 'core',
    build: (scene) => textMessage(scene, surrounded(scene, sentence(scene, wordless, [' ', '-']))),
  },
  {
    name: 'sentence: no card word, one run',
    group: 'core',
    build: (scene) => textMessage(scene, surrounded(scene, sentence(scene, wordless, ['']))),
  },
  {
    name: 'sentence: several numbers in one text',
    group: 'core',
    build: (scene) => {
      const { draw } = scene
      const cards = Array.from({ length: draw.int(2, 5) }, () => scene.spaced(scene.pan()))
      const joint = draw.pick([', ', '\n', ' and ', '; ', ' / ', ' | '])
      return textMessage(scene, `${aside(draw)}\n${cards.join(joint)}`)
    },
  },
  { name: 'sentence: chat', group: 'core', build: (scene) => textMessage(scene, chat(scene)) },
  {
    name: 'sentence: touching letters and signs',
    group: 'core',
    build: (scene) => {
      const templates = [
        'card:{pan}',
        'card={pan}&next=1',
        'PAN{pan}',
        'cc#{pan}',
        'Visa{pan}',
        'card"{pan}"',
        'card\t{pan}\t{amount}',
        'Karte({pan})',
        'card>{pan}<',
        '卡号{pan}。',
      ]
      return textMessage(scene, sentence(scene, templates))
    },
  },
  ...textPlaceNames.map((place): Family => ({
    name: `place: ${place}`,
    group: 'core',
    build: (scene) => {
      const templates = [...(languages['english'] ?? []), ...wordless.slice(0, 5)]
      return textMessageAt(scene, place, surrounded(scene, sentence(scene, templates), ' '))
    },
  })),
]
