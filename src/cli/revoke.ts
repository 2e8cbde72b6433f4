/** `sallyport revoke`: its options, and what is asked. */
import type { Outlets } from './ask.ts'
import type { AskPeople } from './ask-people.ts'
import type { Where } from './installation.ts'
import { momentForms, parseMoment } from './moments.ts'
import type { StopAsked, ToStop } from './people-asked.ts'

export interface RevokeOptions extends Where {
  readonly client?: string | undefined
  readonly token?: string | undefined
  readonly signIn?: string | undefined
  readonly connection?: string | undefined
  readonly everything?: boolean | undefined
  readonly reason?: string | undefined
  readonly at?: string | undefined
  readonly list?: boolean | undefined
  readonly lift?: string | undefined
  readonly json?: boolean | undefined
}

/** @returns 0; 2 unless exactly one thing is asked for. @throws {Fault} as the gateway answers. */
export async function revokeCommand(
  principal: string | undefined,
  options: RevokeOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  const asked = askedOf(principal, options, Date.now())
  if (typeof asked !== 'string') return await ask(asked, options, outlets)
  outlets.errors.write(`${asked}\n`)
  return 2
}

/** @returns what is asked, or what is wrong with the options. */
function askedOf(
  principal: string | undefined,
  options: RevokeOptions,
  nowMs: number,
): StopAsked | string {
  const { at, json, lift, list, reason } = options
  const format = json === true ? 'jsonl' : 'text'
  const stops = stopsOf(principal, options)
  if (stops.length + (list === true ? 1 : 0) + (lift === undefined ? 0 : 1) !== 1) {
    return 'Name one thing: a principal, --client, --token, --sign-in, --connection, --everything, --list or --lift.'
  }
  if (at !== undefined && stops.length === 0) return '--at is for a stop.'
  if (list === true) return { what: 'revocations', format }
  if (lift !== undefined) {
    if (reason === undefined || reason === '') return '--lift needs a --reason, for the record.'
    return { what: 'lift', id: lift, reason, format }
  }
  const [stop] = stops
  if (stop === undefined) return 'Name what is to be stopped.'
  const atMs = at === undefined ? undefined : parseMoment(at, nowMs)
  if (Number.isNaN(atMs)) return `--at is a moment: ${momentForms}.`
  return { what: 'revoke', stop, reason: reason || 'none given', atMs, format }
}

function stopsOf(principal: string | undefined, options: RevokeOptions): ToStop[] {
  const { client, connection, everything, signIn, token } = options
  return [
    ...(principal === undefined ? [] : [{ principal }]),
    ...(client === undefined ? [] : [{ client }]),
    ...(token === undefined ? [] : [{ token }]),
    ...(signIn === undefined ? [] : [{ signIn }]),
    ...(connection === undefined ? [] : [{ connection }]),
    ...(everything === true ? [{ everything } as const] : []),
  ]
}
