/** Request headers: names in lower case, values as latin1 text, as HTTP has them. */
export interface HeaderView {
  /** The value; for a field sent more than once, whatever the listener makes of it. */
  get(name: string): string | undefined
  /** How many times the field was sent. */
  count(name: string): number
}
