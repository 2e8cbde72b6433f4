/** The figures of single parts, each measured by a file of its own without the rest of the way. */
import type { Figure } from './figure.ts'
import { maskFigures } from './mask.ts'
import { recordFigures } from './record.ts'
import { scanFigures } from './scan.ts'
import { benchSearch } from './search.ts'
import { sqlFigures } from './sql.ts'
import { transportFigures } from './transport.ts'
import { benchVerify } from './verify.ts'
import { wireFigures } from './wire.ts'

/** Reading speeds asked of the span reader, in MB/s on one core. */
const readGoals: Readonly<Record<string, number>> = {
  'prose in one text item': 1000,
  'dense rows as structuredContent': 400,
}

/** Speeds asked of the scanner, in GB/s on one core. */
const scanGoals: Readonly<Record<string, number>> = {
  '1MB rows': 1.5,
  '1MB prose': 4,
  '1MB all digits': 0.25,
}

/** Runs the wanted parts one after the other. */
export async function partFigures(
  wanted: (name: string) => boolean,
  isQuick: boolean,
): Promise<Figure[]> {
  const found: Figure[] = []
  if (wanted('wire')) {
    for (const { name, mbPerSec } of wireFigures()) {
      const atLeast = readGoals[name]
      const figure = { name: `read, ${name}`, value: mbPerSec, unit: 'MB/s' }
      found.push(atLeast === undefined ? figure : { ...figure, atLeast })
    }
  }
  if (wanted('record')) found.push(...(await recordFigures(isQuick)))
  if (wanted('verify')) found.push(...(await benchVerify(isQuick ? 20_000 : 1_000_000)))
  if (wanted('search')) found.push(...(await benchSearch(isQuick ? 20_000 : 1_000_000)))
  if (wanted('transport')) found.push(...(await transportFigures(isQuick)))
  if (wanted('scan')) {
    for (const { name, gbPerSec } of scanFigures(isQuick ? 30 : 100)) {
      const atLeast = scanGoals[name]
      const figure = { name: `quick look, ${name}`, value: gbPerSec, unit: 'GB/s' }
      found.push(atLeast === undefined ? figure : { ...figure, atLeast })
    }
  }
  if (wanted('sql')) found.push(...(await sqlFigures(isQuick ? 200 : 2000)))
  if (wanted('mask')) {
    for (const { name, bytes, maskUs } of maskFigures(isQuick ? 30 : 150)) {
      found.push({ name: `mask, ${name}`, value: bytes / maskUs / 1000, unit: 'GB/s' })
    }
  }
  return found
}
