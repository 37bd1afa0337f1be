// The whole product in this process: its real server on a free port, with a state folder of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../../src/bot/config.js'
import { openDatabase } from '../../src/bot/database.js'
import { openCredentialStore } from '../../src/bot/http/credential-store.js'
import { openCredentials } from '../../src/bot/http/credentials.js'
import { serve } from '../../src/bot/serve.js'

export interface TestServer {
  readonly url: string
  readonly loginUrl: string
  readonly stateFolder: string
  /** Makes a token with these roles. */
  token(...roles: string[]): string
  /** A request with a token of these roles. */
  as(...roles: string[]): (path: string, init?: RequestInit) => Promise<Response>
  close(): Promise<void>
}

/** @param settings environment variables, beside those that keep the server to itself @param webFolder the built page */
export async function startServer(settings: Readonly<Record<string, string>>, webFolder?: string): Promise<TestServer> {
  const stateFolder = mkdtempSync(join(tmpdir(), 'hc-server-'))
  const config = readConfig({
    HYPERCALL_STATE: stateFolder,
    HYPERCALL_PORT: '0',
    HYPERCALL_LOG_LEVEL: 'silent',
    HYPERCALL_POLICY: 'data/policy-small-team.cedar',
    HYPERCALL_RATES: 'read=1000000,change=1000000,destroy=1000000,disclose=1000000,ask=1000000',
    HYPERCALL_JOBS_PER_PERSON: '64',
    ...settings,
  })
  const pageless = join(stateFolder, 'web')
  if (webFolder === undefined) {
    mkdirSync(pageless)
    writeFileSync(join(pageless, 'index.html'), '<!doctype html><title>Hypercall</title>')
  }
  const running = await serve(config, webFolder ?? pageless)
  const db = openDatabase(stateFolder)
  const credentials = openCredentials(openCredentialStore(db), Date.now)
  let made = 0
  const token = (...roles: string[]): string => {
    made += 1
    return credentials.createToken(`test-${made}`, roles).token
  }
  return {
    url: running.url,
    loginUrl: running.loginUrl,
    stateFolder,
    token,
    as(...roles) {
      const authorization = `Bearer ${token(...roles)}`
      return (path, init = {}) =>
        fetch(`${running.url}${path}`, {
          ...init,
          headers: { authorization, ...(init.headers as Record<string, string>) },
        })
    },
    async close() {
      db.close()
      await running.close()
      rmSync(stateFolder, { recursive: true, force: true })
    },
  }
}
