/**
 * Every way a request can fail. `exchange/answer.ts` maps each to its HTTP status and JSON-RPC code;
 * add one here and that file compiles only with its answer.
 */
export type FaultCode =
  // who is calling
  | 'no_identity'
  | 'identity_down'
  | 'connection_refused'
  | 'connection_unknown'
  | 'connection_stopped'
  | 'all_stopped'
  // what was asked
  | 'tool_unknown'
  | 'target_unknown'
  | 'refused'
  | 'bad_json'
  | 'bad_request'
  | 'bad_params'
  | 'header_mismatch'
  | 'version_unsupported'
  | 'batch_refused'
  // how it was sent
  | 'host_refused'
  | 'origin_refused'
  | 'media_unsupported'
  | 'not_acceptable'
  | 'method_not_allowed'
  | 'path_unknown'
  | 'too_large'
  | 'too_slow'
  | 'rate_limited'
  | 'session_unknown'
  | 'session_missing'
  // what failed on our side
  | 'busy'
  | 'stopping'
  | 'record_down'
  | 'record_full'
  | 'mask_failed'
  | 'span_outside'
  | 'span_overlap'
  | 'config_bad'
  | 'secret_missing'
  | 'defect'
  // what failed behind us
  | 'upstream_down'
  | 'upstream_timeout'
  | 'upstream_bad'
  | 'answer_too_large'
  | 'answer_suspicious'
  | 'cancelled'

/** What a fault may carry besides its text: codes, counts, names of fields. Never a value sent. */
export type FaultFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>

/**
 * The only error class thrown on purpose. The message says what happened, what it means and what to
 * do; it is built from codes, offsets, lengths and field names, never from values that were sent.
 */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  /** For the record and for the answer: safe values only. `reason` is the machine's word for why. */
  readonly facts: FaultFacts

  constructor(code: FaultCode, message: string, options?: ErrorOptions & { facts?: FaultFacts }) {
    super(message, options)
    this.code = code
    this.facts = options?.facts ?? {}
  }
}
