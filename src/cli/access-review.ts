/**
 * `sallyport access review`: shown, or signed off. The report of a review that is signed off stays in
 * `DATA/reviews`, and the record holds its SHA-256, so that nobody can change it unnoticed.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { writeWhole } from '../base/disk.ts'
import type { Disk } from '../base/disk.ts'
import { ownerlessAccounts } from '../identity/ownerless.ts'
import { reviewAccess } from '../policy/review.ts'
import type { Review } from '../policy/review.ts'
import { readRecord } from '../record/read.ts'
import { share } from '../record/entry.ts'
import type { ReviewAsked } from './access-asked.ts'
import { rulesOf } from './access-desk.ts'
import type { AccessDesk } from './access-desk.ts'
import { momentText, noteBy, nowMsOf } from './people-desk.ts'
import { reviewLines } from './review-lines.ts'

/** @returns the report as lines. @throws {Fault} as `answerAccess`; nothing is signed off then. */
export async function answerReview(
  asked: ReviewAsked,
  by: string,
  desk: AccessDesk,
): Promise<readonly string[]> {
  const nowMs = Math.floor(nowMsOf(desk))
  const sinceMs = Math.max(0, nowMs - asked.sinceMs)
  const query = `access review since ${momentText(sinceMs)}`
  await recordLook(by, { query }, desk)
  const review = await reviewOf(desk, sinceMs, nowMs)
  await recordLook(by, { query, shown: review.grants.length }, desk)
  const report = `${JSON.stringify(review)}\n`
  const lines = asked.format === 'jsonl' ? [report] : reviewLines(review)
  if (asked.signOff === undefined) return lines
  const signed = await signOff({ review, report, reason: asked.signOff, by }, desk)
  return asked.format === 'jsonl'
    ? [...lines, `${JSON.stringify(signed)}\n`]
    : [...lines, signedText(signed)]
}

async function reviewOf(desk: AccessDesk, sinceMs: number, nowMs: number): Promise<Review> {
  const { directory, masker, serviceAccounts, toolsOf } = desk
  const { grants, roles } = rulesOf(desk)
  const review = await reviewAccess(readRecord(desk.place), {
    grants,
    roles,
    principals: directory.list(),
    accounts: serviceAccounts.list(),
    ownerless: ownerlessAccounts(desk, nowMs),
    connections: desk.connections ?? [],
    sinceMs,
    nowMs,
    ...(toolsOf && { toolsOf }),
  })
  // What people and servers chose themselves; what comes out of the record is masked already.
  const { accounts, conflicts, idle, ownerless } = review
  const outside = masker.words({ accounts, conflicts, idle, ownerless }).value
  const masked = review.grants.map((grant) => {
    return { ...grant, toolsUnused: masker.words(grant.toolsUnused).value }
  })
  return { ...review, ...outside, grants: masked }
}

/** Who looks at the record is in the record (PCI DSS v4.0.1 req. 10.2.1.3). */
async function recordLook(
  by: string,
  { query, shown }: { readonly query: string; readonly shown?: number },
  { masker, recorder }: AccessDesk,
): Promise<void> {
  const principal = masker.words({ issuer: 'local', subject: by, kind: 'local' as const })
  const entry = {
    type: 'record.viewed',
    what: 'audit',
    by: 'cli',
    query: masker.word(query),
    shown,
  } as const
  await recorder.append('command', share({ principal }), [{ entry }])
}

interface Signed {
  readonly signedOff: string
  readonly sha256: string
  /** Inside the data folder. */
  readonly file: string
  readonly nextDue: string
}

const reviewEveryMs = 180 * 86_400_000

/**
 * The report is on the disk before the record names it: a crash between leaves a file that nothing
 * names, and no review.
 */
async function signOff(
  { by, reason, report, review }: { review: Review; report: string; reason: string; by: string },
  desk: AccessDesk,
): Promise<Signed> {
  const sha256 = createHash('sha256').update(report).digest('hex')
  const name = `${review.to.slice(0, 10)}-${sha256.slice(0, 16)}.json`
  await writeReport(desk.place.disk, join(desk.dataDir, 'reviews'), name, report)
  const nextDue = new Date(Date.parse(review.to) + reviewEveryMs).toISOString()
  const file = `reviews/${name}`
  const { figures, from, to } = review
  await noteBy(
    by,
    'access.reviewed',
    { sha256, file, from, to, reason, by, nextDue, ...figures },
    desk,
  )
  return { signedOff: to, sha256, file, nextDue }
}

async function writeReport(
  disk: Disk,
  folder: string,
  name: string,
  report: string,
): Promise<void> {
  await disk.makeFolder(folder)
  await writeWhole(disk, join(folder, name), Buffer.from(report))
}

function signedText({ file, nextDue, sha256 }: Signed): string {
  return `\nSigned off and recorded. The report is ${file}, SHA-256 ${sha256}.\nThe next review is due by ${nextDue.slice(0, 10)}.\n`
}
