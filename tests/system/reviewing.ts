/** A reviewer of a whole gateway in this process, who decides in the way of a signed-in session. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Ticket, TicketState } from '../../src/hold/ticket.ts'
import { openHouse } from './house.ts'
import type { House, HouseOptions } from './house.ts'

/** Everything whose name begins with `add`, and whatever is read or prompted, waits for a person. */
export const heldRules = `
console: { roles: { approver: { group: approvers } } }
rules:
  - { name: adding-waits, when: 'call.tool.startsWith("add")', effect: hold, reason: Adding needs a person., expires: 5m }
  - { name: reading-waits, when: 'call.method == "resources/read"', effect: hold, reason: Reading needs a person. }
  - { name: prompts-wait, when: 'call.method == "prompts/get"', effect: hold, reason: Prompts need a person. }
`

export interface Desk {
  readonly house: House
  decide(id: string, decision: 'approve' | 'deny', house?: House): Promise<void>
  /** The one ticket that waits for this row, as soon as there is one. */
  waiting(about: string | number): Promise<Ticket>
  /** Waits for it and decides on it. @returns its id. */
  settle(about: string | number, decision: 'approve' | 'deny'): Promise<string>
  stateOf(id: string): TicketState | undefined
}

const session = { key: 'session', amr: ['pwd'], authenticatedMs: 0 }
const justification = 'I looked at the call, and it is meant.'

export async function openDesk(
  options: HouseOptions,
  holds = 'holds: { wait: 1s, session_decisions: true }',
): Promise<Desk> {
  const extra = `${options.extra ?? heldRules}\n${holds}`
  const house = await openHouse({ ...options, extra })
  const { directory, local, tickets } = house.gateway
  assert.ok(local)
  const who = { issuer: local.issuer, subject: 'rita', name: 'Rita', kind: 'person' as const }
  directory.tell({ ...who, groups: ['approvers'], roles: [] }, 'command', Date.now())
  const rita = directory.find(local.issuer, 'rita')?.id ?? ''
  const decide: Desk['decide'] = async (id, decision) => {
    const of = { decision, justification, method: 'session' as const, session }
    const begun = await tickets.beginDecision(id, rita, of)
    await tickets.finishDecision(begun.challenge, rita, { method: 'session', session })
  }
  const waiting: Desk['waiting'] = async (about) => {
    for (let i = 0; i < 1000; i++) {
      const found = tickets
        .list({ states: ['pending'], limit: 1000 })
        .find(({ shown, tool }) => shown.includes(String(about)) || tool.includes(String(about)))
      if (found !== undefined) return found
      await pause(10)
    }
    throw new Error(`no ticket came for ${about}`)
  }
  return {
    house,
    decide,
    waiting,
    settle: async (about, decision) => {
      const { id } = await waiting(about)
      await decide(id, decision)
      return id
    },
    stateOf: (id) => tickets.byId(id)?.state,
  }
}
