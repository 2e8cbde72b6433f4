/** What commands about people, stops and service accounts ask, done. */
import { answerAccount } from './account-answer.ts'
import type { PeopleAsked } from './people-asked.ts'
import type { PeopleDesk } from './people-desk.ts'
import { answerPerson } from './person-answer.ts'
import { answerStop } from './stop-answer.ts'

/**
 * @param by the user of this machine who asks.
 * @returns lines with their line ends.
 * @throws {Fault} as the three say.
 */
export async function answerPeople(
  asked: PeopleAsked,
  by: string,
  desk: PeopleDesk,
): Promise<readonly string[]> {
  switch (asked.what) {
    case 'revoke':
    case 'lift':
    case 'revocations':
      return await answerStop(asked, by, desk)
    case 'people':
    case 'person':
    case 'person-end':
    case 'person-owner':
      return await answerPerson(asked, by, desk)
    case 'accounts':
    case 'account-add':
    case 'account-key':
    case 'account-key-end':
    case 'account-remove':
      return await answerAccount(asked, by, desk)
    default:
      return asked satisfies never
  }
}
