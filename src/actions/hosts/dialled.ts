// A connection that is still being made, as a stream that can be written to and given up at once.
import { Duplex } from 'node:stream'

/** Makes connections to one engine. */
export interface Dialer {
  /** @throws Unreachable */
  dial(): Promise<Duplex>
  /** Lets go of what it shares between connections; the next one makes it anew. */
  close(): void
}

const BUFFER_BYTES = 256 * 1024

export function dialled({ dial }: Dialer): Duplex {
  const opening = dial()
  const stream = new Duplex({
    readableHighWaterMark: BUFFER_BYTES,
    allowHalfOpen: false,
    read: () => void opening.then((connection) => connection.resume(), ignored),
    write: (chunk: Buffer, _encoding, done) =>
      void opening.then((connection) => connection.write(chunk, (error) => done(error)), done),
    final: (done) =>
      void opening.then((connection) => {
        connection.end()
        done()
      }, done),
    destroy(error, done) {
      opening.then((connection) => {
        // What nobody reads any more would keep the other side from ending.
        connection.resume()
        connection.destroy()
      }, ignored)
      done(error)
    },
  })
  opening.then(
    (connection) => {
      connection.on('data', (bytes: Buffer) => {
        if (!stream.destroyed && !stream.push(bytes)) connection.pause()
      })
      connection.once('error', (error) => stream.destroy(error))
      connection.once('close', () => stream.push(null))
    },
    (error: Error) => stream.destroy(error),
  )
  return stream
}

/** Told to whoever reads the stream already. */
const ignored = (): void => undefined
