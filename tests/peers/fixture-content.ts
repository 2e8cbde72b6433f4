/** The fixture's resources, prompts and completions. */
import { completable, ResourceTemplate } from '@modelcontextprotocol/server'
import type { GetPromptResult, McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { pngBase64 } from './fixture-kit.ts'
import { promptWithInput } from './fixture-rounds.ts'

export function addResources(mcp: McpServer): void {
  const plain = (uri: string, words: string) => () => ({
    contents: [{ uri, mimeType: 'text/plain', text: words }],
  })
  const text = 'test://static-text'
  const watched = 'test://watched-resource'
  const binary = 'test://static-binary'
  mcp.registerResource('static-text', text, { mimeType: 'text/plain' }, plain(text, 'Static text.'))
  mcp.registerResource('watched', watched, { mimeType: 'text/plain' }, plain(watched, 'Watched.'))
  mcp.registerResource('static-binary', binary, { mimeType: 'image/png' }, () => ({
    contents: [{ uri: binary, mimeType: 'image/png', blob: pngBase64 }],
  }))
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  mcp.registerResource('template', template, { mimeType: 'application/json' }, (uri, { id }) => ({
    contents: [
      { uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, found: true }) },
    ],
  }))
  mcp.server.setRequestHandler('resources/subscribe', async ({ params }) => {
    // On the session's own stream: what a subscriber waits for, so that tests need no other hand.
    await mcp.server.sendResourceUpdated({ uri: params.uri }).catch(() => {})
    return {}
  })
  mcp.server.setRequestHandler('resources/unsubscribe', () => ({}))
}

export function addPrompts(mcp: McpServer): void {
  mcp.registerPrompt('test_simple_prompt', { description: 'No arguments' }, () => say('Simple.'))
  const words = ['testing', 'tester', 'other']
  const first = completable(z.string(), (start) => words.filter((word) => word.startsWith(start)))
  mcp.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Two arguments', argsSchema: z.object({ arg1: first, arg2: z.string() }) },
    ({ arg1, arg2 }) => say(`The first is ${arg1}, the second ${arg2}.`),
  )
  mcp.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A resource inside', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded.' }
      return { messages: [{ role: 'user', content: { type: 'resource', resource } }] }
    },
  )
  mcp.registerPrompt('test_prompt_with_image', { description: 'An image inside' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: pngBase64, mimeType: 'image/png' } },
      { role: 'user', content: { type: 'text', text: 'What is this?' } },
    ],
  }))
  mcp.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks before it renders', argsSchema: z.object({}) },
    (_args, ctx) => promptWithInput(ctx),
  )
}

function say(words: string): GetPromptResult {
  return { messages: [{ role: 'user', content: { type: 'text', text: words } }] }
}
