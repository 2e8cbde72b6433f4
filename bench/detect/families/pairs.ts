/** Values whose name stands beside them instead of as their key: pairs, types, lists of two. */
import type { Family, Group } from '../corpus.ts'
import { message, textMessage, toolResult, valueMessage } from '../envelopes.ts'
import { Token, print, styles } from '../print.ts'
import type { Value } from '../print.ts'
import type { Scene } from '../scene.ts'
import { amount, city, firstName, personName } from '../words.ts'

const family = (group: Group, name: string, build: (scene: Scene) => string): Family => ({
  name,
  group,
  build,
})

const panNames = ['card_number', 'Card number', 'cardNumber', 'pan', 'card.number', 'Credit Card']
const cvvNames = ['cvv', 'CVV', 'cvc', 'security_code', 'Security code', 'cvv2']

/** `[{"name": …, "value": …}]` in the words of forms, headers, custom fields and traces. */
function pairs(scene: Scene, members: readonly (readonly [name: string, value: string])[]): Value {
  const { draw } = scene
  const all = [['city', city(draw)], ['customer', firstName(draw)], ...members] as const
  return draw.pick<() => Value>([
    () => all.map(([name, value]) => ({ name, value })),
    () => all.map(([key, value]) => ({ key, value })),
    () => all.map(([label, value]) => ({ label, type: 'text', value })),
    () => all.map(([key, value]) => ({ key, value: { stringValue: value } })),
    () => all.map(([field, content]) => ({ field, content })),
  ])()
}

/** Attribute values of DynamoDB, and other servers' ways of saying a type. */
const typed = (scene: Scene, members: Readonly<Record<string, string>>): Value => {
  const wrap = scene.draw.pick<(text: string) => Value>([
    (text) => ({ S: text }),
    (text) => ({ N: text }),
    (text) => ({ value: text }),
    (text) => ({ type: 'string', value: text }),
    (text) => ({ raw: text, isMasked: false }),
  ])
  const all = Object.entries({ ...members, city: city(scene.draw) })
  return Object.fromEntries(all.map(([name, text]) => [name, wrap(text)]))
}

/** As `redis-cli` prints a hash. */
const redisCli = (members: Readonly<Record<string, string>>): string =>
  Object.entries(members)
    .flat()
    .map((text, i) => `${i + 1}) "${text}"`)
    .join('\n')

function databaseLiteral(scene: Scene): string {
  const { draw } = scene
  const [one, two] = [scene.pan(), scene.pan()]
  return draw.pick([
    `{${one},${two}}`,
    `(${draw.int(1, 99)},${one},"${personName(draw)}")\n(${draw.int(1, 99)},${two},"x")`,
    `"pan"=>"${one}", "old_pan"=>"${two}"`,
    `{ _id: 1, pan: NumberLong("${one}"), old: NumberLong(${two}) }`,
    `${draw.int(1, 99)}\t${one}\t\\N\n${draw.int(1, 99)}\t${two}\t${city(draw)}\n\\.`,
    `ROW('${one}', '${two}')`,
    `[["pan", "${one}"], ["old_pan", "${two}"]]`,
  ])
}

/** Cells as spreadsheets need them, so that they do not round the number. */
function spreadsheet(scene: Scene): string {
  const quote = scene.draw.pick<(text: string) => string>([
    (text) => `="${text}"`,
    (text) => `'${text}`,
    (text) => `"=""${text}"""`,
    (text) => `" ${text} "`,
    (text) => `${text}\t`,
  ])
  const rows = Array.from(
    { length: 3 },
    (_, i) => `${i + 1},${quote(scene.pan())},${amount(scene.draw)}`,
  )
  return ['id,card_number,amount', ...rows].join('\n')
}

const inText = (scene: Scene, value: Value): string =>
  message(scene, toolResult(print(value, scene.draw.pick(styles))))

export const pairFamilies: readonly Family[] = [
  family('core', 'pair: name and value', (scene) =>
    valueMessage(scene, {
      fields: pairs(scene, [[scene.draw.pick(panNames), scene.spaced(scene.pan())]]),
    }),
  ),
  family('core', 'pair: typed value', (scene) =>
    inText(scene, { Items: [typed(scene, { [scene.draw.pick(panNames)]: scene.pan() })] }),
  ),
  family('core', 'pair: list of name and value', (scene) =>
    inText(scene, {
      entries: [
        ['city', city(scene.draw)],
        [scene.draw.pick(panNames), scene.pan()],
      ],
    }),
  ),
  family('core', 'pair: redis-cli', (scene) =>
    textMessage(
      scene,
      redisCli({ name: firstName(scene.draw), pan: scene.pan(), city: city(scene.draw) }),
    ),
  ),
  family('core', 'literal: arrays, rows and maps of databases', (scene) =>
    textMessage(scene, databaseLiteral(scene)),
  ),
  family('core', 'table: cells quoted for spreadsheets', (scene) =>
    textMessage(scene, spreadsheet(scene)),
  ),
  family('sad', 'CVV in pairs of name and value', (scene) =>
    valueMessage(scene, {
      fields: pairs(scene, [
        [scene.draw.pick(panNames), scene.pan()],
        [scene.draw.pick(cvvNames), scene.cvv()],
      ]),
    }),
  ),
  family('sad', 'CVV as a typed value', (scene) =>
    inText(scene, {
      Item: typed(scene, { card_number: scene.pan(), [scene.draw.pick(cvvNames)]: scene.cvv() }),
    }),
  ),
  family('sad', 'CVV in redis-cli', (scene) =>
    textMessage(scene, redisCli({ pan: scene.pan(), exp: scene.mmyy(), cvv: scene.cvv() })),
  ),
  family('sad', 'CVV in a form with brackets', (scene) => {
    const [month = '', year = ''] = scene.mmyy().split('/')
    const [open, close] = scene.draw.pick([
      ['[', ']'],
      ['%5B', '%5D'],
      ['.', ''],
    ] as const)
    const field = (name: string, value: string): string => `card${open}${name}${close}=${value}`
    return textMessage(
      scene,
      [
        field('number', scene.pan()),
        field('exp_month', month),
        field('exp_year', `20${year}`),
        field('cvc', scene.cvv()),
      ].join('&'),
    )
  }),
  family('sad', 'CVV in a GraphQL query', (scene) =>
    textMessage(
      scene,
      `mutation { addCard(input: { number: "${scene.pan()}", ${scene.draw.pick(['cvv', 'cvc', 'securityCode'])}: "${scene.cvv()}", holder: "${firstName(scene.draw)}" }) { id } }`,
    ),
  ),
  family('sad', 'CVV in an array under its key', (scene) =>
    valueMessage(scene, {
      cards: [{ pan: scene.pan(), cvv: [scene.cvv()], amount: new Token(amount(scene.draw)) }],
    }),
  ),
]
