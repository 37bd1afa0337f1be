// Every failure that a caller can cause, in one table: its HTTP status, whether the same call may succeed later, and
// what to tell the person. Messages say what was wrong and what to do; placeholders come from the error's details.
import { type ErrorKind, kind } from './error-kind.js'
import { scrub } from './guard/secrets.js'
import { HOST_ERRORS } from './host-errors.js'
import { type Bilingual, type Lang, say } from './text.js'

export const ERRORS = {
  ...HOST_ERRORS,
  INVALID_INPUT: kind(400, false, 'The input is not right: {problem}.', '输入有误：{problem}。'),
  ACTION_UNKNOWN: kind(
    404,
    false,
    'There is no command "{action}". Type / to see what there is.',
    '没有名为“{action}”的命令。输入 / 可查看所有命令。',
  ),
  UNAUTHENTICATED: kind(
    401,
    false,
    'Sign in first: send a valid token, or open a fresh link from `hypercall login`.',
    '请先登录：提供有效令牌，或用 `hypercall login` 获取新的登录链接。',
  ),
  SIGNATURE_INVALID: kind(
    401,
    false,
    'Only Discord may call this: the signature is missing, wrong or too old.',
    '仅 Discord 可以调用此地址：签名缺失、错误或已过期。',
  ),
  ORIGIN_REFUSED: kind(
    403,
    false,
    'This request came from another site and was refused. Use the page itself.',
    '该请求来自其他站点，已被拒绝。请在本页面内操作。',
  ),
  FORBIDDEN: kind(
    403,
    false,
    'You may not do this: no policy allows {action} here for you. Ask an operator.',
    '您没有权限：没有策略允许您在此执行 {action}。请联系管理员。',
  ),
  CONFIRMATION_REQUIRED: kind(
    409,
    true,
    'Confirm first: {why} Send the same call again with "confirm" set to details.confirm before {expiresAt}.',
    '需要确认：{why}请在 {expiresAt} 之前将 details.confirm 作为 "confirm" 再次发送同一请求。',
  ),
  CONFIRMATION_EXPIRED: kind(
    409,
    false,
    'That confirmation has expired or was already used. Run the command again.',
    '该确认已过期或已被使用。请重新执行命令。',
  ),
  CONFIRMATION_NOT_YOURS: kind(
    403,
    false,
    'Only the person who asked can confirm this.',
    '只有发起人本人可以确认此操作。',
  ),
  CONFIRMATION_MISMATCH: kind(
    409,
    false,
    'What you confirmed is not what you sent. Run the command again.',
    '确认的内容与发送的内容不一致。请重新执行命令。',
  ),
  REASON_REQUIRED: kind(
    409,
    true,
    'Say what it is for, with "reason": policy asks for that here. Nothing was done.',
    '请用 "reason" 说明操作原因：此处策略要求提供。未执行任何操作。',
  ),
  APPROVAL_REQUIRED: kind(
    409,
    true,
    '{why} It takes {needed} to agree with /approval give {approval} before {expiresAt}. Then send the same call again with "confirm" set to details.confirm.',
    '{why}需要 {needed} 在 {expiresAt} 之前用 /approval give {approval} 同意，之后将 details.confirm 作为 "confirm" 再次发送同一请求。',
  ),
  APPROVAL_PENDING: kind(
    409,
    true,
    'Not yet: {missing} must still agree, with /approval give {approval}. Nothing was done.',
    '尚未获准：还需 {missing} 用 /approval give {approval} 同意。未执行任何操作。',
  ),
  APPROVAL_DECLINED: kind(
    409,
    false,
    '{by} said no{because}. Nothing was done.',
    '{by} 已拒绝{because}。未执行任何操作。',
  ),
  APPROVAL_NOT_FOUND: kind(
    404,
    false,
    'There is no request "{approval}" that waits for you. /approval list shows those that do.',
    '没有等待您处理的审批请求“{approval}”。用 /approval list 查看待处理的请求。',
  ),
  APPROVAL_NOT_YOURS: kind(
    403,
    false,
    'This is for somebody else to decide: {needed}, neither the one who asked nor a token.',
    '需由其他人决定：{needed}，且不能是发起人或令牌。',
  ),
  APPROVAL_OVER: kind(
    409,
    false,
    'That request has ended, or you have decided on it before. Run the command again for a new one.',
    '该审批请求已结束，或您已作出决定。如需新请求，请重新执行命令。',
  ),
  GUILD_REQUIRED: kind(
    409,
    false,
    'These settings belong to a Discord server. Use /settings there, or a token made with --guild.',
    '这些设置属于某个 Discord 服务器。请在该服务器中使用 /settings，或使用以 --guild 创建的令牌。',
  ),
  ROLE_NOT_YOURS: kind(
    403,
    false,
    'You can only give and take roles that you have: "{role}" is not one of yours.',
    '您只能授予或收回自己拥有的角色：您没有“{role}”。',
  ),
  MAPPING_NOT_FOUND: kind(
    404,
    false,
    'That role of the server does not stand for "{role}" here. /settings show lists what is mapped; DISCORD_ROLES is the operator\'s.',
    '该身份组在此处未映射为“{role}”。用 /settings show 查看映射；DISCORD_ROLES 由运维方设置。',
  ),
  TARGET_CHANGED: kind(
    409,
    false,
    'The target changed after it was confirmed, so nothing was done. Look at it and run the command again.',
    '目标在确认后发生了变化，因此未执行任何操作。请检查后重新执行命令。',
  ),
  ENDPOINT_INVALID: kind(400, false, 'The host was not linked: {problem}.', '主机未连接：{problem}。'),
  CONTENT_REQUIRED: kind(
    400,
    false,
    'Say what to copy: one of a file, a text, an address and an artifact.',
    '请指定要复制的内容：文件、文本、网址或制品，四者择一。',
  ),
  FILE_REQUIRED: kind(
    400,
    false,
    'This command is about a file, and none came with it.',
    '该命令需要一个文件，但没有收到。',
  ),
  COLLECTION_REQUIRED: kind(
    400,
    false,
    'Mirroring removes what the source does not have: name a collection of its own for it, other than "{reserved}".',
    '镜像导入会移除来源中没有的内容：请为它指定单独的集合，不能是“{reserved}”。',
  ),
  QUESTION_UNKNOWN: kind(
    404,
    false,
    'There is no question {question} here. `/knowledge gaps` shows those that are open.',
    '这里没有编号为 {question} 的问题。可用 `/knowledge gaps` 查看待解答的问题。',
  ),
  CARD_NOT_FOUND: kind(
    404,
    false,
    'There is no card "{card}" of yours. `/knowledge list` shows what there is.',
    '没有属于你们的卡片“{card}”。可用 `/knowledge list` 查看。',
  ),
  VERSION_NOT_FOUND: kind(
    404,
    false,
    'The card "{card}" has no earlier version {version} with a text. `/knowledge history` shows its versions.',
    '卡片“{card}”没有带正文的历史版本 {version}。可用 `/knowledge history` 查看。',
  ),
  CARD_NOT_SAVED: kind(400, false, 'The card was not saved: {problem}.', '卡片未保存：{problem}。'),
  SYSTEM_UNKNOWN: kind(
    404,
    false,
    'There is no facts table of “{system}”. Known are: {known}.',
    '没有“{system}”的资料。已收录：{known}。',
  ),
  UPLOAD_TOO_LARGE: kind(
    413,
    false,
    'That file is larger than the limit of {limit}. Send a smaller one, or raise HYPERCALL_MAX_UPLOAD.',
    '文件超过上限 {limit}。请发送更小的文件，或调高 HYPERCALL_MAX_UPLOAD。',
  ),
  UPLOAD_INCOMPLETE: kind(
    400,
    true,
    'The file ended early: {got} of {expected} bytes arrived. Send it again.',
    '文件不完整：仅收到 {expected} 字节中的 {got} 字节。请重新发送。',
  ),
  ATTACHMENT_REFUSED: kind(
    400,
    false,
    'Attachments are fetched from the configured Discord CDN only, and this one is elsewhere.',
    '只会从配置的 Discord CDN 获取附件，而此附件位于其他位置。',
  ),
  ATTACHMENT_UNAVAILABLE: kind(
    502,
    true,
    'Discord did not hand out the attachment. Attach it again and retry.',
    '无法从 Discord 获取附件。请重新附加后再试。',
  ),
  URL_REFUSED: kind(
    400,
    false,
    'Nothing is fetched from that address: {problem}. An operator can allow its host in HYPERCALL_URL_HOSTS.',
    '不会从该网址获取内容：{problem}。管理员可在 HYPERCALL_URL_HOSTS 中允许其主机。',
  ),
  URL_UNAVAILABLE: kind(
    502,
    true,
    'That address did not hand out a file whose size it states. Open it in a browser to see; redirects are not followed.',
    '该网址未提供注明大小的文件。请在浏览器中打开查看；不会跟随重定向。',
  ),
  STORAGE_FULL: kind(
    507,
    true,
    'The disk that holds the artifacts is full. Nothing half-finished was kept; free some space and try again.',
    '存放制品的磁盘已满。未保留任何不完整的结果，请释放空间后重试。',
  ),
  QUOTA_REACHED: kind(
    507,
    true,
    'All artifacts together may take {quota}, and that is used up. Remove some with /artifact remove; your largest: {largest}.',
    '所有制品合计最多占用 {quota}，现已用尽。请用 /artifact remove 删除一些；你们最大的制品：{largest}。',
  ),
  QUEUE_FULL: kind(
    429,
    true,
    'Too many jobs are waiting ({waiting}). Try again when some have finished.',
    '等待中的任务过多（{waiting}）。请在部分任务完成后重试。',
  ),
  JOBS_LIMIT: kind(
    429,
    true,
    'You have {count} jobs under way, and nobody may have more. Wait for one to end, or cancel one with /job cancel.',
    '您已有 {count} 个任务在进行，已达个人上限。请等待其结束，或用 /job cancel 取消其一。',
  ),
  JOB_NOT_FOUND: kind(404, false, 'There is no job "{job}" for you.', '没有可供您查看的任务“{job}”。'),
  JOB_FINISHED: kind(
    409,
    false,
    'The job has already ended ({state}); there is nothing to cancel.',
    '任务已结束（{state}），无可取消。',
  ),
  ARTIFACT_NOT_FOUND: kind(
    404,
    false,
    'There is no artifact "{artifact}" for you. /artifact list shows what there is.',
    '没有可供您使用的制品“{artifact}”。可用 /artifact list 查看。',
  ),
  CANCELLED: kind(499, false, 'The job was cancelled. Nothing of it was kept.', '任务已取消，未保留任何内容。'),
  CALLER_GONE: kind(
    499,
    true,
    'The caller went away before the end, so this was broken off. Look at what is there before you try again.',
    '调用方在完成之前断开，操作已中止。重试之前请先检查现状。',
  ),
  INTERRUPTED: kind(
    500,
    true,
    'The bot was stopped while this ran. Nothing half-finished was kept; run the command again.',
    '运行期间机器人被停止。未保留任何不完整的结果，请重新执行命令。',
  ),
  LINK_INVALID: kind(
    404,
    false,
    'This link is wrong or has expired. Ask for a new one with /artifact link.',
    '链接无效或已过期。可用 /artifact link 获取新链接。',
  ),
  RANGE_INVALID: kind(
    416,
    false,
    'The file has no such part. Ask for all of it.',
    '文件中没有该范围。请请求完整文件。',
  ),
  ROUTE_UNKNOWN: kind(404, false, 'There is nothing at this address.', '此地址没有任何内容。'),
  RATE_LIMITED: kind(
    429,
    true,
    'Too many attempts. Try again in {seconds} s.',
    '尝试次数过多。请在 {seconds} 秒后重试。',
  ),
  OVERLOADED: kind(
    503,
    true,
    'The bot has more to do than it can. Nothing was done; try again in {seconds} s.',
    '机器人负载过高，未执行任何操作。请在 {seconds} 秒后重试。',
  ),
  SHUTTING_DOWN: kind(503, true, 'The bot is being stopped. Try again in a moment.', '机器人正在停止。请稍后重试。'),
  AUDIT_UNAVAILABLE: kind(
    503,
    true,
    'The audit log cannot be written, so nothing was done. Tell an operator.',
    '无法写入审计日志，因此未执行任何操作。请告知管理员。',
  ),
  AUDIT_BROKEN: kind(
    409,
    false,
    'The audit log is not as it was written. {rows} Somebody changed the database outside the bot: keep a copy of it and compare it with a backup.',
    '审计日志与写入时不符。{rows}有人绕过机器人改动了数据库：请保留其副本，并与备份比对。',
  ),
  INTERNAL: kind(
    500,
    false,
    'Something went wrong inside the bot. Tell an operator this request id: {requestId}.',
    '机器人内部出错。请将此请求编号告知管理员：{requestId}。',
  ),
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERRORS

export type ErrorDetails = Readonly<Record<string, unknown>>

/** What a caller caused. A bug is never an AppError: it is thrown as it is, logged, and answered as INTERNAL. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(describeError(code, details, 'en'), options)
    this.name = 'AppError'
    this.code = code
    this.details = details
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  get retry(): boolean {
    return ERRORS[this.code].retry
  }

  /** The message in a person's language. */
  describe(lang: Lang): string {
    return describeError(this.code, this.details, lang)
  }
}

const isBilingual = (value: unknown): value is Bilingual =>
  typeof value === 'object' && value !== null && 'en' in value && 'zh' in value

/** The message of a code and its details (as a failed job stores them); a bilingual detail is told in `lang` too. */
export function describeError(code: ErrorCode, details: ErrorDetails, lang: Lang): string {
  const values = Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      isBilingual(value) ? value[lang] : Array.isArray(value) ? value.join(', ') : value,
    ]),
  )
  return scrub(say(lang, ERRORS[code], values))
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code)
