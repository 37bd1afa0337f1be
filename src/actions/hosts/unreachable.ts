// Why an engine could not be reached, in words that an operator can act on.
import type { Bilingual } from '../text.js'

/** A failure on the way to an engine that says itself what it is. */
export class Unreachable extends Error {
  readonly why: Bilingual
  /** Whoever answered is not who was meant. */
  readonly isImpostor: boolean

  constructor(why: Bilingual, options: ErrorOptions & { isImpostor?: boolean } = {}) {
    super(why.en, options)
    this.name = 'Unreachable'
    this.why = why
    this.isImpostor = options.isImpostor ?? false
  }
}

export const SILENT: Bilingual = {
  en: 'The engine does not answer. Is it running?',
  zh: '引擎没有响应。它在运行吗？',
}
export const NO_MACHINE_ANSWER: Bilingual = {
  en: 'The machine does not answer as SSH would. Does sshd run there, at that port?',
  zh: '该机器没有按 SSH 协议响应。sshd 是否在该端口运行？',
}
const NOBODY_LISTENS: Bilingual = {
  en: 'Nothing listens there. Is the engine running?',
  zh: '该地址没有服务在监听。引擎在运行吗？',
}
const UNKNOWN_AUTHORITY: Bilingual = {
  en: 'Its TLS certificate is of an authority that we do not trust. Is it the right ca file?',
  zh: '其 TLS 证书的签发机构不受信任。ca 文件是否正确？',
}
const NO_ROUTE: Bilingual = {
  en: 'There is no way to that machine from here. Check the address and the network.',
  zh: '无法从本机到达该机器。请检查地址与网络。',
}

/** Codes of the system. */
const SYSTEM: Readonly<Record<string, Bilingual>> = {
  EACCES: {
    en: 'The engine is there, but this user may not use its socket.',
    zh: '引擎存在，但当前用户无权访问其套接字。',
  },
  ECONNREFUSED: NOBODY_LISTENS,
  ENOENT: NOBODY_LISTENS,
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  ENOTFOUND: { en: 'Its host name is not known. Check the spelling.', zh: '无法解析该主机名。请检查拼写。' },
}

/** Codes of TLS by which the other side is not, or no longer, who it should be. */
const IMPOSTOR: Readonly<Record<string, Bilingual>> = {
  CERT_HAS_EXPIRED: {
    en: 'Its TLS certificate has expired. Give the engine a new one.',
    zh: '其 TLS 证书已过期。请为引擎更换新证书。',
  },
  CERT_NOT_YET_VALID: {
    en: 'Its TLS certificate is not valid yet. Are the clocks right?',
    zh: '其 TLS 证书尚未生效。请检查双方时钟。',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    en: 'Its TLS certificate is for another name than the one in the endpoint.',
    zh: '其 TLS 证书属于其他名称，与端点中的名称不符。',
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
}

const WE_ARE_REFUSED: Bilingual = {
  en: 'The engine refused our TLS certificate. Is it of its authority, and still valid?',
  zh: '引擎拒绝了我方的 TLS 证书。它是否由引擎信任的机构签发且仍在有效期内？',
}
const NO_TLS: Bilingual = {
  en: 'What listens there does not speak TLS as an engine does.',
  zh: '该地址的服务未按引擎的方式使用 TLS。',
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? '')

export const isImpostor = (error: unknown): boolean =>
  error instanceof Unreachable ? error.isImpostor : Object.hasOwn(IMPOSTOR, codeOf(error))

/** Whether it is certain that nothing was sent. */
export const isBeforeAnything = (error: unknown): boolean =>
  error instanceof Unreachable || Object.hasOwn(SYSTEM, codeOf(error)) || isImpostor(error)

export function whyUnreachable(error: unknown): Bilingual {
  if (error instanceof Unreachable) return error.why
  const code = codeOf(error)
  if (/^ERR_SSL_.*ALERT/.test(code)) return WE_ARE_REFUSED
  if (/^ERR_SSL_/.test(code)) return NO_TLS
  return SYSTEM[code] ?? IMPOSTOR[code] ?? SILENT
}
