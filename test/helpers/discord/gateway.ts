/** Discord's gateway: sessions that outlive their sockets, and the ways in which it lets a bot down. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GatewayCloseCodes as Close, GatewayOpcodes as Op } from 'discord-api-types/v10'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { guildCreate } from './payloads.js'
import type { World } from './world.js'

export interface Session {
  readonly id: string
  readonly intents: number
  /** Every dispatch since its IDENTIFY; the index is `s - 1`. */
  readonly events: { t: string; d: unknown }[]
  connected: boolean
  resumes: number
}

export interface Gateway {
  /** In order of their IDENTIFY. */
  readonly sessions: readonly Readonly<Session>[]
  /**
   * Sends an event to every session; one without a socket gets it when it resumes.
   * @param told what happened, or what a session of these intents is told of it: undefined for nothing
   */
  dispatch(t: string, told: unknown | ((intents: number) => unknown)): void
  /** Cuts every socket, as a lost network does; with a code, closes with it. */
  drop(code?: number): void
  /** op 7: the bot is to come back and resume. */
  reconnect(): void
  /** op 9: forgets all sessions, the bot is to IDENTIFY anew. discord.js waits 5 s between two IDENTIFYs. */
  invalidate(): void
  close(): void
}

const HEARTBEAT_MS = 41_250
const MOST_BYTES = 4096
const MOST_SENDS = 120
const SENDS_WINDOW_MS = 60_000

interface Frame {
  op: number
  d: { token?: string; session_id?: string; seq?: number; intents?: number } | null
}

export function attachGateway(server: Server, world: World): Gateway {
  const wss = new WebSocketServer({ server })
  const sessions: Session[] = []
  const resumable = new Set<Session>()
  const sockets = new Map<Session, WebSocket>()

  const send = (socket: WebSocket, op: number, d: unknown, more: object = {}) =>
    socket.send(JSON.stringify({ op, d, s: null, t: null, ...more }))

  function deliver(session: Session, t: string, d: unknown): void {
    session.events.push({ t, d })
    const socket = sockets.get(session)
    if (socket) send(socket, Op.Dispatch, d, { t, s: session.events.length })
  }

  function bind(session: Session, socket: WebSocket): void {
    sockets.get(session)?.terminate()
    sockets.set(session, socket)
    session.connected = true
    socket.on('close', (code) => {
      if (sockets.get(session) !== socket) return
      sockets.delete(session)
      session.connected = false
      // A bot that says goodbye with these ends its session.
      if (code === 1000 || code === 1001) resumable.delete(session)
      world.changes.emit('change')
    })
  }

  function identify(socket: WebSocket, intents: number): Session {
    const id = Buffer.from(world.snowflake()).toString('hex')
    const session: Session = { id, intents, events: [], connected: true, resumes: 0 }
    sessions.push(session)
    resumable.add(session)
    bind(session, socket)
    const guilds = world.guilds.filter(({ installed }) => installed)
    deliver(session, 'READY', {
      v: 10,
      user: { ...world.bot, mfa_enabled: true, verified: true, email: null },
      guilds: guilds.map((guild) => ({ id: guild.id, unavailable: true })),
      session_id: id,
      session_type: 'normal',
      resume_gateway_url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      shard: [0, 1],
      application: { id: world.applicationId, flags: 0 },
    })
    for (const guild of guilds) deliver(session, 'GUILD_CREATE', guildCreate(guild, world.bot))
    return session
  }

  function resume(socket: WebSocket, sessionId: string | undefined, seq: number): Session | null {
    const session = [...resumable].find(({ id }) => id === sessionId)
    if (!session) {
      send(socket, Op.InvalidSession, false)
      return null
    }
    if (seq > session.events.length) {
      socket.close(Close.InvalidSeq)
      return null
    }
    bind(session, socket)
    for (const [i, { t, d }] of session.events.slice(seq).entries()) send(socket, Op.Dispatch, d, { t, s: seq + i + 1 })
    session.resumes += 1
    deliver(session, 'RESUMED', {})
    return session
  }

  function report(rule: string, message: string): void {
    world.violations.push({ where: 'gateway', rule, message })
  }

  wss.on('connection', (socket, request) => {
    let session: Session | null = null
    let sends: number[] = []
    const query = new URL(request.url ?? '/', 'ws://localhost').searchParams
    if (query.get('v') !== '10' || query.get('encoding') !== 'json') return socket.close(Close.InvalidAPIVersion)
    send(socket, Op.Hello, { heartbeat_interval: HEARTBEAT_MS, _trace: [] })

    socket.on('message', (data: RawData) => {
      const now = Date.now()
      sends = [...sends.filter((at) => now - at < SENDS_WINDOW_MS), now]
      const text = String(data)
      if (sends.length > MOST_SENDS) {
        report('gateway_rate', `${sends.length} sends in 60 s; at most ${MOST_SENDS}`)
        return socket.close(Close.RateLimited)
      }
      if (Buffer.byteLength(text) > MOST_BYTES) {
        report('gateway_size', `a send of ${Buffer.byteLength(text)} bytes; at most ${MOST_BYTES}`)
        return socket.close(Close.DecodeError)
      }
      const { op, d } = JSON.parse(text) as Frame
      if (op === Op.Heartbeat) return send(socket, Op.HeartbeatAck, null)
      if (op === Op.Identify || op === Op.Resume) {
        if (session) return socket.close(Close.AlreadyAuthenticated)
        if (d?.token !== world.token) return socket.close(Close.AuthenticationFailed)
        session = op === Op.Identify ? identify(socket, d.intents ?? 0) : resume(socket, d.session_id, d.seq ?? 0)
        world.changes.emit('change')
        return
      }
      if (!session) socket.close(Close.NotAuthenticated)
    })
  })

  return {
    sessions,
    dispatch(t, told) {
      if (resumable.size === 0) throw new Error(`no bot is there to receive ${t}: await double.ready() first`)
      for (const session of resumable) {
        const d = typeof told === 'function' ? told(session.intents) : told
        if (d !== undefined) deliver(session, t, d)
      }
    },
    drop(code) {
      for (const socket of wss.clients) code ? socket.close(code) : socket.terminate()
    },
    reconnect() {
      for (const socket of wss.clients) send(socket, Op.Reconnect, null)
    },
    invalidate() {
      resumable.clear()
      for (const socket of wss.clients) send(socket, Op.InvalidSession, false)
    },
    close() {
      for (const socket of wss.clients) socket.terminate()
      wss.close()
    },
  }
}
