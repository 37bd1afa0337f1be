// Who is calling: tokens for machines, a one-time link and then a session for the owner's browser.
import { createHash, randomBytes } from 'node:crypto'
import { AppError, formatTime, type Principal } from '../../actions/index.js'
import type { CredentialStore } from './credential-store.js'

export const LOGIN_MS = 15 * 60_000
export const SESSION_MS = 12 * 60 * 60_000

/** Whoever can use the state folder owns this Hypercall: the command line, and the page behind a login link. */
export const OWNER: Principal = { kind: 'local', id: 'owner', name: 'owner', tenant: 'local', roles: ['admin'] }

const LOCAL = 'local'
const GUILD = /^[0-9]{5,20}$/
const DAY_MS = 24 * 60 * 60_000
const MOST_DAYS = 3_650

const TOKEN_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/
const ROLE_NAME = /^[a-z][a-z0-9-]{0,31}$/

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')
const newSecret = (prefix: string): string => `${prefix}${randomBytes(32).toString('base64url')}`

export interface CreatedToken {
  /** Shown this once. */
  readonly token: string
  readonly name: string
  readonly roles: readonly string[]
}

export interface ListedToken {
  readonly name: string
  readonly roles: readonly string[]
  /** A Discord guild id, or `local`. */
  readonly tenant: string
  readonly createdAt: string
  readonly expiresAt?: string
}

/** What a token is bound to besides its roles. */
export interface TokenBounds {
  /** From now on; for ever when absent. */
  readonly days?: number
  /** The Discord guild whose hosts, jobs and cards it sees; otherwise this machine's own. */
  readonly guild?: string
}

export interface Credentials {
  /** @throws AppError INVALID_INPUT for a bad or taken name, or a bad role */
  createToken(name: string, roles: readonly string[], bounds?: TokenBounds): CreatedToken
  tokens(): ListedToken[]
  /** @returns false when there is no such token */
  revokeToken(name: string): boolean
  /** @throws AppError UNAUTHENTICATED */
  bearer(token: string): Principal
  /** @returns the token of a link that signs the owner in, once */
  createLogin(): string
  /** Trades a login for a session. @returns the session's secret @throws AppError UNAUTHENTICATED */
  login(token: string): string
  /** @throws AppError UNAUTHENTICATED */
  session(secret: string): Principal
  logout(secret: string): void
}

/** @param now epoch ms */
export function openCredentials(store: CredentialStore, now: () => number): Credentials {
  return {
    createToken(name, roles, { days, guild = LOCAL } = {}) {
      const invalid = (en: string, zh: string): never => {
        throw new AppError('INVALID_INPUT', { problem: { en, zh } })
      }
      if (!TOKEN_NAME.test(name))
        invalid('a token name has letters, digits, _ . - only', '令牌名称只能包含字母、数字和 _ . -')
      if (roles.length === 0) invalid('a token needs at least one role', '令牌至少需要一个角色')
      for (const role of roles) if (!ROLE_NAME.test(role)) invalid(`"${role}" is no role name`, `“${role}”不是角色名称`)
      if (guild !== LOCAL && !GUILD.test(guild)) invalid(`"${guild}" is no guild id`, `“${guild}”不是服务器 ID`)
      if (days !== undefined && !(days > 0 && days <= MOST_DAYS)) {
        invalid(`a token lasts from 1 to ${MOST_DAYS} days`, `令牌有效期为 1 到 ${MOST_DAYS} 天`)
      }
      const token = newSecret('hc_')
      const row = {
        name,
        token_hash: hashOf(token),
        roles: JSON.stringify(roles),
        created_at: now(),
        tenant: guild,
        expires_at: days === undefined ? null : now() + days * DAY_MS,
      }
      if (!store.insertToken(row)) invalid(`there already is a token called "${name}"`, `已存在名为“${name}”的令牌`)
      return { token, name, roles }
    },
    tokens: () =>
      store.tokens().map((row) => ({
        name: row.name,
        roles: JSON.parse(row.roles) as string[],
        tenant: row.tenant,
        createdAt: formatTime(row.created_at),
        ...(row.expires_at === null ? {} : { expiresAt: formatTime(row.expires_at) }),
      })),
    revokeToken: (name) => store.dropToken(name),
    bearer(token) {
      const row = store.tokenByHash(hashOf(token), now())
      if (!row) throw new AppError('UNAUTHENTICATED')
      const { name, tenant, roles } = row
      return { kind: 'token', id: name, name, tenant, roles: JSON.parse(roles) as string[] }
    },
    createLogin() {
      const token = newSecret('')
      store.sweep(now())
      store.insertLogin(hashOf(token), now() + LOGIN_MS)
      return token
    },
    login(token) {
      if (!store.useLogin(hashOf(token), now())) throw new AppError('UNAUTHENTICATED')
      const secret = newSecret('')
      store.insertSession(hashOf(secret), now() + SESSION_MS)
      return secret
    },
    session(secret) {
      if (!store.hasSession(hashOf(secret), now())) throw new AppError('UNAUTHENTICATED')
      return OWNER
    },
    logout: (secret) => store.dropSession(hashOf(secret)),
  }
}
