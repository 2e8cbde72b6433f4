/** Full track data (ISO/IEC 7813), EMV tags and PINs: never kept, whatever the brand. */
import type { Family } from '../corpus.ts'
import { message, surrounded, textMessage, toolResult, valueMessage } from '../envelopes.ts'
import { print } from '../print.ts'
import type { Value } from '../print.ts'
import type { Scene } from '../scene.ts'
import { aside, amount, isoTime, personName } from '../words.ts'

const family = (name: string, build: (scene: Scene) => string): Family => ({
  name,
  group: 'sad',
  build,
})

/** Name as it stands on a stripe: `LAST/FIRST`, letters only. */
const stripeName = (scene: Scene): string => {
  const [first = '', last = ''] = personName(scene.draw).normalize('NFD').split(' ')
  const plain = (name: string): string => name.replaceAll(/[^a-zA-Z]/g, '').toUpperCase()
  return `${plain(last)}/${plain(first)}`.padEnd(scene.draw.pick([0, 26]))
}

function track1(scene: Scene, head: string, tail: string): string {
  const name = stripeName(scene)
  return scene.track((pan, rest) => `${head}${pan}^${name}^${rest}${tail}`, scene.draw.int(15, 26))
}

const track2 = (scene: Scene, head: string, tail: string): string =>
  scene.track((pan, rest) => `${head}${pan}=${rest}${tail}`, scene.draw.int(12, 20))

/** Track 2 equivalent data as hexadecimal, padded with `F` to whole bytes. */
const tag57 = (scene: Scene): string =>
  scene.track(
    (pan, rest) => {
      const hex = `${pan}D${rest}`
      return hex.length % 2 === 0 ? hex : `${hex}F`
    },
    scene.draw.int(12, 18),
  )

const said = (scene: Scene, track: string): string =>
  textMessage(
    scene,
    surrounded(
      scene,
      scene.draw.pick([
        track,
        `swipe: ${track}`,
        `track data ${track}`,
        `${isoTime(scene.draw)} DEBUG reader read ${track}`,
        `MSR> ${track} <EOT>`,
        `data="${track}"`,
      ]),
    ),
  )

const keyed = (scene: Scene, keys: readonly string[], value: Value): string =>
  valueMessage(scene, {
    terminal: `T${scene.draw.digits(4)}`,
    [scene.draw.pick(keys)]: value,
    amount: amount(scene.draw),
  })

const pinKeys = ['pin', 'PIN', 'card_pin', 'cardPin', 'Pin', 'card.pin']
const blockKeys = ['pin_block', 'pinBlock', 'PINBLOCK', 'encryptedPinBlock', 'pin-block']

const pinSentences = [
  'The PIN of the card is @@.',
  'PIN: @@',
  'card pin @@ was entered',
  'Her PIN is @@',
  'PIN code: @@',
  'pin=@@',
  'Die PIN lautet @@.',
  'Código PIN: @@',
  'ПИН-код: @@',
  '暗証番号: @@',
  'code PIN : @@',
]

export const trackFamilies: readonly Family[] = [
  family('track 1', (scene) => said(scene, track1(scene, '%B', '?'))),
  family('track 1 without sentinels', (scene) => said(scene, track1(scene, 'B', ''))),
  family('track 2', (scene) => said(scene, track2(scene, ';', '?'))),
  family('track 2 without sentinels', (scene) => said(scene, track2(scene, '', ''))),
  family('tracks 1 and 2 in a row', (scene) =>
    said(scene, `${track1(scene, '%B', '?')}${track2(scene, ';', '?')}`),
  ),
  family('track under its key', (scene) => {
    const isFirst = scene.draw.chance(0.5)
    const keys = isFirst ? ['track1', 'track1Data', 'track_1'] : ['track2', 'track2_data', 'Track2']
    return keyed(scene, keys, isFirst ? track1(scene, '%B', '?') : track2(scene, ';', '?'))
  }),
  family('track in JSON in a string', (scene) =>
    message(scene, toolResult(print({ msr: { raw: print({ t2: track2(scene, ';', '?') }) } }))),
  ),
  family('track 2 equivalent, tag 57', (scene) =>
    scene.draw.chance(0.5)
      ? keyed(scene, ['57', 'tag57', 'track2_equivalent', 'track2EquivalentData'], tag57(scene))
      : said(scene, `57: ${tag57(scene)}`),
  ),
  family('track 2 equivalent inside EMV data', (scene) => {
    const { draw } = scene
    const track = tag57(scene)
    const length = scene.isIdeal
      ? '13'
      : (track.length / 2).toString(16).padStart(2, '0').toUpperCase()
    const before = `9F2608${draw.letters(16, '0123456789ABCDEF')}9F2701${draw.pick(['80', '40'])}`
    const after = `5F24033${draw.digits(1)}0${draw.int(1, 9)}319A03${draw.int(24, 29)}0${draw.int(1, 9)}${draw.int(10, 28)}9F02060000000${draw.digits(5)}`
    return said(scene, `${before}57${length}${track}${after}`)
  }),
  family('track 2 in ISO 8583 fields', (scene) =>
    textMessage(
      scene,
      `MTI 0200\nF003 000000\nF004 ${scene.draw.digits(8).padStart(12, '0')}\nF035 ${track2(scene, '', '').replace('=', scene.draw.pick(['=', 'D']))}\nF049 978`,
    ),
  ),
  family('PIN by key', (scene) => keyed(scene, pinKeys, scene.pin(scene.draw.pick([4, 4, 5, 6])))),
  family('PIN by label', (scene) => {
    const pin = scene.pin(scene.draw.pick([4, 4, 4, 5]))
    return textMessage(
      scene,
      surrounded(
        scene,
        scene.draw.pick(pinSentences).replace('@@', () => pin),
        ' ',
      ),
    )
  }),
  family('PIN beside a card number', (scene) => {
    const pan = scene.pan()
    const { draw } = scene
    return draw.chance(0.5)
      ? valueMessage(scene, { card_number: pan, pin: scene.pin(), holder: personName(draw) })
      : textMessage(scene, `${aside(draw)} card ${pan} pin ${scene.pin()}`)
  }),
  family('PIN block, formats 0 to 3', (scene) => keyed(scene, blockKeys, scene.hexSecret(16))),
  family('PIN block, format 4', (scene) => keyed(scene, blockKeys, scene.hexSecret(32))),
  family('PIN block by label', (scene) =>
    textMessage(
      scene,
      `${isoTime(scene.draw)} HSM ${scene.draw.pick(['pin block', 'PINBLOCK', 'PIN block (ISO-0)'])}: ${scene.hexSecret(16)}`,
    ),
  ),
  family('PVV and PIN offset', (scene) =>
    keyed(scene, ['pvv', 'PVV', 'pin_offset', 'pinOffset'], scene.pin()),
  ),
]
