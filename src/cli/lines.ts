/** Lines in, lines out: what commands with `--jsonl` share. */

const newline = 0x0a

/** Lines without their end; undefined for one of more than `bytesMax`. */
export async function* linesOf(
  input: NodeJS.ReadableStream,
  bytesMax: number,
): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = []
  let size = 0
  const take = (): Buffer | undefined => {
    const line = size > bytesMax ? undefined : Buffer.concat(parts)
    parts = []
    size = 0
    return line
  }
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      size += end - start
      if (size <= bytesMax) parts.push(bytes.subarray(start, end))
      yield take()
      start = end + 1
    }
    size += bytes.length - start
    if (size > bytesMax) parts = []
    else if (start < bytes.length) parts.push(bytes.subarray(start))
  }
  if (size > 0) yield take()
}

/** Writes, and waits until it is taken. Rejects when nobody reads it any more. */
export function write(output: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}
