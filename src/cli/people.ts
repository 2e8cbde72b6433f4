/** `sallyport people`: its options, and what is asked. */
import type { AskPeople } from './ask-people.ts'
import type { Outlets } from './ask.ts'
import type { Where } from './installation.ts'
import { momentForms, parseEnd } from './moments.ts'

export interface PeopleOptions extends Where {
  readonly json?: boolean | undefined
}

function formatOf({ json }: PeopleOptions): 'text' | 'jsonl' {
  return json === true ? 'jsonl' : 'text'
}

/** One line a principal, those seen last first. */
export async function listPeople(
  options: PeopleOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  return await ask({ what: 'people', format: formatOf(options) }, options, outlets)
}

export async function showPerson(
  principal: string,
  options: PeopleOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  const format = formatOf(options)
  return await ask({ what: 'person', principal, format }, options, outlets)
}

/** @param date a day, a moment, `now` or `never`. @returns 2 for anything else. */
export async function endPerson(
  { date, principal }: { readonly principal: string; readonly date: string },
  options: PeopleOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  const nowMs = Date.now()
  const endsMs = date === 'never' ? null : date === 'now' ? nowMs : parseEnd(date, nowMs)
  if (Number.isNaN(endsMs)) {
    const forms = `2026-12-31 (the last day, in UTC), ${momentForms}`
    outlets.errors.write(`The end is now, never, or a date: ${forms}.\n`)
    return 2
  }
  const asked = { what: 'person-end', principal, endsMs, format: formatOf(options) } as const
  return await ask(asked, options, outlets)
}

/** @param owner a person; `nobody` takes the owner away. */
export async function ownPerson(
  { owner, principal }: { readonly principal: string; readonly owner: string },
  options: PeopleOptions,
  outlets: Outlets,
  ask: AskPeople,
): Promise<number> {
  const whose = owner === 'nobody' ? null : owner
  const format = formatOf(options)
  const asked = { what: 'person-owner', principal, owner: whose, format } as const
  return await ask(asked, options, outlets)
}
