/** How one try to tell a receiver ended. */
export type Outcome =
  | {
      readonly isSent: true
      /** Of an e-mail: addresses the server did not take. */
      readonly rejected?: number
    }
  | {
      readonly isSent: false
      /** The machine's word: `timeout`, `tls`, `status_503`. Never a word of an answer or address. */
      readonly reason: string
      /** This message is not taken, others perhaps are: trying again soon changes little. */
      readonly isRefused: boolean
      /** The receiver asks to be left alone for so long. */
      readonly afterMs?: number
    }

export function failed(reason: string, more?: { isRefused?: boolean; afterMs?: number }): Outcome {
  const { afterMs, isRefused = false } = more ?? {}
  return { isSent: false, reason, isRefused, ...(afterMs === undefined ? {} : { afterMs }) }
}

/** Codes of node and of the clients; what they mean for whoever looks after it. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EDNS') return 'dns'
  if (code === 'ERR_FORBIDDEN_ADDRESS') return 'address'
  if (code === 'ETIMEDOUT' || code.endsWith('_TIMEOUT')) return 'timeout'
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'smtp_auth'
  return tlsCode.test(code) ? 'tls' : 'unreachable'
}

const tlsCode =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_|EPROTO$|ETLS)/

/** The mail client puts its own code over that of the system, which says more. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const codes: unknown[] = [Reflect.get(error, 'originalCode'), Reflect.get(error, 'code')]
  const found = codes.find((code) => typeof code === 'string')
  return typeof found === 'string' ? found : ''
}
