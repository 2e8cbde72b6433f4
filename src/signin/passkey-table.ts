/**
 * Passkeys as they lie in `state.sqlite`. All of a registration is kept, and a removed one stays as
 * a row: what it signed must be verifiable years later.
 */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

export interface StoredPasskey {
  /** `pk_…`, ours. */
  readonly id: string
  /** Id of a person in the directory. */
  readonly person: string
  /** Credential id, base64url. */
  readonly credential: string
  /** COSE key (RFC 9052). */
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly counter: number
  readonly transports: readonly string[]
  /** Flag BE of its registration: whether it may be copied to other devices. It never changes. */
  readonly isSynced: boolean
  readonly aaguid: string
  /** Format of the attestation statement: `packed`, `tpm`, `none`, … */
  readonly attestation: string
  /** What the person calls it. */
  readonly label: string
  /** Milliseconds since 1970; `usedMs` is 0 for one that was never used. */
  readonly madeMs: number
  readonly usedMs: number
  /** Attestation object and client data of its registration, as they came. */
  readonly registration: {
    readonly attestationObject: Uint8Array
    readonly clientData: Uint8Array
    readonly origin: string
    readonly rpId: string
  }
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS passkeys (
    id TEXT PRIMARY KEY, person TEXT NOT NULL, credential TEXT NOT NULL UNIQUE,
    public_key BLOB NOT NULL, counter INTEGER NOT NULL, transports TEXT NOT NULL,
    is_synced INTEGER NOT NULL, aaguid TEXT NOT NULL, attestation TEXT NOT NULL,
    label TEXT NOT NULL, made_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, removed_ms INTEGER,
    attestation_object BLOB NOT NULL, client_data BLOB NOT NULL, origin TEXT NOT NULL,
    rp_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS passkeys_person ON passkeys (person);
`

export class PasskeyTable {
  readonly #db: DatabaseSync

  /** @param file the path of `state.sqlite`, or `:memory:`. */
  constructor(file: string) {
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600))
    this.#db = new DatabaseSync(file)
    this.#db.exec(schema)
  }

  /** Durable on return. @returns false where the credential is known, whosever it is. */
  add(passkey: StoredPasskey): boolean {
    const { attestationObject, clientData, origin, rpId } = passkey.registration
    const { changes } = this.#db
      .prepare(
        `INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
      )
      .run(
        passkey.id,
        passkey.person,
        passkey.credential,
        passkey.publicKey,
        passkey.counter,
        JSON.stringify(passkey.transports),
        passkey.isSynced ? 1 : 0,
        passkey.aaguid,
        passkey.attestation,
        passkey.label,
        passkey.madeMs,
        passkey.usedMs,
        attestationObject,
        clientData,
        origin,
        rpId,
      )
    return Number(changes) === 1
  }

  byCredential(credential: string): StoredPasskey | undefined {
    const sql = 'SELECT * FROM passkeys WHERE credential = ? AND removed_ms IS NULL'
    const row = this.#db.prepare(sql).get(credential)
    return row && passkeyOf(row)
  }

  /** Of one person, the oldest first. */
  of(person: string): StoredPasskey[] {
    const sql =
      'SELECT * FROM passkeys WHERE person = ? AND removed_ms IS NULL ORDER BY made_ms, id'
    return this.#db.prepare(sql).all(person).map(passkeyOf)
  }

  /** @returns false when it was used or removed in between. */
  used(
    id: string,
    counter: { readonly from: number; readonly to: number },
    nowMs: number,
  ): boolean {
    const sql = `UPDATE passkeys SET counter = ?, used_ms = ?
      WHERE id = ? AND counter = ? AND removed_ms IS NULL`
    const { changes } = this.#db.prepare(sql).run(counter.to, nowMs, id, counter.from)
    return Number(changes) === 1
  }

  /** @returns false where the person has no such passkey. */
  remove(person: string, id: string, nowMs: number): boolean {
    const sql = `UPDATE passkeys SET removed_ms = ?
      WHERE id = ? AND person = ? AND removed_ms IS NULL`
    return Number(this.#db.prepare(sql).run(nowMs, id, person).changes) === 1
  }

  close(): void {
    this.#db.close()
  }
}

function passkeyOf(row: Record<string, unknown>): StoredPasskey {
  const transports: unknown = JSON.parse(String(row['transports']))
  return {
    id: String(row['id']),
    person: String(row['person']),
    credential: String(row['credential']),
    publicKey: bytesOf(row['public_key']),
    counter: Number(row['counter']),
    transports: Array.isArray(transports) ? transports.map(String) : [],
    isSynced: row['is_synced'] === 1,
    aaguid: String(row['aaguid']),
    attestation: String(row['attestation']),
    label: String(row['label']),
    madeMs: Number(row['made_ms']),
    usedMs: Number(row['used_ms']),
    registration: {
      attestationObject: bytesOf(row['attestation_object']),
      clientData: bytesOf(row['client_data']),
      origin: String(row['origin']),
      rpId: String(row['rp_id']),
    },
  }
}

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array ? new Uint8Array(value) : new Uint8Array(0)
}
