import { inspect } from 'node:util'

const shown = '[secret]'

/** A value which shows itself only to whoever asks for it by name: not to logs, JSON or templates. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  /** The value. Put it where it is needed and nowhere else. */
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return shown
  }
  toJSON(): string {
    return shown
  }
}

// Beside the class: a computed name in it would have no type under isolated declarations.
Object.defineProperty(Secret.prototype, inspect.custom, { value: () => shown })
