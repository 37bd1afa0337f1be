// Engines behind SSH: one connection for each host, in which every connection to the engine is a channel of its own.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, ClientChannel, ServerHostKeyAlgorithm } from 'ssh2'
import { type Bilingual, fill } from '../text.js'
import type { Dialer } from './dialled.js'
import { type KnownHosts, parseKnownHosts, type Verdict } from './known-hosts.js'
import { createSlots } from './slots.js'
import { NO_MACHINE_ANSWER, Unreachable, whyUnreachable } from './unreachable.js'

export interface SshTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Read for each connection, as is the other, so that a new file needs no restart. @throws Unreachable */
  readonly key: () => Buffer
  /** The text of a known_hosts file. @throws Unreachable */
  readonly knownHosts: () => string
}

/** What the engine's own tools run on the other side: it leads to the engine that is the default there. */
const COMMAND = 'docker system dial-stdio'
const CONNECT_MS = 5_000
/** A connection whose other side is gone is noticed after twice that long. */
const KEEPALIVE_MS = 10_000
/** As many as sshd allows where nothing else is said (MaxSessions). */
const MOST_CHANNELS = 10
/** sshd counts a channel until its process has ended, which is a little later than the channel. */
const REFUSED_MS = 50
const MOST_REFUSALS = 20

/** How keys of a type may sign; never with SHA-1. */
const SIGNATURES: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

const REFUSED: Readonly<Record<Exclude<Verdict, 'known'>, Bilingual>> = {
  unknown: {
    en: 'Its SSH host key is not in the known-hosts file. If {fingerprint} is right, add it there.',
    zh: '其 SSH 主机密钥不在 known-hosts 文件中。若 {fingerprint} 正确，请将其加入该文件。',
  },
  changed: {
    en: 'Its SSH host key is not the one in the known-hosts file: someone may be in between. It is now {fingerprint}.',
    zh: '其 SSH 主机密钥与 known-hosts 文件不符，可能存在中间人。当前为 {fingerprint}。',
  },
  revoked: {
    en: 'Its SSH host key is marked as revoked in the known-hosts file: {fingerprint}.',
    zh: '其 SSH 主机密钥在 known-hosts 文件中已被标记为吊销：{fingerprint}。',
  },
}
const NOT_LET_IN: Bilingual = {
  en: 'SSH did not let us in. Does the user exist there, and is our key among its authorized ones?',
  zh: 'SSH 拒绝登录。该用户是否存在，我方密钥是否已被授权？',
}
const KEY_UNUSABLE: Bilingual = {
  en: 'Our SSH key cannot be used: it is encrypted, or no key at all.',
  zh: '我方 SSH 密钥无法使用：已加密，或不是有效密钥。',
}
const NO_ENGINE: Bilingual = {
  en: 'SSH works, but `docker system dial-stdio` does not there. Is Docker installed and running for that user?',
  zh: 'SSH 可用，但对方无法执行 `docker system dial-stdio`。该用户能否使用正在运行的 Docker？',
}
const NO_CHANNEL: Bilingual = {
  en: 'SSH works, but it opens no further channel for us.',
  zh: 'SSH 可用，但无法再打开新的通道。',
}

const fingerprintOf = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`

/** Asking for a key of another type than those that are known would look as if the key had changed. */
function algorithmsFor(known: KnownHosts, { host, port }: SshTarget): ServerHostKeyAlgorithm[] {
  const wanted = known.keyTypes(host, port).flatMap((type) => SIGNATURES[type] ?? [])
  return wanted.length > 0 ? wanted : Object.values(SIGNATURES).flat()
}

/** What our client of SSH says that it failed with. */
function explain(error: Error & { level?: string }): Unreachable {
  if (error.level === 'client-authentication') return new Unreachable(NOT_LET_IN, { cause: error })
  if (/no matching host key format/.test(error.message)) {
    const why = fill(REFUSED.changed, { fingerprint: '?' })
    return new Unreachable(why, { cause: error, isImpostor: true })
  }
  if (error.level === 'client-socket') return new Unreachable(whyUnreachable(error), { cause: error })
  return new Unreachable(/privateKey/.test(error.message) ? KEY_UNUSABLE : NO_MACHINE_ANSWER, { cause: error })
}

/** The client is loaded by the first connection: most bots make none. */
async function connect(target: SshTarget): Promise<Client> {
  const { Client } = (await import('ssh2')).default
  return new Promise((resolve, reject) => {
    const known = parseKnownHosts(target.knownHosts())
    const privateKey = target.key()
    const client = new Client()
    let refusal: Unreachable | undefined
    const fail = (error: Error) => reject(refusal ?? explain(error))
    client.once('ready', () => resolve(client))
    // It may fail at any time; those who use it then learn of it from their channels.
    client.on('error', fail)
    client.once('close', () => fail(new Error('the connection ended')))
    try {
      client.connect({
        host: target.host,
        port: target.port,
        username: target.user,
        privateKey,
        readyTimeout: CONNECT_MS,
        keepaliveInterval: KEEPALIVE_MS,
        keepaliveCountMax: 2,
        algorithms: { serverHostKey: algorithmsFor(known, target) },
        hostVerifier: (key: Buffer) => {
          const verdict = known.judge(target.host, target.port, key)
          if (verdict === 'known') return true
          const why = fill(REFUSED[verdict], { fingerprint: fingerprintOf(key) })
          refusal = new Unreachable(why, { isImpostor: true })
          return false
        },
      })
    } catch (error) {
      fail(error as Error)
    }
  })
}

/** @throws Error with a `reason` when the other side refuses one more */
const openChannel = (client: Client): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    client.exec(COMMAND, (error, channel) => {
      if (error) return reject(error)
      channel.stderr.resume()
      channel.once('exit', (code: number | null) => {
        if (code !== 0) channel.emit('error', new Unreachable(NO_ENGINE))
      })
      resolve(channel)
    })
  })

export function openSsh(target: SshTarget): Dialer {
  const channels = createSlots(MOST_CHANNELS)
  let connection: Promise<Client> | undefined

  function connected(): Promise<Client> {
    if (connection) return connection
    const opening = connect(target)
    connection = opening
    const forget = () => {
      if (connection === opening) connection = undefined
    }
    opening.then((client) => client.once('close', forget), forget)
    return opening
  }

  async function channel(refusals = 0): Promise<ClientChannel> {
    const waiting = connection
    try {
      return await openChannel(await connected())
    } catch (error) {
      if (error instanceof Error && 'reason' in error && refusals < MOST_REFUSALS) {
        await sleep(REFUSED_MS)
        return channel(refusals + 1)
      }
      if (waiting === undefined || error instanceof Unreachable) throw error
      // A connection that waited to be used may have ended unnoticed.
      if (connection === waiting) connection = undefined
      return openChannel(await connected())
    }
  }

  return {
    async dial() {
      const giveBack = await channels.take()
      try {
        const opened = await channel()
        opened.once('close', () => giveBack?.())
        return opened
      } catch (error) {
        giveBack?.()
        throw error instanceof Unreachable ? error : new Unreachable(NO_CHANNEL, { cause: error })
      }
    },
    close() {
      connection?.then(
        (client) => client.end(),
        () => undefined,
      )
      connection = undefined
    },
  }
}
