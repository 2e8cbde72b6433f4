/**
 * The verifier that lies in a pack: our own modules as they are, without their types, so that a Node
 * of any later version runs them as files and whoever wants to can read them. Which ones is found by
 * following what they import; anything but Node's own modules besides is a defect.
 */
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { assert } from '../base/assert.ts'

/** `.ts` in a clone, `.js` in what is published. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
const sources = new URL('../', import.meta.url)
const importing = /((?:^|\n)import\b[^'"(;]*['"]|\bimport\(\s*['"])([^'"\n]+)(['"])/g

export interface VerifierFile {
  /** Below the pack. */
  readonly path: string
  readonly text: string
}

/** `verify.mjs` and all that it needs below `verifier/`. */
export async function* verifierFiles(): AsyncGenerator<VerifierFile> {
  const first = 'verify/main'
  const waiting = [first]
  const known = new Set(waiting)
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const file = new URL(`${name}${extension}`, sources)
    const source = await readFile(file, 'utf8')
    const plain = extension === '.ts' ? stripTypeScriptTypes(source) : source
    const text = plain.replace(importing, (all, before: string, to: string, after: string) => {
      if (to.startsWith('node:')) return all
      assert(to.startsWith('.') && to.endsWith(extension), 'a verifier needs nothing but Node')
      const target = new URL(to, file).href.slice(sources.href.length, -extension.length)
      if (!known.has(target)) waiting.push(target)
      known.add(target)
      const there =
        name === first ? `./verifier/${target}.mjs` : `${to.slice(0, -extension.length)}.mjs`
      return `${before}${there}${after}`
    })
    yield { path: name === first ? 'verify.mjs' : `verifier/${name}.mjs`, text }
  }
}
