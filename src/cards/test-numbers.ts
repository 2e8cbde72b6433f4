/**
 * The card numbers which payment processors publish for tests. They are treated as any other (data
 * of production holds them, and whoever wants a number let through could choose one), unless a
 * connection's `mask.test_numbers` says `pass`.
 */

/** By who published them first here; a dot stands before the last four. Read in November 2026. */
export const testNumbers: readonly (readonly [source: string, numbers: string])[] = [
  [
    'Stripe, "Testing": cards by brand (docs.stripe.com/testing)',
    `424242424242.4242 400005665566.5556 555555555555.4444 222300312200.3222 520082828282.8210
    510510510510.5100 37828224631.0005 37144963539.8431 601111111111.1117 601100099013.9424
    601198111111.1113 305693000902.0004 3622720627.1667 655590000060.4105 356600202036.0505
    620000000000.0005 620000000000.0047 620550000000000.0004 401288888888.1881 3056930902.5904
    3852000002.3237 353011133330.0000`,
  ],
  [
    'Stripe, "Testing": countries, declines, checks, authentication, disputes',
    `400000076000.0002 400000124000.0000 400000484000.8001 400000040000.0008 400000276000.0016
    400000826000.0000 400000000000.0002 400000000000.0010 400000000000.0028 400000000000.0036
    400000000000.0044 400000000000.0069 400000000000.0077 400000000000.0093 400000000000.0101
    400000000000.0119 400000000000.0127 400000000000.0259 400000000000.0341 400000000000.9995
    400000000000.3220 400000276000.3184 400000250000.3155`,
  ],
  [
    'PayPal, "Test credit card account numbers" (paypalobjects.com)',
    `37873449367.1000 561059108101.8250 411111111111.1111 422222222.2222 501971701010.3742
    633110199999.0016`,
  ],
  [
    'Braintree, "Testing" (developer.paypal.com/braintree)',
    `3625960000.0004 601100099130.0009 630400000000.0000 222300004840.0011 400551920000.0004
    400934888888.1881 401200003333.0026 401200007777.7777 421765111111.1119 450060000000.0061
    402349000000.0008 400904000000.0009 3852000000.9814`,
  ],
  [
    'Authorize.Net, "Testing guide" (developer.authorize.net)',
    `37000000000.0002 601100000000.0012 308800000000.0017 3800000000.0006 400700000.0027
    401288881.8888 542400000000.0015 222300001030.9703 222300001030.9711 622149905336.0818`,
  ],
  [
    'Worldpay, "Card payment testing" (developer.worldpay.com)',
    `34343434343.4343 601100040000.0000 352800070000.0000 675964982643.8453 545454545454.5454
    222100000000.0009 516361361361.3613 444433332222.1111 491183000.0000 491761000000.0000
    446203000000.0000 491761000000000.0003 491730080000.0000`,
  ],
  [
    'Adyen, "Test card numbers" (docs.adyen.com)',
    `510008111222.3332 510029002900.2909 557700005577.0004 513633333333.3335 558555855585.5583
    555544443333.1111 550000000000.0004 498843884388.4305 416667666766.6746 464646464646.4644
    440000000000.0008 497794949494.9497`,
  ],
  [
    'Square, "Sandbox payments" (developer.squareup.com)',
    '601100000000.0004 3000000000.0004 356999001009.5841 34000000000.0009',
  ],
  [
    'Cybersource, "Testing credit card services" (apps.cybersource.com)',
    `356611111111.1113 5033961989.0917 58682416082553.3338 675941110000.0008 675956004500572.7054
    564182111116.6669 222242000000.1113 222263000000.1125 13541234567.8911`,
  ],
  [
    'PAYONE, "Test data" (docs.payone.com)',
    `411112101111.1111 411113101011.1111 411114101111111.1116 272099000000.0015
    352800000000.0007`,
  ],
  [
    'Checkout.com, "Testing" (checkout.com/docs)',
    `454347400224.9996 543603103060.6378 222300001047.9399 519999231264.1465 34567890123.4564
    3012345678.9019 465858409000.0001`,
  ],
]

const tailDigits = 8
/** Tails by what stands before them; no string is made of a number that is asked for. */
const tailsByHead = new Map<number, Set<number>>()
for (const [, numbers] of testNumbers) {
  for (const number of numbers.replaceAll('.', '').split(/\s+/)) {
    const head = Number(number.slice(0, -tailDigits)) * 32 + number.length
    const tails = tailsByHead.get(head) ?? new Set()
    tailsByHead.set(head, tails.add(Number(number.slice(-tailDigits))))
  }
}

/** Whether the first `length` of `digits` (values 0–9) are one of the published test numbers. */
export function isTestNumber(digits: Uint8Array, length: number): boolean {
  let head = 0
  let tail = 0
  for (let i = 0; i < length; i++) {
    if (i < length - tailDigits) head = head * 10 + (digits[i] ?? 0)
    else tail = tail * 10 + (digits[i] ?? 0)
  }
  return tailsByHead.get(head * 32 + length)?.has(tail) === true
}
