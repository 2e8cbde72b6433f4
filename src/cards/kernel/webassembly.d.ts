/** What the kernel needs of WebAssembly (W3C WebAssembly JavaScript Interface), which the types of Node
 *  leave to those of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module)
    readonly exports: Record<string, unknown>
  }
  class Memory {
    private constructor()
    readonly buffer: ArrayBuffer
  }
  class Global {
    private constructor()
    readonly value: unknown
  }
}
