// The messages in which an engine tells how far a pull, a load or an import is, or what happens: JSON, one a line.
import { StringDecoder } from 'node:string_decoder'

export interface EngineMessage {
  readonly id?: string
  readonly status?: string
  readonly stream?: string
  /** What it failed with, although the answer had begun well. */
  readonly error?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

const messageIn = <T>(line: string): T[] => {
  if (line.trim() === '') return []
  try {
    return [JSON.parse(line) as T]
  } catch (error) {
    // What is no message tells nothing, and is no reason to fail what may have been done.
    if (error instanceof SyntaxError) return []
    throw error
  }
}

export const messagesIn = (text: string): EngineMessage[] => text.split('\n').flatMap(messageIn<EngineMessage>)

/** @returns a function that takes the next bytes, cut anywhere */
export function createMessageReader<T = EngineMessage>(onMessage: (message: T) => void): (bytes: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return (bytes) => {
    const lines = (rest + decoder.write(bytes)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) for (const message of messageIn<T>(line)) onMessage(message)
  }
}
