/** The table of trusted issuers: one file for each type, and every row under the `iss` it answers to. */
import { Fault } from '../base/fault.ts'
import type { IssuerConfig } from '../config/types.ts'
import { entraRows } from './entra.ts'
import { githubRows } from './github.ts'
import { localRows } from './local-row.ts'
import { oidcRows } from './oidc.ts'
import type { IssuerRow, RowParts } from './row.ts'

type RowsOf<T extends IssuerConfig['type']> = (
  config: Extract<IssuerConfig, { readonly type: T }>,
  parts: RowParts,
) => readonly IssuerRow[]

const types: { readonly [T in IssuerConfig['type']]: RowsOf<T> } = {
  oidc: oidcRows,
  entra: entraRows,
  'github-actions': githubRows,
  local: localRows,
}

/**
 * @returns rows by `iss`.
 * @throws {Fault} `config_bad` when two would answer to one `iss`, or a local issuer is not there.
 */
export function issuerRows(
  configs: readonly IssuerConfig[],
  parts: RowParts,
): ReadonlyMap<string, IssuerRow> {
  const rows = new Map<string, IssuerRow>()
  for (const row of configs.flatMap((config) => rowsOf(config, parts))) {
    const other = rows.get(row.issuer)
    if (other !== undefined) {
      const message = `Issuers "${other.name}" and "${row.name}" are one and the same: which of them a token is checked by would be chance. Take one out.`
      throw new Fault('config_bad', message)
    }
    rows.set(row.issuer, row)
  }
  return rows
}

function rowsOf<T extends IssuerConfig['type']>(
  config: Extract<IssuerConfig, { readonly type: T }>,
  parts: RowParts,
): readonly IssuerRow[] {
  const make: RowsOf<T> = types[config.type]
  return make(config, parts)
}
