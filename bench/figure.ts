/** One line of what the benchmark finds, with its goal beside it. */
export interface Figure {
  readonly name: string
  readonly value: number
  /** `ratio`, `ms`, `MB`, `KB`, `GB/s`, `1/s`, `k instructions`. */
  readonly unit: string
  readonly atLeast?: number
  readonly atMost?: number
}

/** Whether a figure reaches its goal; undefined when it has none or could not be measured. */
export function reaches(figure: Figure): boolean | undefined {
  if (Number.isNaN(figure.value)) return undefined
  if (figure.atLeast !== undefined) return figure.value >= figure.atLeast
  if (figure.atMost !== undefined) return figure.value <= figure.atMost
  return undefined
}

/** The middle of a list, or the mean of its two middles; NaN of an empty one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? NaN)) / 2
}

/** A number in few digits: `0.652`, `12.4`, `40800`. */
export function short(value: number): string {
  if (Number.isNaN(value)) return 'not measured'
  const size = Math.abs(value)
  if (size >= 100) return String(Math.round(value))
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3)
}
