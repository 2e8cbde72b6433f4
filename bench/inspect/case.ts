/** What the corpus is made of: one argument of one call, and whether it is an attack. */
import type { Draw } from '../detect/draw.ts'

export interface Case {
  readonly id: string
  readonly family: string
  readonly isAttack: boolean
  /** Drawn by templates that were not looked at while the detectors were made. */
  readonly isHeldOut: boolean
  readonly tool: string
  readonly argument: string
  readonly value: string
}

/** One family of texts. `where` names tools with the argument that takes such a text. */
export interface Family {
  readonly name: string
  readonly isAttack: boolean
  readonly isHeldOut: boolean
  readonly weight: number
  readonly where: readonly (readonly [tool: string, argument: string])[]
  readonly make: (draw: Draw) => string
}

/** Fills `{name}` in a template by drawing from lists; `{n}` is a small number. */
export function fill(
  draw: Draw,
  template: string,
  lists: Readonly<Record<string, readonly string[]>>,
): string {
  return template.replaceAll(/\{(\w+)\}/g, (all, name: string) => {
    if (name === 'n') return String(draw.int(1, 12))
    if (name === 'big') return String(draw.int(100, 99_999))
    const list = lists[name]
    return list === undefined ? all : draw.pick(list)
  })
}
