/** Why something that was read proves nothing. `..._malformed` is about form, the others about truth. */
export type UnprovenCode =
  | 'note_malformed'
  | 'checkpoint_malformed'
  | 'proof_malformed'
  | 'request_malformed'
  | 'policy_malformed'
  | 'envelope_malformed'
  | 'bundle_malformed'
  | 'tile_malformed'
  | 'key_malformed'
  /** A key of a kind which this Node, or this verifier, cannot check. */
  | 'key_unsupported'
  /** A line of a key we know does not fit the text: the whole note is refused. */
  | 'signature_bad'
  /** No line of a key we know. */
  | 'signature_missing'
  /** Signed, but by or about another log than the one asked for. */
  | 'origin_other'
  | 'inclusion_bad'
  | 'quorum_missing'

/**
 * Thrown when bytes from outside do not prove what they should. The code is for programs, the
 * message for people; neither quotes what was read.
 */
export class Unproven extends Error {
  override readonly name = 'Unproven'
  readonly code: UnprovenCode

  constructor(code: UnprovenCode, message: string) {
    super(message)
    this.code = code
  }
}
