/** Calls for tests of the findings. */
import { readJson } from '../wire/json.ts'
import { readMessage } from '../wire/message.ts'
import type { Message } from '../wire/message.ts'
import { confidences } from './facts.ts'
import type { Family, Finding } from './facts.ts'
import { findRequest } from './request.ts'
import type { Found, RequestOptions } from './request.ts'

const limits = { bytesMax: 64 * 1024 * 1024, depthMax: 128 }

/** A message of a client as it arrives. */
export function message(value: unknown): Message {
  const tree = readJson(Buffer.from(JSON.stringify(value)), limits)
  return readMessage(tree, tree.root)
}

export function call(args: unknown, tool = 'lookup'): Message {
  return message({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: tool, arguments: args },
  })
}

/** What is found in a call of one argument. */
export function found(
  value: unknown,
  name = 'value',
  options: Partial<RequestOptions> = {},
): Found {
  return findRequest(call({ [name]: value }), { tools: () => undefined, ...options })
}

/** Families that are found with high confidence. */
export function sure(findings: readonly Finding[]): Family[] {
  const high = findings.filter(({ confidence }) => confidences.indexOf(confidence) >= 2)
  return [...new Set(high.map(({ family }) => family))]
}
