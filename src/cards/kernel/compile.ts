/** Makes `kernel.wasm` of its source: `node src/cards/kernel/compile.ts`. Needed while building only. */
import { readFileSync, writeFileSync } from 'node:fs'

/** The part of the compiler that is used. Its own types would change those of `console` everywhere. */
interface Compiler {
  main(
    args: readonly string[],
    host: {
      readFile(name: string): string | null
      writeFile(name: string, contents: Uint8Array | string): void
      listFiles(): string[]
    },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>
}
const compilerName: string = 'assemblyscript/asc'
const isCompiler = (value: unknown): value is Compiler =>
  typeof value === 'object' && value !== null && 'main' in value

const flags =
  '-O3 --noAssert --converge --runtime stub --enable simd --use abort= --zeroFilledMemory --initialMemory 8 --maximumMemory 8'

/**
 * The module, compiled anew: the same bytes for the same source and compiler.
 * @throws {Error} with what the compiler has to say when the source is not right.
 */
export async function compileKernel(): Promise<Uint8Array> {
  const module: unknown = await import(compilerName)
  const asc: unknown = Reflect.get(Object(module), 'default')
  if (!isCompiler(asc)) throw new Error('The compiler is not installed.')
  let made: Uint8Array | undefined
  // The compiler knows its sources as `.ts`; here they are `.as`, since they are no TypeScript.
  const { error, stderr } = await asc.main(
    ['kernel.ts', ...flags.split(' '), '--outFile', 'kernel.wasm'],
    {
      readFile: (name) => {
        if (!/^[a-z0-9]+\.ts$/.test(name)) return null
        try {
          return readFileSync(new URL(name.replace(/ts$/, 'as'), import.meta.url), 'utf8')
        } catch {
          return null // It asks for folders and declarations too.
        }
      },
      writeFile: (_, contents) => {
        if (typeof contents !== 'string') made = contents
      },
      listFiles: () => [],
    },
  )
  if (error !== null || made === undefined) throw new Error(stderr.toString(), { cause: error })
  return made
}

if (import.meta.main) {
  writeFileSync(new URL('kernel.wasm', import.meta.url), await compileKernel())
}
