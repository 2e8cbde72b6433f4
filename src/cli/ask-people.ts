/** How commands about people reach whoever answers: `ask`, in the program. */
import type { Outlets, Through } from './ask.ts'
import type { Where } from './installation.ts'
import type { PeopleAsked } from './people-asked.ts'

/** Prints the answer. @returns the exit code. @throws {Fault} in the words of whoever answers. */
export type AskPeople = (
  asked: PeopleAsked,
  where: Where,
  outlets: Outlets,
  through?: Through,
) => Promise<number>
