// What a distant engine is reached by, on this machine: certificates of an authority of our own, and an sshd.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requireProgram } from './packages.js'

/** A port that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })

export interface CertificateFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface Authority {
  readonly ca: string
  /** @param purpose `serverAuth` or `clientAuth` @param days how long it is valid; a negative number is the past */
  issue(name: string, purpose: string, names?: string, days?: number): CertificateFiles
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** @param folder where it keeps its files */
export function makeAuthority(folder: string): Authority {
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync(requireProgram('openssl'), args, { stdio: 'ignore' })
  const ca = at('ca.pem')
  openssl('req', '-x509', ...EC, '-days', '2', '-subj', '/CN=test', '-keyout', at('ca-key.pem'), '-out', ca)
  const day = (days: number): string =>
    new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return {
    ca,
    issue(name, purpose, names = 'DNS:localhost,IP:127.0.0.1', days = 2) {
      const [key, cert, request, config] = [`${name}-key.pem`, `${name}.pem`, `${name}.csr`, `${name}.cnf`].map(at)
      if (!key || !cert || !request || !config) throw new Error('no names')
      openssl('req', ...EC, '-subj', `/CN=${name}`, '-keyout', key, '-out', request)
      // `openssl x509` of these versions states no dates of its own; the small authority of `openssl ca` does.
      writeFileSync(at('index.txt'), '')
      writeFileSync(
        config,
        [
          '[ca]\ndefault_ca=own\n[own]',
          `database=${at('index.txt')}\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\nunique_subject=no`,
          `[any]\ncommonName=supplied\n[ext]\nextendedKeyUsage=${purpose}\nsubjectAltName=${names}\n`,
        ].join('\n'),
      )
      openssl(
        ...['ca', '-batch', '-config', config, '-extensions', 'ext', '-notext', '-in', request, '-out', cert],
        ...[
          '-cert',
          ca,
          '-keyfile',
          at('ca-key.pem'),
          '-startdate',
          day(Math.min(-1, days - 1)),
          '-enddate',
          day(days),
        ],
      )
      return { ca, cert, key }
    },
  }
}

export interface Sshd {
  readonly port: number
  readonly user: string
  /** Path of the key that it lets in. */
  readonly key: string
  /** `type base64`, as known_hosts has it. */
  readonly hostKey: string
  /** Path of a file that knows it. */
  readonly knownHosts: string
  /** Breaks every connection, and goes on listening. */
  dropConnections(): void
  stop(): Promise<void>
}

/** @param command what the key may do, and nothing else */
export async function startSshd(command: string): Promise<Sshd> {
  const program = requireProgram('sshd')
  const folder = mkdtempSync(join(tmpdir(), 'hc-sshd-'))
  const at = (name: string) => join(folder, name)
  for (const name of ['host', 'id']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)])
  const publicKey = (name: string) =>
    readFileSync(at(`${name}.pub`), 'utf8')
      .trim()
      .split(' ')
      .slice(0, 2)
      .join(' ')
  const port = await freePort()
  writeFileSync(at('authorized_keys'), `restrict,command="${command}" ${publicKey('id')}\n`)
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${port} ${publicKey('host')}\n`)
  writeFileSync(
    at('config'),
    [
      `ListenAddress 127.0.0.1:${port}\nHostKey ${at('host')}\nPidFile ${at('pid')}`,
      `AuthorizedKeysFile ${at('authorized_keys')}\nStrictModes no\nUsePAM no`,
      'PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin forced-commands-only\n',
    ].join('\n'),
  )
  // The folder that it gives up its rights in; a service manager would have made it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  let log = ''
  const child: ChildProcess = spawn(program, ['-D', '-e', '-f', at('config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr?.on('data', (chunk) => {
    log += String(chunk)
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for (let tries = 0; !(await listens(port)); tries++) {
    if (child.exitCode !== null || tries > 100) throw new Error(`sshd did not come up:\n${log}`)
    await sleep(50)
  }
  const children = () => {
    const list = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' })
    return list.split('\n').map(Number).filter(Boolean)
  }
  return {
    port,
    user: userInfo().username,
    key: at('id'),
    hostKey: publicKey('host'),
    knownHosts: at('known_hosts'),
    dropConnections: () => {
      for (const pid of children()) process.kill(pid, 'SIGKILL')
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
