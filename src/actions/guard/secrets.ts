// What looks like a secret does not get out by the way, in a message, a log line or an audit row: the last net, behind the
// fields that are marked as secret. What a call was meant to disclose does not come through here.

const GONE = '…'

/** Names of values that are nobody's business: `DB_PASSWORD=…`, `--api-key …`, `"token": …`. */
const SECRET_NAME = String.raw`[\w.-]*(?:passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential|token)[\w.-]*`

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, `-----BEGIN $1-----${GONE}`],
  // Credentials in an address: a token stands there without a name, too; over SSH a name alone is only a name.
  [/\b(?!ssh:)([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi, `$1${GONE}@`],
  [/\b(ssh:\/\/)[^\s/?#@:]*:[^\s/?#@]*@/gi, `$1${GONE}@`],
  [
    /\b(authorization|proxy-authorization|x-registry-auth|cookie)(["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|bot)\s+)?[^\s"',;]+/gi,
    `$1$2${GONE}`,
  ],
  [/\b(bearer|basic|bot)\s+[\w.~+/-]{16,}=*/gi, `$1 ${GONE}`],
  // Our own: tokens, login links, download links.
  [/\bhc_[\w-]{16,}/g, `hc_${GONE}`],
  [/(#login=)[\w-]+/g, `$1${GONE}`],
  [/(\/d\/)[\w-]{16,}/g, `$1${GONE}`],
  // Discord's bot tokens: an id, a time and a signature.
  [/\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}/g, GONE],
  [new RegExp(String.raw`(["']?${SECRET_NAME}["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s"'&,;]+)`, 'gi'), `$1${GONE}`],
  [new RegExp(String.raw`(--?${SECRET_NAME}\s+)(?:"[^"]*"|'[^']*'|[^\s"'&,;-][^\s"'&,;]*)`, 'gi'), `$1${GONE}`],
]

/** @returns the text without what looks like a secret */
export const scrub = (text: string): string =>
  PATTERNS.reduce((scrubbed, [pattern, without]) => scrubbed.replace(pattern, without), text)

const SECRET_KEY = new RegExp(`^(?:${SECRET_NAME}|authorization|proxy-authorization|x-registry-auth|cookie)$`, 'i')

/**
 * The same of a line of JSON, which stays one: cut as text it could lose a quote, and a line of the log say what it should not.
 * @param line as it is written, with its end
 */
export function scrubLine(line: string): string {
  const scrubbed: unknown = JSON.parse(line, (name, value: unknown) => {
    if (typeof value !== 'string') return value
    return SECRET_KEY.test(name) ? GONE : scrub(value)
  })
  return `${JSON.stringify(scrubbed)}\n`
}
