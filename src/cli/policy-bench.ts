/** Facts of a call that nobody has sent: inspected as the gateway does it, without a gateway. */
import { randomBytes } from 'node:crypto'
import type { ConnectionConfig } from '../config/types.ts'
import { inspectAsked } from '../exchange/inspected.ts'
import { createInspector, inspectSettings } from '../inspect/inspector.ts'
import type { InspectSettings, Inspector } from '../inspect/inspector.ts'
import { createSqlReader } from '../inspect/sql/reader.ts'
import { detectionOf } from '../mask/detection.ts'
import type { Detection } from '../mask/detection.ts'
import { createMasker } from '../mask/masker.ts'
import type { Masker } from '../mask/masker.ts'
import type { CallFacts } from '../policy/verdict.ts'
import { readJson } from '../wire/json.ts'
import { readMessage, targetOf } from '../wire/message.ts'
import { plainAt } from '../wire/plain.ts'

const limits = { bytesMax: 64 * 1024 * 1024, depthMax: 128 }

/** What only the gateway would know of a call. */
export type Around = Pick<CallFacts, 'principal' | 'source' | 'exposure' | 'tool' | 'nowMs'>

export interface Bench {
  /**
   * @param bytes one JSON-RPC message.
   * @throws {Fault} as the gateway refuses a message that is none.
   */
  facts(bytes: Uint8Array, connection: ConnectionConfig, around: Around): Promise<CallFacts>
  close(): Promise<void>
}

export function openBench(): Bench {
  const inspector = createInspector({ sql: createSqlReader() })
  const masker = createMasker({ sealKey: randomBytes(32) })
  const settings = new Map<ConnectionConfig, Settings>()
  const settingsOf = (connection: ConnectionConfig): Settings => {
    const { cardholderData, mask } = connection
    const known = settings.get(connection) ?? {
      inspect: inspectSettings(connection),
      detect: detectionOf({ ...mask, columns: cardholderData.columns }),
    }
    settings.set(connection, known)
    return known
  }
  return {
    facts: async (bytes, connection, around) =>
      await factsOf(bytes, { connection, around, ...settingsOf(connection) }, inspector, masker),
    close: () => inspector.close(),
  }
}

interface Settings {
  readonly inspect: InspectSettings
  readonly detect: Detection
}

async function factsOf(
  bytes: Uint8Array,
  of: Settings & { connection: ConnectionConfig; around: Around },
  inspector: Inspector,
  masker: Masker,
): Promise<CallFacts> {
  const { around, connection, detect, inspect } = of
  const tree = readJson(bytes, limits)
  const message = readMessage(tree, tree.root)
  const target = targetOf(message)
  const asked = masker.asked(tree, { reveal: 'none', detect, rule: 'command' }, 'command line')
  const posted = { kind: 'one' as const, message }
  const known = { connection: { inspect, name: connection.name } }
  // Which names are too much alike is known where tools are pinned.
  const at = { inspector, pins: { twins: () => [] } }
  const [seen] = await inspectAsked(posted, { asked: [asked], legs: [] }, known, at)
  return {
    ...around,
    sql: seen?.sql ?? [],
    findings: seen?.findings ?? [],
    connection: connection.name,
    call: {
      method: message.method ?? '',
      kind: target.kind,
      name: target.name,
      bytes: tree.end(message.node) - tree.start(message.node),
      arguments: () => plainAt(tree, tree.get(message.params, 'arguments')),
    },
  }
}
