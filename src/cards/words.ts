/**
 * What a name says about the value beside it: the key of a JSON member, the header of a column, or
 * the label in front of a number. Names are compared word by word, lower-cased, without `_-. `, so
 * `customerCardNumber`, `CARD_NUMBER` and `card.number` all end in the words *card number*.
 */

/** A card number stands here, even where Luhn fails. */
export const CARD = 1
/** A card verification value. */
export const CVV = 2
/** A PIN in clear. */
export const PIN = 4
/** A PIN block: hex digits. */
export const BLOCK = 8
/** Full track data. */
export const TRACK = 16
/** `cid`: a verification value on a card, a customer's id elsewhere. */
export const CID = 32
/** Speaks of cards: lowers the bar for what stands near. */
export const CONTEXT = 64
/** A word that may stand between a label and its value: *is*, *code*, *number*. */
export const FILLER = 128
/** A child of this name has the meaning of its parent: `{"cvv":{"value":"123"}}`. */
export const CHILD = 256
/** Names a column in a list of columns: `{"name":"pan"}`. */
export const NAME = 512
/** Holds the names of columns: `{"columns":[…]}`. */
export const LIST = 1024
/** Speaks of paying: lowers the bar for numbers near it in a text, and says nothing as a name. */
export const NEARBY = 2048
/** Names a number of another kind: an order, a parcel, a phone, a time. */
export const OTHER_NUMBER = 4096
/** With `PIN`: also what India calls a postal code, so six digits need a word of cards near them. */
export const POSTAL = 8192
/** The value of a cell that is an object: `{"v":…}`. */
export const CELL = 16384
/** What must never be kept or shown: PCI DSS v4.0.1 req. 3.3.1. */
export const SECRET: number = CVV | PIN | BLOCK | TRACK

const list = (words: string): string[] => words.split(/\s+/).filter((word) => word !== '')
const meanings: readonly (readonly [meaning: number, names: readonly string[]])[] = [
  [
    CARD,
    list(`pan pans cardnumber cardnumbers cardno cardnum cardnr ccnumber ccnum ccno ccn creditcard
      creditcardnumber creditcardno creditcardnum debitcard debitcardnumber debitcardno
      primaryaccountnumber acctpan acctpannumber pannumber cardpan fpan dpan paymentcardnumber
      cardaccountnumber kartennummer kreditkartennummer kreditkarte numerocarte numerotarjeta
      numerodetarjeta numerocarta numerodelacarte numerocartao numerodocartao номеркарты 卡号
      カードナンバー クレジットカード番号 カード番号 信用卡号 cc numérodecarte numérocarte númerodetarjeta númerotarjeta numerodetarjeta
      numerodecarte númerocartão númerodocartão numerdocartao numerkarty číslokarty kortnummer
      kaartnummer kartno kartnr numerkartypłatniczej bankkartennummer nckarte nocarte ncarte
      신용카드번호 رقمالبطاقه pancclear panclear cardnbr ccnbr acctnocard kortnumero kartnumarası kartnumarasi kártyaszám 卡號 信用卡號 카드번호 номерикарты
      номеркартки رقمالبطاقة`),
  ],
  [
    CVV,
    list(`ccv ccv2 cvc3 cvv3 cardverificationvalue2 cardvalidationvalue cardvalidationcode cv2 cv2code cvd cvdvalue cvdcode cvv2val cvvval cvcval cardsecuritycodevalue cardcvd cvnumber cccid codeontheback 3digitsontheback digitsontheback backcode cardbackcode cardcid cvv cvv1 cvv2 cvc cvc1 cvc2 csc cav cav2 cvn cvn2 cvvcode cvccode cvv2code cvc2code
      cvvnumber cvcnumber cvvvalue cvcvalue cvvcvc cvccvv securitycode cardsecuritycode
      cardverification cardverificationvalue cardverificationcode cardverificationnumber
      verificationvalue cardcode cardid4 icvv dcvv sicherheitscode kartenprüfnummer prüfnummer
      prüfziffer kartenpruefnummer pruefnummer cryptogramme cryptogrammevisuel codedesécurité
      codedesecurite códigodeseguridad codigodeseguridad códigodesegurança codigodeseguranca
      codicedisicurezza códigodeverificación codigodeverificacion códigodeverificação
      codigodeverificacao códigocvv codigocvv codecvv codecvc cvvnummer cvcnummer cvvkod cvckod cvvкод
      cvcкод кодcvv кодcvc кодcvv2 кодcvc2 seccode cardseccode securityno securitynumber
      beveiligingscode veiligheidscode sicherheitsnummer kartenprüfziffer prüfcode pruefcode
      kontrollnummer säkerhetskod sikkerhedskode sikkerhetskode turvakoodi öryggisnúmer
      kodzabezpieczający kodbezpieczeństwa bezpečnostníkód bezpečnostnýkód biztonságikód
      coddesecuritate кодбезопасности кодбезпеки кодпроверки güvenlikkodu güvenlikkod κωδικόςασφαλείας
      codidiseguretat segurtasunkodea mãbảomật mabaomat kodekeamanan kodkeselamatan
      安全码 安全碼 卡安全码 信用卡安全码 校验码 验证值 cvv码 cvc码 カード確認番号 セキュリティコード
      セキュリティ番号 보안코드 보안번호 카드보안코드 cvc번호 cvv번호 रमज़ सुरक्षाकोड रक्षाकोड
      รหัสความปลอดภัย รหัสcvv رمزالأمان رمزالامان قודאבטחה קודאבטחה кодcvc`),
  ],
  [
    PIN,
    list(
      `pin pvv pinoffset pinnumber pinno pinvalue cardpin atmpin debitpin pinentry cardpinnumber
      pinverificationvalue clearpin plainpin pinnummer geheimzahl pinкод пинкод пин кодpin кодпин
      codepin códigopin codigopin codicepin clavepin nippin numéropin pintal pinkode pinkod pinkoodi
      暗証番号 暗證番号 密码pin pin码 pin碼 핀번호 비밀번호핀 รหัสพิน الرقمالسري`,
    ),
  ],
  [PIN | POSTAL, list('pincode pincodes')],
  [BLOCK, list('pinblock encryptedpinblock pinblockhex epb pinblk')],
  [
    TRACK,
    list(`track track1 track2 track3 trackdata track1data track2data track1raw track2raw trackone
      tracktwo magstripe magstripedata magneticstripe magneticstripedata track2equivalent
      track2equivalentdata swipedata`),
  ],
  [CID, list('cid')],
  [
    FILLER,
    list(`is are was code codes number numbers no nr num of value the and ist lautet es est è é
      de di la del seguridad segurança seguranca sicurezza sécurité securite verification visuel
      код кода kod kode číslo numer numero 番号 コード 번호 코드 码
      id ids ref reference n nº nro núm num° numéro número numero
      my your our his her for to was ist war lautete e y und et van til för für iso format`),
  ],
  [
    CHILD,
    list(`value values raw number num no text data digits content val default example const
      stringvalue integervalue longvalue intvalue numbervalue doublevalue s n v $numberint
      $numberlong $numberdecimal $string`),
  ],
  [CELL, list('v value val')],
  [
    LIST,
    list(
      'columns cols fields rowtype meta thead keys columnmetadata headers header columnnames fieldnames columnlist schema head names',
    ),
  ],
  [
    NEARBY,
    list(`security exp expiry expires expiration expiring gültig ablaufdatum vencimiento checkout
      prepaid declined charge charged`),
  ],
  [
    NAME,
    list(`name column columnname field fieldname header label key title attribute attributename
      property propertyname param parameter variable question`),
  ],
]
/** Single words that speak of cards wherever they stand in a name or a sentence. */
const contextWords = new Set(
  list(`card cards credit debit pan ccn cc cardholder visa mastercard master amex discover maestro
    jcb unionpay diners mir rupay troy elo uatp verve karte kreditkarte kartennummer kreditkartennummer
    tarjeta carte cartão cartao carta bancaire карта карты カード 卡号 银行卡 creditcard debitcard
    cardnumber cardno primaryaccountnumber`),
)
/** Single words that say what else a number is, wherever they stand in a name. */
/** Things whose `…_id` and `…_number` are no card. */
const otherThings = new Set(
  list(`job task run batch event message msg request correlation session trace span case ticket meter
    policy device node host pod container process worker build commit issue product item article asset
    sensor station vehicle flight booking reservation thread channel guild post comment status tweet
    transaction txn customer user employee receipt part license licence passport chat campaign ad
    listing booking client vendor supplier visitor subscriber page app snapshot deployment revision document file record row batch lot serial claim contract shipment`),
)
const otherWords = new Set(
  list(`order orders pspreference vorgang vorgangsnummer createdat updatedat offset seed po auftrag auftragsnummer ordre zamówienie orderid orderno ordernumber ordernr orderref invoice invoiceid invoiceno
    invoicenumber purchaseorder tracking trackingid trackingno trackingnumber shipment shipping parcel
    waybill consignment awb imei imeisv meid esn iccid imsi sim euicc msisdn phone phonenumber telephone tel
    mobile cell fax whatsapp isbn issn ean gtin upc sku sscc barcode serial serialno serialnumber
    rrn mid tid stan arn merchantid terminalid networktransactionid authcode approvalcode timestamp
      timestamps ts epoch unixtime nanos millis micros nonce hash sha sha1 sha256 md5 checksum
    digest commit uuid guid snowflake tweet traceid spanid latitude longitude lat lng lon coordinates
    build buildnumber siret siren npi vin bestellnummer bestellung rechnung rechnungsnummer
    sendungsnummer telefon handy pedido factura teléfono telefono commande facture téléphone ordine
    fattura encomenda`),
)
/** Every name that means one of `flags`, as it is compared: lower case, without `_-. `. */
export function namesOf(flags: number): string[] {
  return meanings.flatMap(([meaning, names]) => ((meaning & flags) === 0 ? [] : names))
}

const whole = new Map<string, number>()
for (const [meaning, names] of meanings) {
  for (const name of names) whole.set(name, (whole.get(name) ?? 0) | meaning)
}
/** Meanings which a name keeps when other words stand before it: `billing_card_number`. */
const endings = CARD | CVV | PIN | BLOCK | TRACK | CID | POSTAL
/** Words after which `pin` or `code` mean something else. */
const innocent = new Set(list('postal zip map drop push gpio led wifi product promo country error'))

/** Names of numbers of other kinds. */
export const otherNames: readonly string[] = [...otherWords, ...otherThings]

function wordsOf(name: string): string[] {
  return name
    .slice(0, 96)
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[\s_\-./:[\]()'"`#]+/u)
    .filter((word) => word !== '')
}

/** The meanings of a name, as a sum of the flags above. Slow: `Names` remembers. */
export function meaningOf(name: string): number {
  if (/^(?:[A-Z]?[a-z]*|[A-Z]+)[0-9]*$/.test(name)) {
    const word = name.toLowerCase()
    const other = otherWords.has(word) ? OTHER_NUMBER : 0
    return (whole.get(word) ?? 0) | (contextWords.has(word) ? CONTEXT : 0) | other
  }
  const words = wordsOf(name)
  let meaning = whole.get(words.join('')) ?? 0
  let ending = ''
  for (let i = words.length - 1; i > 0 && i > words.length - 6; i--) {
    ending = (words[i] ?? '') + ending
    if (innocent.has(words[i - 1] ?? '')) break
    meaning |= (whole.get(ending) ?? 0) & endings
  }
  const cards = words.findLastIndex((word) => contextWords.has(word))
  const isNumbered = /^(?:id|ids|no|nr|num|number|ref)$/.test(words.at(-1) ?? '')
  const other = words.findLastIndex(
    (word, i) =>
      otherWords.has(word) || (isNumbered && i === words.length - 2 && otherThings.has(word)),
  )
  if (other > cards) meaning |= OTHER_NUMBER
  if (cards >= 0) {
    meaning |= CONTEXT
    // `Card #` is a column of numbers.
    if (cards === words.length - 1 && /#\s*$/.test(name)) meaning |= CARD
    // `card: {number}` and `card_numero` are the same thing said in two ways.
    if (
      cards < words.length - 1 &&
      other < cards &&
      /^(number|num|no|nr|numero|número)$/.test(words.at(-1) ?? '')
    ) {
      meaning |= CARD
    }
  }
  return meaning
}

/** A pattern of a configured column as a test on a key; only its last part counts, since results
 *  name columns without their table. */
function columnTest(glob: string): (name: string) => boolean {
  const last = glob.toLowerCase().split('.').at(-1) ?? ''
  const source = last.replaceAll(/[\\^$+?.()|[\]{}]/g, String.raw`\$&`).replaceAll('*', '.*')
  const pattern = new RegExp(`^${source}$`, 'u')
  return (name) => pattern.test(name) || pattern.test(name.split('.').at(-1) ?? '')
}

const slots = 4096
const entriesMax = 2048
const nameBytesMax = 64
const wordSlots = 512
const wordBytesMax = 24
const decoder = new TextDecoder()

/**
 * Remembers what names mean by their bytes, since a result repeats each key in every row. Bounded:
 * when full it forgets everything at the next `begin`. Names with long digit runs are not kept.
 */
export class Names {
  readonly #columns: readonly ((name: string) => boolean)[]
  readonly #table = new Int32Array(slots)
  readonly #hashes = new Int32Array(entriesMax)
  readonly #starts = new Int32Array(entriesMax)
  readonly #lengths = new Int32Array(entriesMax)
  readonly #meanings = new Int32Array(entriesMax)
  readonly #arena = new Uint8Array(entriesMax * nameBytesMax)
  readonly #words = new Uint8Array(wordSlots * wordBytesMax)
  readonly #wordLengths = new Uint8Array(wordSlots)
  readonly #wordMeanings = new Int32Array(wordSlots)
  #count = 1 // 0 marks an empty slot.
  #used = 0

  /** @param columns globs of further card columns. */
  constructor(columns: readonly string[]) {
    this.#columns = columns.map(columnTest)
  }

  /** To be called between messages: an id stays valid within one. */
  begin(): void {
    if (this.#count < entriesMax / 2) return
    this.#table.fill(0)
    this.#count = 1
    this.#used = 0
  }

  /**
   * The id of a name, the same for the same bytes within one message; negative when it is not
   * remembered (then `-id - 1` are its meanings).
   */
  id(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length > nameBytesMax) return -1 - this.meaning(bytes, start, end)
    let hash = length
    for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + (bytes[i] ?? 0)
    hash ^= hash >>> 15
    let slot = hash & (slots - 1)
    for (;;) {
      const entry = this.#table[slot] ?? 0
      if (entry === 0) return this.#add(bytes, start, end, hash, slot)
      if (this.#hashes[entry] === hash && this.#isSame(entry, bytes, start, length)) return entry
      slot = (slot + 1) & (slots - 1)
    }
  }

  /** The meanings behind an id. */
  of(id: number): number {
    return id < 0 ? -1 - id : (this.#meanings[id] ?? 0)
  }

  /**
   * The meanings of a word of a text. Remembered too, but apart from the names of keys: texts have
   * more words than results have columns, so a newer word takes the place of an older one.
   */
  word(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length > wordBytesMax) return length > nameBytesMax ? 0 : this.meaning(bytes, start, end)
    let hash = length
    for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + (bytes[i] ?? 0)
    const slot = (hash ^ (hash >>> 15)) & (wordSlots - 1)
    const at = slot * wordBytesMax
    let same = this.#wordLengths[slot] === length ? 0 : -1
    while (same >= 0 && same < length && this.#words[at + same] === bytes[start + same]) same++
    if (same === length) return this.#wordMeanings[slot] ?? 0
    const meaning = this.meaning(bytes, start, end)
    this.#wordLengths[slot] = length
    this.#wordMeanings[slot] = meaning
    this.#words.set(bytes.subarray(start, end), at)
    return meaning
  }

  /** The meanings of the name in these bytes (UTF-8), configured columns included. */
  meaning(bytes: Uint8Array, start: number, end: number): number {
    const name = decoder.decode(bytes.subarray(start, Math.min(end, start + 256)))
    return this.meaningOfText(name)
  }

  meaningOfText(name: string): number {
    const isColumn = this.#columns.some((test) => test(name.toLowerCase()))
    return meaningOf(name) | (isColumn ? CARD : 0)
  }

  #isSame(entry: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#lengths[entry] !== length) return false
    const at = this.#starts[entry] ?? 0
    for (let i = 0; i < length; i++) if (this.#arena[at + i] !== bytes[start + i]) return false
    return true
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const meaning = this.meaning(bytes, start, end)
    const entry = this.#count
    let digits = 0
    for (let i = start; i < end; i++) if (((bytes[i] ?? 0) ^ 48) < 10) digits++
    if (entry >= entriesMax || digits >= 8) return -1 - meaning
    this.#count++
    this.#table[slot] = entry
    this.#hashes[entry] = hash
    this.#starts[entry] = this.#used
    this.#lengths[entry] = end - start
    this.#meanings[entry] = meaning
    this.#arena.set(bytes.subarray(start, end), this.#used)
    this.#used += end - start
    return entry
  }
}
