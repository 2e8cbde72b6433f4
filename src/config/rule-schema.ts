/** The shape of rules, of files of rules (profiles), of `decision_point` and of `holds`. */
import { z } from 'zod'
import { whoShape } from './access-schema.ts'
import type { DraftHolds, DraftProfile, DraftReviewers, DraftRule } from './draft.ts'
import type { Fields, Schema } from './fields.ts'
import type { DecisionPointConfig, SqlConfig } from './policy-types.ts'

const rulesMax = 200
const effects = ['allow', 'hold', 'deny'] as const

export function rules(f: Fields): Schema<readonly DraftRule[]> {
  return z
    .array(rule(f))
    .max(rulesMax)
    .prefault([])
    .describe('What is denied, held or allowed; a deny wins over a hold, a hold over an allow.')
}

/** A file of rules. */
export function profileSchema(f: Fields): Schema<DraftProfile> {
  return z
    .strictObject({
      otherwise: z.enum(effects).prefault('allow').describe('What is done where no rule matches.'),
      suspicious: z
        .enum(['low', 'medium', 'high', 'certain'])
        .prefault('medium')
        .describe('The least confidence at which `sallyport inspect` calls a message suspicious.'),
      exposure_days: f
        .count(30, 1, 90)
        .describe('Days over which `exposure` is counted for these rules.'),
      answers: z
        .strictObject({
          inspect: z
            .enum(['off', 'lists', 'all'])
            .prefault('lists')
            .describe(
              'Which text of servers is looked through for instructions to a model: none, descriptions in lists, or every message.',
            ),
          withhold: z
            .enum(['never', 'high', 'certain'])
            .prefault('never')
            .describe('An answer with a finding at least this sure is withheld.'),
        })
        .prefault({}),
      rules: rules(f),
    })
    .transform(({ exposure_days: exposureDays, ...rest }) => ({ ...rest, exposureDays }))
}

function rule(f: Fields): Schema<DraftRule> {
  return z
    .strictObject({
      name: f.name.describe('Its name in the record, for the client and the reviewer.'),
      when: f.rule.describe('CEL over the facts of a call; the rule matches where it is true.'),
      effect: z.enum(effects),
      reason: f.words(500).exactOptional().describe('Why, for the client and the reviewer.'),
      connection: f.pattern.exactOptional().describe('Connections it is for; all without it.'),
      timezone: f.timezone.exactOptional().describe('Of `time`: an IANA name; UTC without it.'),
      reviewers: reviewers(f)
        .exactOptional()
        .describe('Who may decide on a held call; any approver without it.'),
      quorum: f.few.exactOptional().describe('How many of them must approve; 1 without it.'),
      expires: f.durationOf('1m', '30d').exactOptional().describe('How long they have.'),
      signature: z
        .enum(['passkey', 'session'])
        .exactOptional()
        .describe('`passkey`: no decision without one, whatever `holds` permits.'),
      mask: z
        .literal(true)
        .exactOptional()
        .describe('Card numbers stay masked, whatever the grant reveals.'),
      limit: z
        .strictObject({
          rows: z.int().min(1).max(1_000_000_000).exactOptional(),
          bytes: f.sizeOf('1B', '1GiB').exactOptional(),
        })
        .exactOptional()
        .describe('An answer with more is withheld.'),
      note: f.words(250).exactOptional().describe('Goes into the record.'),
    })
    .transform(({ expires, quorum, reviewers: who, ...rest }) => ({
      ...rest,
      ...(expires === undefined ? {} : { expiresMs: expires }),
      ...(quorum === undefined && who === undefined ? {} : { reviewers: wanted(who, quorum) }),
    }))
}

/** Without names it is any approver. */
function wanted(
  who: DraftReviewers | undefined,
  quorum: number | undefined,
): NonNullable<DraftRule['reviewers']> {
  const all = who?.all ?? [{ who: who?.who ?? {} }]
  return all.map((each) => ({ who: each.who, quorum: each.quorum ?? quorum ?? 1 }))
}

function reviewers(f: Fields): Schema<DraftReviewers> {
  const each = z
    .strictObject({ ...whoShape(f), quorum: f.few.exactOptional() })
    .transform(({ quorum, ...who }) => ({ who, ...(quorum === undefined ? {} : { quorum }) }))
  return z
    .strictObject({
      ...whoShape(f),
      all: z
        .array(each)
        .min(1)
        .max(8)
        .exactOptional()
        .describe('Several that must all approve, by different people.'),
    })
    .transform(({ all, ...who }) => (all === undefined ? { who } : { all }))
}

export function decisionPoint(f: Fields): Schema<DecisionPointConfig> {
  return z
    .strictObject({
      url: f.issuerUrl.describe('Where facts are posted to, such as OPA’s /v1/data/sallyport.'),
      timeout: f.duration('500ms', '10ms', '10s').describe('Later answers count as no answer.'),
      token: f.secret.exactOptional().describe('Sent as a bearer token.'),
      connections: z
        .array(f.pattern)
        .min(1)
        .exactOptional()
        .describe('Connections it is asked for; all without it.'),
    })
    .transform(({ timeout: timeoutMs, ...rest }) => ({ ...rest, timeoutMs }))
}

export function holds(f: Fields): Schema<DraftHolds> {
  return z
    .strictObject({
      wait: f
        .duration('45s', '1s', '49s')
        .describe('A caller waits this long before it is told the ticket’s number.'),
      expires: f.duration('15m', '1m', '30d').describe('How long reviewers have.'),
      approval: f.duration('10m', '30s', '7d').describe('How long an approval is good for.'),
      progress_clients: z
        .array(f.text)
        .max(64)
        .prefault([])
        .describe('Clients, by their own names, whose timer starts anew with each progress.'),
      progress_max: f.duration('10m', '10s', '4h').describe('How long these may wait.'),
      session_decisions: z
        .boolean()
        .prefault(false)
        .describe('Whether people without a passkey may decide.'),
      emergency: z
        .strictObject({ who: z.strictObject(whoShape(f)) })
        .exactOptional()
        .describe('Who may run their own held call at once, to be reviewed afterwards.'),
      remind_after: f
        .durationOf('1m', '30d')
        .exactOptional()
        .describe('A reminder goes out when nobody has decided for this long.'),
    })
    .transform((raw) => ({
      waitMs: raw.wait,
      expiresMs: raw.expires,
      approvalMs: raw.approval,
      progressClients: raw.progress_clients,
      progressMs: raw.progress_max,
      sessionDecisions: raw.session_decisions,
      ...(raw.emergency === undefined ? {} : { emergency: raw.emergency.who }),
      ...(raw.remind_after === undefined ? {} : { remindAfterMs: raw.remind_after }),
    }))
}

const dialects = ['postgresql', 'mysql', 'mariadb', 'sqlserver', 'sqlite', 'oracle'] as const

export function sql(f: Fields): Schema<SqlConfig> {
  return z.strictObject({
    dialect: z.enum(dialects).exactOptional(),
    tools: z
      .record(f.pattern, f.text)
      .prefault({})
      .describe('Which argument is SQL, by tool; `*` in a tool’s name stands for any run.'),
    schema: z
      .record(f.text, z.array(f.text).min(1).max(2000))
      .prefault({})
      .describe('Columns by table, so that `SELECT *` is understood.'),
  })
}
