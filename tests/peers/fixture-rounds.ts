/** The fixture's tools which need input from the client on the way (MCP 2026-07-28, MRTR). */
import { randomBytes } from 'node:crypto'
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  inputRequired,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import type {
  GetPromptResult,
  InputRequiredResult,
  RequestStateCodec,
  ServerContext,
} from '@modelcontextprotocol/server'
import { ask, askModel, member, text } from './fixture-kit.ts'
import type { FixtureTool } from './fixture-kit.ts'

/** Seals `requestState`: it comes back from the client, who may have changed it. */
export const stateCodec: RequestStateCodec<Record<string, unknown>> = createRequestStateCodec({
  key: randomBytes(32),
})

function accepted(ctx: ServerContext, key: string, field: string): unknown {
  return member(acceptedContent(ctx.mcpReq.inputResponses, key), field)
}

const single: readonly FixtureTool[] = [
  {
    name: 'test_missing_capability',
    description: "Needs the client's sampling",
    run: (_args, ctx) =>
      ctx.mcpReq.inputResponses?.['answer'] === undefined
        ? inputRequired({ inputRequests: { answer: askModel('Say pong.', 16) } })
        : text('The model answered.'),
  },
  {
    name: 'test_input_required_result_elicitation',
    description: 'Asks for a name until it gets one',
    run: (_args, ctx) => {
      const name = accepted(ctx, 'user_name', 'name')
      if (typeof name === 'string') return text(`Hello, ${name}!`)
      return inputRequired({
        inputRequests: { user_name: ask('What is your name?', 'name', 'string') },
      })
    },
  },
  {
    name: 'test_input_required_result_sampling',
    description: "Asks the client's model for a capital",
    run: (_args, ctx) => {
      const answer = ctx.mcpReq.inputResponses?.['capital_question']
      if (answer !== undefined) return text(`The model said: ${JSON.stringify(answer)}`)
      const question = askModel('What is the capital of France?', 100)
      return inputRequired({ inputRequests: { capital_question: question } })
    },
  },
  {
    name: 'test_input_required_result_list_roots',
    description: "Asks for the client's roots",
    run: (_args, ctx) => {
      const roots = member(ctx.mcpReq.inputResponses?.['client_roots'], 'roots')
      if (Array.isArray(roots)) return text(`The client has ${roots.length} roots.`)
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
    },
  },
]

const several: readonly FixtureTool[] = [
  {
    name: 'test_input_required_result_multiple_inputs',
    description: 'Asks for a name, a greeting of the model and the roots, all at once',
    run: async (_args, ctx) => {
      const given = ctx.mcpReq.inputResponses
      const name = accepted(ctx, 'user_name', 'name')
      const greeting = member(given?.['greeting'], 'content', 'text')
      const roots = member(given?.['client_roots'], 'roots')
      if (typeof name === 'string' && typeof greeting === 'string' && Array.isArray(roots)) {
        return text(`${greeting} ${name}, of ${roots.length} roots.`)
      }
      return inputRequired({
        inputRequests: {
          user_name: ask('What is your name?', 'name', 'string'),
          greeting: askModel('Write a greeting.', 50),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await stateCodec.mint({ tool: 'multiple' }),
      })
    },
  },
  {
    name: 'test_input_required_result_capabilities',
    description: 'Asks only for what the client says it can do',
    run: (_args, ctx) => {
      if (ctx.mcpReq.inputResponses !== undefined) return text('Got what could be given.')
      const can = (name: string) =>
        member(ctx.mcpReq.envelope, CLIENT_CAPABILITIES_META_KEY, name) !== undefined
      const inputRequests = {
        ...(can('elicitation') && { user_name: ask('What is your name?', 'name', 'string') }),
        ...(can('sampling') && { greeting: askModel('Write a greeting.', 50) }),
        ...(can('roots') && { client_roots: inputRequired.listRoots() }),
      }
      if (Object.keys(inputRequests).length === 0) return text('This client can give no input.')
      return inputRequired({ inputRequests })
    },
  },
]

const stateful: readonly FixtureTool[] = [
  {
    name: 'test_input_required_result_request_state',
    description: 'Asks to confirm and wants its state back unchanged',
    run: async (_args, ctx) => {
      if (accepted(ctx, 'confirm', 'ok') === undefined) return confirm('confirm-state')
      if (ctx.mcpReq.requestState() === undefined) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The request state is missing')
      }
      return text('state-ok')
    },
  },
  {
    name: 'test_input_required_result_tampered_state',
    description: 'Refuses a state that was changed',
    run: (_args, ctx) =>
      ctx.mcpReq.requestState() !== undefined && accepted(ctx, 'confirm', 'ok') !== undefined
        ? text('The state came back unchanged.')
        : confirm('tampered-state'),
  },
  {
    name: 'test_input_required_result_multi_round',
    description: 'Two questions, one after the other; the state carries the first answer',
    run: async (_args, ctx) => {
      const state = ctx.mcpReq.requestState<Record<string, unknown>>()
      if (state?.['round'] === 2) {
        const color = accepted(ctx, 'step2', 'color')
        return text(`${String(state['name'])} likes ${String(color)}.`)
      }
      if (state?.['round'] === 1) {
        const name = accepted(ctx, 'step1', 'name') ?? 'Somebody'
        return inputRequired({
          inputRequests: { step2: ask('Which colour do you like?', 'color', 'string') },
          requestState: await stateCodec.mint({ round: 2, name }),
        })
      }
      return inputRequired({
        inputRequests: { step1: ask('What is your name?', 'name', 'string') },
        requestState: await stateCodec.mint({ round: 1 }),
      })
    },
  },
]

async function confirm(tool: string): Promise<InputRequiredResult> {
  return inputRequired({
    inputRequests: { confirm: ask('Please confirm', 'ok', 'boolean') },
    requestState: await stateCodec.mint({ tool }),
  })
}

/** The prompt which asks before it renders. */
export function promptWithInput(ctx: ServerContext): GetPromptResult | InputRequiredResult {
  const context = accepted(ctx, 'user_context', 'context')
  if (typeof context !== 'string') {
    return inputRequired({
      inputRequests: { user_context: ask('Which context?', 'context', 'string') },
    })
  }
  const words = `Use this context: ${context}`
  return { messages: [{ role: 'user', content: { type: 'text', text: words } }] }
}

export const roundTools: readonly FixtureTool[] = [...single, ...several, ...stateful]
