/** Whether held calls can be decided, and reviewers told. */
import { isIP } from 'node:net'
import { checkNotice } from '../notify/check.ts'
import { compileRules } from '../policy/rules.ts'
import type { Look, LookParts } from './live-look.ts'
import { wrong } from './live-look.ts'

/** @param sends whether each receiver is sent a message that says it is a test. */
export function holdLooks(parts: LookParts, sends: boolean): Look[] {
  const { config } = parts
  return [reviewersLook(config), ...noticeLooks(parts, sends)]
}

/** A rule that holds where nobody can approve lets every such call wait for nothing. */
function reviewersLook(config: LookParts['config']): Look {
  return {
    what: 'held calls',
    path: ['console', 'roles'],
    look: () => {
      const rules = compileRules(config)
      if (!config.connections.some(({ name }) => rules.mayHold(name))) return 'no rule holds a call'
      if (config.identity.signIn.length === 0) {
        return {
          doubt:
            'rules hold calls, and nobody can sign in to decide: set identity.sign_in, or take profile: none',
        }
      }
      if (config.console.roles.approver === undefined) {
        return { doubt: 'rules hold calls, and nobody has the role: set console.roles.approver' }
      }
      const { hostname } = new URL(config.console.publicUrl)
      const isNamed = isIP(hostname) === 0 && !hostname.startsWith('[')
      if (isNamed || config.holds.sessionDecisions) return 'reviewers can decide in the console'
      return {
        doubt:
          'decisions need passkeys, which need a name: set console.public_url, or holds.session_decisions',
      }
    },
  }
}

function noticeLooks({ clock, config, secrets }: LookParts, sends: boolean): Look[] {
  const consoleUrl = config.console.publicUrl
  return config.notify.map((receiver, index) => ({
    what: `notice ${receiver.name}`,
    path: ['notify', index],
    look: async () => {
      const [found] = await checkNotice([receiver], { clock, consoleUrl, secrets, sends })
      if (found === undefined) throw wrong('could not be looked at')
      if (!found.isGood) throw wrong(found.message)
      return found.message
    },
  }))
}
