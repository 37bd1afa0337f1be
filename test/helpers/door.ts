// The engine behind a door that lets little through at a time, and can be slammed.
import { mkdtempSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Door {
  /** The socket to reach the engine by. */
  readonly path: string
  /** How many connections there are, each counted on both sides of the door. */
  connections(): number
  /** Nothing that the engine says passes until `release`. */
  hold(): void
  release(): void
  /** Cuts every connection there is. */
  slam(): void
  close(): Promise<void>
}

/** @param bytesPerTick an answer's larger chunks pass at about one each 5 ms */
export async function openDoor(socketPath: string, bytesPerTick: number): Promise<Door> {
  const path = join(mkdtempSync(join(tmpdir(), 'hc-door-')), 'docker.sock')
  const open = new Set<Socket>()
  let held: (() => void)[] | undefined
  const door: Server = createServer((client) => {
    const engine = connect(socketPath)
    open.add(client).add(engine)
    client.pipe(engine)
    engine.on('data', (chunk) => {
      const pass = () => client.write(chunk)
      if (held) return void held.push(pass)
      pass()
      if (chunk.length < bytesPerTick) return
      engine.pause()
      setTimeout(() => engine.resume(), 5)
    })
    engine.on('end', () => client.end())
    // Who leaves is gone on the other side too: the engine keeps a container locked while it has a reader.
    client.on('close', () => engine.destroy())
    for (const side of [client, engine]) side.on('error', () => side.destroy()).on('close', () => open.delete(side))
  })
  await new Promise<void>((resolve) => door.listen(path, resolve))
  const release = () => {
    const waiting = held ?? []
    held = undefined
    for (const pass of waiting) pass()
  }
  const slam = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    path,
    connections: () => open.size,
    hold() {
      held ??= []
    },
    release,
    slam,
    close: () =>
      new Promise((resolve) => {
        slam()
        door.close(() => resolve())
      }),
  }
}
