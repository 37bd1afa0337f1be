// Every failure that a caller can cause, in one table: its HTTP status, whether the same call may succeed later, and
// what to tell the person. Messages say what was wrong and what to do; placeholders come from the error's details.
import { type Bilingual, type Lang, say } from './text.js'

interface ErrorKind extends Bilingual {
  readonly status: number
  /** True when the same call, unchanged, may succeed later. */
  readonly retry: boolean
}

const kind = (status: number, retry: boolean, en: string, zh: string): ErrorKind => ({ status, retry, en, zh })

export const ERRORS = {
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
  TARGET_CHANGED: kind(
    409,
    false,
    'The target changed after it was confirmed, so nothing was done. Look at it and run the command again.',
    '目标在确认后发生了变化，因此未执行任何操作。请检查后重新执行命令。',
  ),
  HOST_NOT_FOUND: kind(
    404,
    false,
    'There is no host "{host}" for you. Known hosts: {known}.',
    '没有可用的主机“{host}”。已知主机：{known}。',
  ),
  HOST_REQUIRED: kind(
    400,
    false,
    'Several hosts are linked: say which one. Known hosts: {known}.',
    '已连接多台主机，请指明其中一台：{known}。',
  ),
  NO_HOSTS: kind(
    404,
    false,
    'No host is linked. Start a Docker engine or name hosts in HYPERCALL_HOSTS.',
    '尚未连接任何主机。请启动 Docker 引擎，或通过 HYPERCALL_HOSTS 指定主机。',
  ),
  HOST_UNREACHABLE: kind(
    503,
    true,
    'The engine on host "{host}" does not answer. /host test says why; then try again.',
    '主机“{host}”上的引擎没有响应。可用 /host test 查看原因，然后重试。',
  ),
  HOST_UNTRUSTED: kind(
    502,
    false,
    'Host "{host}" did not prove who it is, so nothing was sent to it. {why}',
    '主机“{host}”未能证明其身份，因此未向其发送任何内容。{why}',
  ),
  HOST_BUSY: kind(
    503,
    true,
    'Host "{host}" is busy: {running} operations run and {waiting} wait. Try again in {seconds} s.',
    '主机“{host}”繁忙：{running} 个操作正在执行，{waiting} 个正在等待。请在 {seconds} 秒后重试。',
  ),
  HOST_NAME_TAKEN: kind(
    409,
    false,
    'There is a host "{host}" already. Choose another name.',
    '已存在主机“{host}”。请换一个名称。',
  ),
  HOST_NOT_LINKED: kind(
    409,
    false,
    'Host "{host}" comes from the settings of the bot and is taken out there, not here.',
    '主机“{host}”来自机器人的配置，请在配置中移除。',
  ),
  ENDPOINT_INVALID: kind(400, false, 'The host was not linked: {problem}.', '主机未连接：{problem}。'),
  ENGINE_LOST: kind(
    502,
    true,
    'The engine on host "{host}" broke off in the middle. Nothing half-finished was kept; try again when it is back.',
    '主机“{host}”上的引擎中途断开。未保留任何不完整的结果，请在其恢复后重试。',
  ),
  ENGINE_REFUSED: kind(
    502,
    false,
    'The engine on host "{host}" refused: {reason}',
    '主机“{host}”上的引擎拒绝了该操作：{reason}',
  ),
  INSTANCE_NOT_FOUND: kind(
    404,
    false,
    'There is no container "{container}" on host "{host}". /container list shows what is there.',
    '主机“{host}”上没有容器“{container}”。可用 /container list 查看。',
  ),
  INSTANCE_AMBIGUOUS: kind(
    409,
    false,
    '"{container}" fits more than one container: {candidates}. Give the name or more of the id.',
    '“{container}”匹配到多个容器：{candidates}。请给出名称或更长的 ID。',
  ),
  INSTANCE_NOT_RUNNING: kind(
    409,
    false,
    'The container "{container}" does not run, or is paused. Start it, or let it go on, and try again.',
    '容器“{container}”未在运行或已暂停。请先启动或恢复它，然后重试。',
  ),
  INSTANCE_RUNS: kind(
    409,
    false,
    'The container "{container}" runs. Stop it first, or say force.',
    '容器“{container}”正在运行。请先停止它，或指定 force。',
  ),
  NAME_TAKEN: kind(
    409,
    false,
    'The name "{name}" is taken on host "{host}". Choose another one.',
    '主机“{host}”上已有名为“{name}”的容器。请换一个名称。',
  ),
  IMAGE_NOT_FOUND: kind(
    404,
    false,
    'There is no image "{image}" on host "{host}". /image list shows what is there.',
    '主机“{host}”上没有镜像“{image}”。可用 /image list 查看。',
  ),
  IMAGE_AMBIGUOUS: kind(
    409,
    false,
    '"{image}" fits more than one image: {candidates}. Give a tag or more of the id.',
    '“{image}”匹配到多个镜像：{candidates}。请给出标签或更长的 ID。',
  ),
  IMAGE_IN_USE: kind(409, false, 'The image "{image}" is in use: {reason}', '镜像“{image}”正在使用中：{reason}'),
  ARCHIVE_INVALID: kind(
    400,
    false,
    'That is not an archive of the right kind: {reason}',
    '该文件不是所需类型的归档：{reason}',
  ),
  TRANSFER_MISMATCH: kind(
    502,
    true,
    'What arrived on host "{to}" is not what was sent, so it was removed there. Send it again.',
    '主机“{to}”收到的内容与发送的不一致，已在该主机上删除。请重新发送。',
  ),
  SAME_HOST: kind(
    400,
    false,
    'It is on host "{to}" already. Name another host in "to".',
    '它已经在主机“{to}”上。请在 to 中指定另一台主机。',
  ),
  REGISTRY_UNREACHABLE: kind(
    502,
    true,
    'Host "{host}" cannot reach the registry of "{image}". Check its network, or bring the image with /image load.',
    '主机“{host}”无法访问“{image}”所在的镜像仓库。请检查其网络，或用 /image load 载入镜像。',
  ),
  NOT_SUPPORTED: kind(
    501,
    false,
    'The engine on host "{host}" cannot do that ({capability}).',
    '主机“{host}”上的引擎不支持该操作（{capability}）。',
  ),
  PATH_INVALID: kind(
    400,
    false,
    'That path is not allowed: {problem}. Give an absolute path such as /srv/data/file.txt.',
    '路径不被允许：{problem}。请提供绝对路径，例如 /srv/data/file.txt。',
  ),
  PATH_NOT_FOUND: kind(
    404,
    false,
    'There is nothing at {path} in the container. Check the path.',
    '容器中不存在 {path}。请检查路径。',
  ),
  DESTINATION_NOT_FOUND: kind(
    404,
    false,
    'The directory {path} does not exist in the container. Create it first or choose another destination.',
    '容器中不存在目录 {path}。请先创建它，或选择其他目标位置。',
  ),
  DESTINATION_READ_ONLY: kind(
    409,
    false,
    '{path} is read-only in the container. Choose another destination.',
    '容器中的 {path} 是只读的。请选择其他目标位置。',
  ),
  BIND_NOT_ALLOWED: kind(
    403,
    false,
    'Host "{host}" does not let a container have {path}. It allows: {allowed}.',
    '主机“{host}”不允许容器挂载 {path}。允许的路径：{allowed}。',
  ),
  CONTENT_REQUIRED: kind(
    400,
    false,
    'There is nothing to copy: give one of a file, a text and an address.',
    '没有可复制的内容：请提供文件、文本或网址，三者择一。',
  ),
  MODE_REFUSED: kind(
    403,
    false,
    'The mode {mode} sets setuid, setgid or sticky, which no policy allows you here. Give three digits, such as 755.',
    '权限 {mode} 含有 setuid、setgid 或粘滞位，没有策略允许您在此设置。请使用三位数字，例如 755。',
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
  QUEUE_FULL: kind(
    429,
    true,
    'Too many jobs are waiting ({waiting}). Try again when some have finished.',
    '等待中的任务过多（{waiting}）。请在部分任务完成后重试。',
  ),
  JOB_NOT_FOUND: kind(404, false, 'There is no job "{job}" for you.', '没有可供您查看的任务“{job}”。'),
  JOB_FINISHED: kind(
    409,
    false,
    'The job has already ended ({state}); there is nothing to cancel.',
    '任务已结束（{state}），无可取消。',
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
    'This link is wrong or has expired. Ask for a new one with /job status.',
    '链接无效或已过期。可用 /job status 获取新链接。',
  ),
  ROUTE_UNKNOWN: kind(404, false, 'There is nothing at this address.', '此地址没有任何内容。'),
  RATE_LIMITED: kind(
    429,
    true,
    'Too many attempts. Try again in {seconds} s.',
    '尝试次数过多。请在 {seconds} 秒后重试。',
  ),
  SHUTTING_DOWN: kind(503, true, 'The bot is being stopped. Try again in a moment.', '机器人正在停止。请稍后重试。'),
  AUDIT_UNAVAILABLE: kind(
    503,
    true,
    'The audit log cannot be written, so nothing was done. Tell an operator.',
    '无法写入审计日志，因此未执行任何操作。请告知管理员。',
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
  return say(lang, ERRORS[code], values)
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code)
