/** What a provider elsewhere did not do: answer, or say who somebody is. */
import { Fault } from '../base/fault.ts'

/** Nobody is let in while a provider cannot be asked. */
export function providerDown(reason: string, cause?: unknown, detail?: string): Fault {
  const message =
    'The company’s sign-in cannot be reached at this moment. Nobody can sign in by it until it can.'
  return new Fault('identity_down', message, { facts: { reason, ...detailOf(detail) }, cause })
}

/** What came from a provider proves nothing. */
export function providerRefused(reason: string, cause?: unknown, detail?: string): Fault {
  const message = 'The company’s sign-in did not say who you are in a way that can be believed.'
  return new Fault('refused', message, { facts: { reason, ...detailOf(detail) }, cause })
}

function detailOf(detail: string | undefined): { readonly detail?: string } {
  return detail === undefined ? {} : { detail }
}
