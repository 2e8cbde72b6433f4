/** The fixture's plain tools: content of each kind, logs, progress, and requests to the client. */
import { fromJsonSchema } from '@modelcontextprotocol/server'
import type { ElicitRequestFormParams, ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { pngBase64, sleep, text, wavBase64 } from './fixture-kit.ts'
import type { FixtureTool } from './fixture-kit.ts'

type Requested = ElicitRequestFormParams['requestedSchema']

const content: readonly FixtureTool[] = [
  {
    name: 'test_simple_text',
    description: 'One text block',
    run: () => text('A simple text, for testing.'),
  },
  {
    name: 'test_image_content',
    description: 'One image block',
    run: () => ({ content: [{ type: 'image', data: pngBase64, mimeType: 'image/png' }] }),
  },
  {
    name: 'test_audio_content',
    description: 'One audio block',
    run: () => ({ content: [{ type: 'audio', data: wavBase64, mimeType: 'audio/wav' }] }),
  },
  {
    name: 'test_embedded_resource',
    description: 'One embedded resource',
    run: () => ({
      content: [
        {
          type: 'resource',
          resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'Embedded.' },
        },
      ],
    }),
  },
  {
    name: 'test_multiple_content_types',
    description: 'Text, image and resource in one answer',
    run: () => ({
      content: [
        { type: 'text', text: 'Several kinds of content:' },
        { type: 'image', data: pngBase64, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"kind":"mixed","parts":3}',
          },
        },
      ],
    }),
  },
  {
    name: 'test_error_handling',
    description: 'Always fails',
    run: () => {
      throw new Error('This tool fails on purpose.')
    },
  },
  {
    name: 'test_streaming_elicitation',
    description: 'A plain answer: the stream must carry no request of the server',
    run: () => text('Nothing but this result was sent.'),
  },
]

const talking: readonly FixtureTool[] = [
  {
    name: 'test_tool_with_logging',
    description: 'Logs three times while it works',
    run: async (_args, ctx) => {
      for (const step of ['started', 'working', 'finished']) {
        await ctx.mcpReq.log('info', `Tool ${step}`, 'fixture')
        await sleep(30)
      }
      return text('Logged three times.')
    },
  },
  {
    name: 'test_logging_tool',
    description: 'Logs once, if the request asks for logs',
    run: async (_args, ctx) => {
      await ctx.mcpReq.log('info', 'The logging tool ran', 'fixture')
      return text('Logged once.')
    },
  },
  {
    name: 'test_tool_with_progress',
    description: 'Reports progress at 0, 50 and 100 of 100',
    run: async (_args, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken
      if (progressToken === undefined) return text('Nobody asked for progress.')
      for (const progress of [0, 50, 100]) {
        const params = { progressToken, progress, total: 100, message: `At ${progress} of 100` }
        await ctx.mcpReq.notify({ method: 'notifications/progress', params })
        await sleep(30)
      }
      return text('Progress was reported.')
    },
  },
  {
    name: 'test_reconnection',
    description: 'Closes its stream while it works; the answer waits for the client to come back',
    run: async (_args, ctx) => {
      ctx.http?.closeSSE?.()
      await sleep(100)
      return text('You came back.')
    },
  },
  {
    name: 'test_sampling',
    description: "Asks the client's model",
    inputSchema: z.object({ prompt: z.string() }),
    run: async ({ prompt }, ctx) => {
      const message = {
        role: 'user' as const,
        content: { type: 'text' as const, text: String(prompt) },
      }
      const params = { messages: [message], maxTokens: 100 }
      const answer = await ctx.mcpReq.requestSampling(params, onItsStream(ctx))
      return text(`LLM response: ${JSON.stringify(answer.content)}`)
    },
  },
  {
    name: 'test_elicitation',
    description: 'Asks the user for one field',
    inputSchema: z.object({ message: z.string() }),
    run: ({ message }, ctx) =>
      elicit(ctx, String(message), {
        type: 'object',
        properties: { response: { type: 'string', description: 'What you say to it' } },
      }),
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks the user with a default for each primitive type',
    run: (_args, ctx) => elicit(ctx, 'Please check these values', defaults),
  },
  {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks the user with each form of enumeration',
    run: (_args, ctx) => elicit(ctx, 'Please choose', choices),
  },
]

/** Else the request goes to the session's own stream, which may not be open yet, and is lost. */
const onItsStream = (ctx: ServerContext) => ({ relatedRequestId: ctx.mcpReq.id })

async function elicit(ctx: ServerContext, message: string, requestedSchema: Requested) {
  const params = { mode: 'form' as const, message, requestedSchema }
  const answer = await ctx.mcpReq.elicitInput(params, onItsStream(ctx))
  return text(`action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)
}

const defaults: Requested = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
}

const titled = (one: string, two: string, three: string) => [
  { const: 'value1', title: one },
  { const: 'value2', title: two },
  { const: 'value3', title: three },
]
const options = ['option1', 'option2', 'option3']
const choices: Requested = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: {
      type: 'string',
      oneOf: titled('First Option', 'Second Option', 'Third Option'),
    },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: {
      type: 'array',
      items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') },
    },
  },
}

const mirrored = { type: 'string' as const, 'x-mcp-header': 'Region' }

const schemas: readonly FixtureTool[] = [
  {
    name: 'test_x_mcp_header',
    description: 'One argument is mirrored in a header',
    inputSchema: fromJsonSchema({
      type: 'object',
      properties: {
        region: mirrored,
        level: { type: 'integer' },
      },
    }),
    run: ({ region }) => text(`region=${typeof region === 'string' ? region : 'none'}`),
  },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Its schema uses the vocabulary of JSON Schema 2020-12, to be passed on unchanged',
    inputSchema: fromJsonSchema({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema, nobody awaits it
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    }),
    run: (args) => text(`Called with ${Object.keys(args).length} arguments.`),
  },
]

export const plainTools: readonly FixtureTool[] = [...content, ...talking, ...schemas]
