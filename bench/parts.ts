/** The figures of single parts, each measured by a file of its own without the rest of the way. */
import { existsSync } from 'node:fs'
import type { Figure } from './figure.ts'
import { maskFigures } from './mask.ts'

const parts = ['wire', 'record', 'transport'] as const

/** Runs the wanted parts one after the other. */
export async function partFigures(
  wanted: (name: string) => boolean,
  isQuick: boolean,
): Promise<Figure[]> {
  const found: Figure[] = []
  for (const part of parts.filter(wanted)) {
    const file = new URL(`./${part}.ts`, import.meta.url)
    if (!existsSync(file)) continue
    const module: Record<string, (isQuick: boolean) => Promise<Figure[]>> = await import(file.href)
    found.push(...((await module[`${part}Figures`]?.(isQuick)) ?? []))
  }
  if (wanted('mask')) {
    for (const { name, bytes, maskUs } of maskFigures(isQuick ? 30 : 150)) {
      found.push({ name: `mask, ${name}`, value: bytes / maskUs / 1000, unit: 'GB/s' })
    }
  }
  return found
}
