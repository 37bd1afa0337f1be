// Every setting there is, in one schema; the only file that reads the environment.
import { type Static, Type } from 'typebox'
import Schema from 'typebox/schema'
import Value from 'typebox/value'
import type { Bilingual, Rates } from '../actions/index.js'

const words = (description: Bilingual) => ({ description: description.en, 'x-zh': description.zh })
const snowflake = '^[0-9]{5,20}$'
const urlHost = '(http://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?'
const RATES: Rates = { read: 600, change: 60, destroy: 20, disclose: 60, ask: 60 }
const rate = '(read|change|destroy|disclose|ask)=[1-9][0-9]{0,8}'
const httpUrl = '^https?://[^\\s/?#]+[^\\s?#]*$'

export const SETTINGS = {
  HYPERCALL_STATE: Type.String({
    default: './state',
    minLength: 1,
    ...words({
      en: 'Folder of the database, artifacts and unfinished files',
      zh: '存放数据库、制品和未完成文件的目录',
    }),
  }),
  HYPERCALL_BIND: Type.String({
    default: '127.0.0.1',
    minLength: 1,
    ...words({ en: 'Address to listen on', zh: '监听地址' }),
  }),
  HYPERCALL_PORT: Type.Integer({
    default: 7070,
    minimum: 0,
    maximum: 65_535,
    ...words({ en: 'Port to listen on; 0 takes any free one and prints it', zh: '监听端口；0 表示任选空闲端口并打印' }),
  }),
  HYPERCALL_PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: httpUrl,
      ...words({
        en: 'How people reach the page and downloads, where it is not http://BIND:PORT',
        zh: '页面与下载的对外地址（若不是 http://BIND:PORT）',
      }),
    }),
  ),
  HYPERCALL_POLICY: Type.String({
    default: 'data/policy.cedar',
    minLength: 1,
    ...words({ en: 'The Cedar policy file', zh: 'Cedar 策略文件' }),
  }),
  HYPERCALL_HOSTS: Type.Optional(
    Type.String({
      minLength: 1,
      ...words({
        en: 'A YAML file of hosts; without it, the engine at DOCKER_HOST or the default socket',
        zh: '主机 YAML 文件；未设置时使用 DOCKER_HOST 或默认套接字',
      }),
    }),
  ),
  HYPERCALL_LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
    ...words({ en: 'How much is logged', zh: '日志级别' }),
  }),
  HYPERCALL_MAX_UPLOAD: Type.Integer({
    default: 8 * 1024 ** 3,
    minimum: 1,
    ...words({ en: 'Largest file that may be sent in, in bytes', zh: '允许上传的最大文件（字节）' }),
  }),
  HYPERCALL_URL_HOSTS: Type.String({
    default: '',
    pattern: `^(${urlHost}(,${urlHost})*)?$`,
    ...words({
      en: 'Hosts (names, by comma) that files may be fetched from, over https; http://NAME without encryption',
      zh: '允许获取文件的主机名（逗号分隔），使用 https；写作 http://主机名 则不加密',
    }),
  }),
  HYPERCALL_MIN_FREE: Type.Integer({
    default: 32 * 1024 ** 2,
    minimum: 0,
    ...words({ en: 'Disk space that transfers must leave free, in bytes', zh: '传输时必须保留的磁盘空间（字节）' }),
  }),
  HYPERCALL_JOBS: Type.Integer({
    default: 8,
    minimum: 1,
    maximum: 64,
    ...words({ en: 'How many jobs run at a time; up to 32 more wait', zh: '同时运行的任务数；另有最多 32 个排队等待' }),
  }),
  HYPERCALL_JOBS_PER_HOST: Type.Integer({
    default: 4,
    minimum: 1,
    maximum: 64,
    ...words({ en: 'How many of them may keep one host busy', zh: '其中单台主机上允许同时运行的任务数' }),
  }),
  HYPERCALL_JOBS_PER_PERSON: Type.Integer({
    default: 8,
    minimum: 1,
    maximum: 64,
    ...words({ en: 'How many of them, running or waiting, may be of one caller', zh: '其中同一调用者的任务数上限' }),
  }),
  HYPERCALL_RATES: Type.String({
    default: Object.entries(RATES)
      .map(([what, points]) => `${what}=${points}`)
      .join(','),
    pattern: `^(${rate}(,${rate})*)?$`,
    ...words({
      en: 'Calls a minute of one caller, by effect; `ask` limits questions besides. What is not named stays as it is',
      zh: '每个调用者每分钟的调用次数（按效果）；`ask` 另外限制提问。未列出的保持默认',
    }),
  }),
  HYPERCALL_ARTIFACT_QUOTA: Type.Integer({
    default: 20 * 1024 ** 3,
    minimum: 1,
    ...words({ en: 'What all artifacts may take together, in bytes', zh: '所有制品合计可占用的空间（字节）' }),
  }),
  HYPERCALL_AUDIT_DAYS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 36_500,
    ...words({ en: 'How many days the audit log is kept; 0 keeps all of it', zh: '审计日志保留天数；0 表示全部保留' }),
  }),
  HYPERCALL_AUDIT_MIRROR: Type.String({
    default: 'log',
    ...words({
      en: 'Where the signed end of the audit log is noted each minute, by comma: log, a file, an address to post to',
      zh: '每分钟记录审计日志签名末端的位置（逗号分隔）：log、文件或接收 POST 的地址',
    }),
  }),
  DISCORD_TOKEN: Type.Optional(
    Type.String({
      minLength: 1,
      'x-secret': true,
      ...words({ en: "The bot's token; with it the bot joins Discord", zh: '机器人令牌；设置后加入 Discord' }),
    }),
  ),
  DISCORD_APPLICATION_ID: Type.Optional(
    Type.String({
      pattern: snowflake,
      ...words({ en: "The application's id; asked of Discord when missing", zh: '应用 ID；缺省时向 Discord 查询' }),
    }),
  ),
  DISCORD_TRANSPORT: Type.Enum(['gateway', 'http'], {
    default: 'gateway',
    ...words({
      en: 'How interactions arrive: over a connection that the bot keeps, or posted to /discord/interactions',
      zh: '交互的到达方式：由机器人保持的连接，或由 Discord 发送到 /discord/interactions',
    }),
  }),
  DISCORD_PUBLIC_KEY: Type.Optional(
    Type.String({
      pattern: '^[0-9a-fA-F]{64}$',
      ...words({ en: "The application's public key, for HTTP interactions", zh: '应用公钥，用于 HTTP 交互' }),
    }),
  ),
  DISCORD_GUILDS: Type.Optional(
    Type.String({
      pattern: '^[0-9]{5,20}(,[0-9]{5,20})*$',
      ...words({
        en: 'Guilds (ids, by comma) that may use the local host; elsewhere people can only ask',
        zh: '可使用本地主机的服务器 ID（逗号分隔）；其他服务器只能提问',
      }),
    }),
  ),
  DISCORD_COMMANDS: Type.Enum(['global', 'guilds'], {
    default: 'global',
    ...words({
      en: 'Where commands are deployed: global, or to each of DISCORD_GUILDS alone',
      zh: '命令部署范围：global 为全局；guilds 为仅 DISCORD_GUILDS 中的各服务器',
    }),
  }),
  DISCORD_ROLES: Type.Optional(
    Type.String({
      pattern: '^[a-z][a-z0-9-]*=[0-9]{5,20}(,[a-z][a-z0-9-]*=[0-9]{5,20})*$',
      ...words({
        en: 'Policy roles by Discord role id: operator=123…,viewer=456…',
        zh: '按 Discord 身份组 ID 映射策略角色：operator=123…,viewer=456…',
      }),
    }),
  ),
  DISCORD_API: Type.String({
    default: 'https://discord.com/api',
    pattern: httpUrl,
    ...words({ en: "Where Discord's API is", zh: 'Discord API 地址' }),
  }),
  DISCORD_CDN: Type.String({
    default: 'https://cdn.discordapp.com',
    pattern: httpUrl,
    ...words({ en: 'Where attachments are fetched from, and nowhere else', zh: '附件唯一的下载来源' }),
  }),
  DOCKER_HOST: Type.Optional(
    Type.String({
      minLength: 1,
      ...words({
        en: "The engine's address, as the engine's own tools read it",
        zh: '引擎地址，与 Docker 工具含义相同',
      }),
    }),
  ),
  DOCKER_TLS_VERIFY: Type.Optional(
    Type.String({
      ...words({ en: 'Set to reach DOCKER_HOST over mutual TLS', zh: '设置后通过双向 TLS 访问 DOCKER_HOST' }),
    }),
  ),
  DOCKER_CERT_PATH: Type.Optional(
    Type.String({
      minLength: 1,
      ...words({ en: 'Folder of ca.pem, cert.pem and key.pem', zh: 'ca.pem、cert.pem、key.pem 所在目录' }),
    }),
  ),
} as const

const SettingsSchema = Type.Object(SETTINGS)
export type Config = Static<typeof SettingsSchema>

/** Everything wrong with the settings, so that one look mends it. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

const validator = Schema.Compile(SettingsSchema)

/** @param environment names and values as the process was given them @throws ConfigError with every problem */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue
    if (Object.hasOwn(SETTINGS, name)) {
      // An empty variable is how shells and compose files spell "not set".
      if (value !== '') given[name] = value
    } else if (name.startsWith('HYPERCALL_')) {
      problems.push(`${name}: there is no such setting; \`hypercall config\` lists them`)
    }
  }
  const config = Value.Default(SettingsSchema, Value.Convert(SettingsSchema, given))
  if (!validator.Check(config)) {
    const [, errors] = validator.Errors(config)
    problems.push(...errors.map((error) => `${error.instancePath.slice(1)}: ${error.message}`))
  }
  if (given.DISCORD_COMMANDS === 'guilds' && given.DISCORD_GUILDS === undefined) {
    problems.push('DISCORD_COMMANDS: guilds needs DISCORD_GUILDS')
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const settings = config as Config
  if (settings.DISCORD_TRANSPORT === 'http' && settings.DISCORD_PUBLIC_KEY === undefined) {
    throw new ConfigError(['DISCORD_PUBLIC_KEY: DISCORD_TRANSPORT=http needs the public key of the application'])
  }
  return settings
}

export interface SettingDescription {
  readonly name: string
  readonly description: Bilingual
  readonly byDefault?: string
  /** Never shown. */
  readonly secret: boolean
}

export const describeSettings = (): SettingDescription[] =>
  Object.entries(SETTINGS).map(([name, schema]) => {
    const raw = schema as unknown as Record<string, unknown>
    return {
      name,
      description: { en: String(raw.description), zh: String(raw['x-zh']) },
      ...(raw.default === undefined ? {} : { byDefault: String(raw.default) }),
      secret: raw['x-secret'] === true,
    }
  })

const ratesIn = (list: string): Partial<Rates> =>
  Object.fromEntries(
    list
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('=') as [keyof Rates, string])
      .map(([what, points]) => [what, Number(points)]),
  )

/** @returns the rates that are set, and the defaults of the others */
export const ratesOf = ({ HYPERCALL_RATES }: Config): Rates => ({ ...RATES, ...ratesIn(HYPERCALL_RATES) })

export const guildsOf = (config: Config): string[] => config.DISCORD_GUILDS?.split(',') ?? []

/** @returns Discord role id → the policy roles it stands for */
export function rolesOf(config: Config): ReadonlyMap<string, readonly string[]> {
  const roles = new Map<string, string[]>()
  for (const pair of config.DISCORD_ROLES?.split(',') ?? []) {
    const [role = '', id = ''] = pair.split('=')
    roles.set(id, [...(roles.get(id) ?? []), role])
  }
  return roles
}

/** The settings of this process. @throws ConfigError */
export const loadConfig = (): Config => readConfig(process.env)

/** What the settings of a host may name: a variable that holds the path of a key or a certificate. */
export const environment = (name: string): string | undefined => process.env[name]
