/** The names that matter to the kernel. `spots.test.ts` holds them against `words.ts`. */
import { BLOCK, CID, CVV, FILLER, PIN, TRACK, meaningOf } from '../words.ts'

/** What a name tells where it stands as a key or header, as a label: as in `names.as`. */
const key = 1
const label = 2
const blob = 4

const words = `
  cvv cvv1 cvv2 cvc cvc1 cvc2 csc cav cav2 cvn cvn2 cvvcode cvccode cvv2code cvc2code
  cvvnumber cvcnumber cvvvalue cvcvalue cvvcvc cvccvv securitycode cardsecuritycode
  cardverification cardverificationvalue cardverificationcode cardverificationnumber
  verificationvalue cardcode cardid4 icvv dcvv sicherheitscode kartenprüfnummer prüfnummer
  prüfziffer kartenpruefnummer pruefnummer cryptogramme cryptogrammevisuel codedesécurité
  codedesecurite códigodeseguridad codigodeseguridad códigodesegurança codigodeseguranca
  codicedisicurezza 安全码 セキュリティコード
  pin pins pvv pinoffset pinnumber pinvalue cardpin atmpin debitpin pinentry cardpinnumber
  pinblock encryptedpinblock pinblockhex epb pinblk
  track track1 track2 track3 trackdata track1data track2data track1raw track2raw trackone
  tracktwo magstripe magstripedata magneticstripe magneticstripedata track2equivalent
  track2equivalentdata swipedata cid
  is are was code codes number numbers no nr num of value the and ist lautet es est è é
  de di la del seguridad segurança seguranca sicurezza sécurité securite verification visuel`

/** A name, what it tells, and whether it may stand between a label and its value. */
export interface Name {
  readonly name: string
  readonly tells: number
  readonly isFiller: boolean
}

export const names: readonly Name[] = [
  ...words.split(/\s+/).flatMap((name) => (name === '' ? [] : [nameOf(name)])),
  // What it holds is base64, by the protocol.
  { name: 'blob', tells: blob, isFiller: false },
]

function nameOf(name: string): Name {
  const meaning = meaningOf(name)
  const isLabel = (meaning & (CVV | PIN | BLOCK | CID)) !== 0
  const isKey = isLabel || (meaning & TRACK) !== 0
  const tells = (isKey ? key : 0) | (isLabel ? label : 0)
  return { name, tells, isFiller: (meaning & FILLER) !== 0 }
}
