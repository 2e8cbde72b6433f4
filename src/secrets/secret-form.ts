/** What a secret must look like, whatever keeps it. */
import { Fault } from '../base/fault.ts'

/** What the value is for: `header` values hold no control characters, `pem` may have lines. */
export type SecretForm = 'header' | 'pem'

/**
 * @param where the key of the configuration that names the secret. @param what keeps it, in words.
 * @throws {Fault} `secret_missing` when there is no value or it has not the form.
 */
export function checkForm(
  value: string | undefined,
  form: SecretForm,
  where: string,
  what: string,
): string {
  if (value === undefined) throw missing(where, `its ${what} is not set`)
  if (value === '') throw missing(where, `its ${what} is empty`)
  // Header values: RFC 9110 §5.5. A line break would be a header of its own.
  if (form === 'header' && !/^[\u0021-\u007e](?:[\u0020-\u007e\t]*[\u0021-\u007e])?$/.test(value)) {
    throw missing(where, `its ${what} holds line breaks, outer blanks or characters outside ASCII`)
  }
  if (form === 'pem' && !value.includes('-----BEGIN ')) {
    throw missing(where, `its ${what} is not in PEM form`)
  }
  return value
}

/** @param why a clause; never a value. @param reason the machine's word for it, where there is one. */
export function missing(where: string, why: string, cause?: unknown, reason?: string): Fault {
  const message = `The secret of ${where} cannot be used: ${why}. Nothing is sent without it.`
  const facts = { where, ...(reason === undefined ? {} : { reason }) }
  return new Fault('secret_missing', message, { cause, facts })
}
