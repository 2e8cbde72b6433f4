/** How families without any secret are made: everything in them must come out byte for byte. */
import type { Family } from '../corpus.ts'
import type { Draw } from '../draw.ts'
import { surrounded, textMessage, valueMessage } from '../envelopes.ts'
import type { Value } from '../print.ts'
import type { Scene } from '../scene.ts'

export const family = (name: string, build: (scene: Scene) => string): Family => ({
  name,
  group: 'negative',
  build,
})

/** A text of lines, in one of the places for texts. */
export const lines = (name: string, make: (draw: Draw) => string): Family =>
  family(name, (scene) => textMessage(scene, surrounded(scene, make(scene.draw))))

export const value = (name: string, make: (draw: Draw) => Value): Family =>
  family(name, (scene) => valueMessage(scene, make(scene.draw)))

/** Some of the members, at least two: so that no single one stands in every case. */
export const some = (draw: Draw, members: { readonly [key: string]: Value }): Value => {
  const list = draw.shuffle(Object.entries(members))
  return Object.fromEntries(list.slice(0, draw.int(2, Math.max(2, list.length - 2))))
}

export const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))
