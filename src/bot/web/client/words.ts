// Every word the page itself says, in both languages; what commands say comes from the server in the asked language.
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Bilingual, Lang } from '../../../actions/index.js'
import { say, type TextValues } from './text.js'

export const WORDS = {
  // The frame
  product: { en: 'Hypercall', zh: 'Hypercall' },
  bot: { en: 'BOT', zh: '机器人' },
  you: { en: 'You', zh: '您' },
  toChinese: { en: '中文', zh: 'EN' },
  switchLang: { en: '切换到中文', zh: 'Switch to English' },
  toDark: { en: 'Dark colours', zh: '深色外观' },
  toLight: { en: 'Light colours', zh: '浅色外观' },
  signOut: { en: 'Sign out', zh: '退出登录' },
  signedInAs: { en: 'Signed in as {name}', zh: '已登录：{name}' },
  conversation: { en: 'Conversation', zh: '对话' },

  // Before anything was asked
  welcome: { en: 'What would you like to know?', zh: '想了解些什么？' },
  welcomeMore: {
    en: 'Ask about virtualization and get an answer with its sources, or run a command on a container.',
    zh: '询问虚拟化问题，获得带出处的回答；或者对容器执行命令。',
  },
  tryAsking: { en: 'Ask', zh: '提问' },
  tryRunning: { en: 'Run', zh: '执行' },
  exampleKinds: {
    en: 'What is the difference between a type 1 and a type 2 hypervisor?',
    zh: '1 型和 2 型虚拟机监控器有什么区别？',
  },
  exampleDocker: { en: 'How does Docker differ from a virtual machine?', zh: 'Docker 和虚拟机有什么区别？' },
  exampleCopy: { en: 'How do I copy a file into a container?', zh: '怎么把文件复制到容器里？' },
  exampleList: { en: 'every container on every host', zh: '所有主机上的所有容器' },
  exampleStatus: { en: 'is the engine well?', zh: '引擎是否正常？' },
  exampleHelp: { en: 'all commands and their fields', zh: '全部命令及其字段' },

  // The box
  box: { en: 'Ask a question or type a command', zh: '提问或输入命令' },
  placeholder: { en: 'Ask, or type / for commands', zh: '提问，或输入 / 使用命令' },
  send: { en: 'Send', zh: '发送' },
  attach: { en: 'Attach a file', zh: '添加文件' },
  removeFile: { en: 'Remove {name}', zh: '移除 {name}' },
  drop: { en: 'Drop the file to attach it', zh: '松开以添加文件' },
  keysSend: { en: 'send', zh: '发送' },
  keysLine: { en: 'new line', zh: '换行' },
  keysHistory: { en: 'earlier', zh: '历史' },
  keysCommands: { en: 'commands', zh: '命令' },
  keysComplete: { en: 'complete', zh: '补全' },
  suggestions: { en: 'Suggestions', zh: '补全建议' },
  suggestionCount: { en: '{count} suggestions, Tab to take one', zh: '{count} 条建议，按 Tab 采用' },
  required: { en: 'required', zh: '必填' },
  optional: { en: 'optional', zh: '可选' },

  // Answers
  working: { en: 'Working on it', zh: '正在处理' },
  sending: { en: 'Sending {sent} of {total}', zh: '已发送 {sent}，共 {total}' },
  stop: { en: 'Stop', zh: '停止' },
  progress: { en: 'Progress', zh: '进度' },
  table: { en: 'Table, scrolls sideways', zh: '表格，可横向滚动' },
  code: { en: 'Code', zh: '代码' },
  following: { en: 'Updates by itself', zh: '自动更新' },
  followLost: { en: 'No contact; trying again', zh: '连接中断，正在重试' },
  next: { en: 'Next steps', zh: '后续操作' },

  // Confirmations
  confirm: { en: 'Confirm', zh: '确认' },
  cancel: { en: 'Cancel', zh: '取消' },
  expiresIn: { en: 'Expires in {time}', zh: '{time} 后失效' },
  expired: { en: 'Expired; nothing was done.', zh: '已失效，未执行任何操作。' },
  askAgain: { en: 'Ask again', zh: '重新发起' },
  withdrawn: { en: 'Cancelled; nothing was done.', zh: '已取消，未执行任何操作。' },

  // Failures
  failed: { en: 'That did not work', zh: '未能完成' },
  tryAgain: { en: 'Try again', zh: '重试' },
  edit: { en: 'Edit', zh: '修改' },
  request: { en: 'Request', zh: '请求编号' },
  stopped: {
    en: 'Stopped before an answer came. Ask again if you still need it.',
    zh: '已在得到回答前停止。如仍需要，请重新发起。',
  },
  offline: {
    en: 'Hypercall does not answer. Check that it runs and that you are connected, then try again.',
    zh: 'Hypercall 没有响应。请确认服务正在运行且网络正常后重试。',
  },
  unreadable: {
    en: 'The answer could not be read. Reload the page; if it happens again, tell an operator.',
    zh: '无法读取应答。请刷新页面；若再次出现，请联系管理员。',
  },

  // Help
  help: { en: 'Commands', zh: '命令' },
  helpSummary: { en: 'List the commands and their fields', zh: '列出命令及其字段' },
  helpField: { en: 'Only this command', zh: '仅显示此命令' },
  helpNone: {
    en: 'No command is called “{name}”. These are all there are:',
    zh: '没有名为“{name}”的命令。全部命令如下：',
  },
  helpIntro: {
    en: 'What begins with / is a command; anything else is a question. Fields are written name:value, required ones also in order without their names; values with spaces in "quotation marks".',
    zh: '以 / 开头的是命令，其余都是提问。字段写作 名称:值，必填字段也可按顺序省略名称；带空格的值请加 "引号"。',
  },
  noFields: { en: 'No fields.', zh: '没有字段。' },
  takesFile: { en: 'takes a file', zh: '可附文件' },
  effectRead: { en: 'reads', zh: '读取' },
  effectChange: { en: 'changes', zh: '更改' },
  effectDestroy: { en: 'removes', zh: '删除' },
  effectDisclose: { en: 'lets data out', zh: '带出数据' },

  // Signing in
  signIn: { en: 'Sign in', zh: '登录' },
  signInWhy: {
    en: 'This page is for whoever runs this Hypercall. Get a fresh link in a terminal on its machine and open it, or paste it here.',
    zh: '本页面供 Hypercall 的运行者使用。请在其所在机器的终端获取新的登录链接并打开，或粘贴到此处。',
  },
  signInLink: { en: 'Link or token', zh: '登录链接或令牌' },
  signInOnce: { en: 'A link works once, for 15 minutes.', zh: '每个链接仅可使用一次，15 分钟内有效。' },
  signInRefused: {
    en: 'That link was already used or has expired. Get a fresh one with hypercall login.',
    zh: '该链接已被使用或已过期。请用 hypercall login 获取新链接。',
  },
  signInAgain: { en: 'Your session has ended. Sign in again to go on.', zh: '会话已结束，请重新登录后继续。' },
} as const satisfies Record<string, Bilingual>

export type Word = keyof typeof WORDS

export const LangContext = createContext<Lang>('en')

/** The page's words in the language of the moment. */
export function useWords(): (word: Word, values?: TextValues) => string {
  const lang = useContext(LangContext)
  return (word, values) => say(lang, WORDS[word], values)
}

export const useLang = (): Lang => useContext(LangContext)
