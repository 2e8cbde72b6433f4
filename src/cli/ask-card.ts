/** Asks for a card number where nobody else can read it: never an argument, never echoed. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { holdsCard, readCard } from '../search/cards.ts'

/** Standard input: a terminal, or what is piped in. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/** A line is not read beyond this, in UTF-16 units. */
const lineLengthMax = 1000

/**
 * Reads one line: from a terminal without showing it, else from what is piped in.
 * @param query the rest of what is searched for; no card number may stand in it.
 * @returns the number as ASCII digits; undefined when there is none, and why was said.
 */
export async function askCard(
  query: string,
  input: Input,
  errors: NodeJS.WritableStream,
): Promise<string | undefined> {
  if (holdsCard(query)) {
    errors.write(
      'A card number does not belong on the command line, where others on this machine and the ' +
        'history of your shell have it. Give --card alone: it asks for the number.\n',
    )
    return undefined
  }
  const line = input.isTTY === true ? await hiddenLine(input, errors) : await firstLine(input)
  if (line === undefined) return undefined
  const card = readCard(line)
  if (card === undefined) {
    errors.write(
      'That is no card number: its length, its issuer or its check digit is wrong. Nothing was ' +
        'searched for, and what you typed was not kept.\n',
    )
  }
  return card
}

/** What is typed up to Enter; undefined when the question was broken off (Ctrl-C, Ctrl-D). */
async function hiddenLine(
  input: Input,
  errors: NodeJS.WritableStream,
): Promise<string | undefined> {
  errors.write('Card number (it is not shown): ')
  // The terminal is switched to single keys, so it echoes none; what readline would echo goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })
  try {
    return await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(undefined))
      lines.once('SIGINT', () => resolve(undefined))
    })
  } finally {
    lines.close()
    errors.write('\n')
  }
}

async function firstLine(input: Input): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of input) {
    text += decoder.decode(Buffer.from(chunk), { stream: true })
    if (text.includes('\n') || text.length > lineLengthMax) break
  }
  return text.split('\n')[0] ?? ''
}
