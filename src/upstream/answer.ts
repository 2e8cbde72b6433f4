/** What a server answered, ready to be read. */
export interface Answer {
  readonly status: number
  /** Only headers of the allow-list, lower case, one plain ASCII value each. */
  readonly headers: Readonly<Record<string, string>>
  /** By Content-Type; `none` for 202, 204 and empty bodies; `other` for everything else. */
  readonly type: AnswerType
  /**
   * The decoded bytes, in chunks cut anywhere. Reading slower than the server writes makes it wait;
   * leaving the loop cuts it off. Read by either of these, once.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** All of them. @throws {Fault} `answer_too_large` over the limit. */
  bytes(bytesMax: number): Promise<Uint8Array>
  /** Nobody will read it: what is still to come is cut off. Answers that are not read need this. */
  discard(): void
}

export type AnswerType = 'json' | 'sse' | 'none' | 'other'

/** @param headers as the server sent them, names in lower case. */
export function answerType(
  status: number,
  contentType: string | undefined,
  contentLength: string | undefined,
): AnswerType {
  if (status === 202 || status === 204 || status === 205 || contentLength === '0') return 'none'
  const media = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (media === 'application/json') return 'json'
  return media === 'text/event-stream' ? 'sse' : 'other'
}
