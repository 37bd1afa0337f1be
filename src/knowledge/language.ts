/** Owns what is particular to a language: telling which one a text is in, its sentences, and its question words. */
import type { Lang } from './model.js'
import { fold } from './tokenize.js'

const HAN = /\p{Script=Han}/u

/** Han characters mean Chinese, however many Latin product names stand between them. */
export const languageOf = (text: string): Lang => (HAN.test(text) ? 'zh' : 'en')

export const otherThan = (lang: Lang): Lang => (lang === 'zh' ? 'en' : 'zh')

/** What a question wants: a definition, a way of doing something, or any other fact. */
export type Intent = 'define' | 'how' | 'fact'

// "是什么" after a noun asks for a definition; "为什么", "有什么" and "什么区别" do not.
const DEFINE =
  /^(?:what\s+is|what\s+are|what'?s|whats|who\s+is|define|explain|describe|tell\s+me\s+about|meaning\s+of)\b|^(?:什么是|啥是|介绍|解释|讲讲|说说)|(?:是什么|是啥|是干什么的|是做什么的|什么意思|的定义|的含义)[?？!！。\s]*$|\b(?:mean|stand\s+for)\??$/u
const HOW =
  /\bhow\s+(?:do|to|can|should|would|could|does\s+one)\b|\b(?:commands?|steps?|syntax|usage|cli)\b|怎么|怎样|咋|如何|命令|步骤|用法|教程/u
// An order, or the beginning of a command line: whoever types it wants to do it.
const ORDER =
  /^(?:attach|build|check|clean|copy|create|delete|detach|download|enable|enter|exit|export|find|import|inspect|install|leave|limit|list|load|map|migrate|mount|move|open|pull|remove|restart|run|save|see|show|start|stop|transfer|upload|view)\b|^(?:安装|保存|备份|查看|导出|导入|复制|挂载|加载|检查|进入|开启|拷贝|离开|列出|启动|启用|迁移|清理|删除|退出|限制|映射|运行)|\bdocker\s+[a-z]{2,}(?:\s+-|$)/u

/** @param question in any script; Traditional characters are folded first */
export function intentOf(question: string): Intent {
  const text = fold(question).trim()
  if (HOW.test(text) || ORDER.test(text)) return 'how'
  return DEFINE.test(text) ? 'define' : 'fact'
}

// A full stop after these does not end a sentence.
const ABBREVIATION =
  /(?:^|[\s(])(?:[A-Z]|e\.g|i\.e|etc|vs|cf|ca|approx|Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|Inc|Ltd|Co|Corp|No|Vol|pp|Fig|Gen|Col|Lt|Sgt|Rev|Hon|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|U\.S|U\.K|a\.m|p\.m|Ph\.D)$/
const CLOSERS = '"\'”’）)」』】》]'

/**
 * Sentences of a paragraph, as half-open ranges of `text` without the white space around them.
 * Chinese full stops end a sentence anywhere; a Latin one only before white space and something that can begin one.
 * @param isProtected offsets that may not be a boundary, such as those inside inline code
 */
export function sentences(
  text: string,
  isProtected: (offset: number) => boolean = () => false,
): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = []
  let start = 0
  const close = (end: number) => {
    const slice = text.slice(start, end)
    const trimmed = slice.trim()
    if (trimmed !== '') {
      const from = start + slice.indexOf(trimmed)
      ranges.push({ start: from, end: from + trimmed.length })
    }
    start = end
  }
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i)
    const isWide = '。！？'.includes(char)
    if ((!isWide && !'.!?'.includes(char)) || isProtected(i)) continue
    let end = i + 1
    while (end < text.length && ('。！？.!?'.includes(text.charAt(end)) || CLOSERS.includes(text.charAt(end)))) end += 1
    const rest = text.slice(end, end + 3)
    const space = /^\s+/.exec(text.slice(end, end + 20))?.[0] ?? ''
    // A sentence may begin with a command, which is lower case.
    const beginsNext =
      /^\s+["'“‘(（[]?[\p{Lu}\p{Lo}\p{N}]/u.test(rest) || (space !== '' && isProtected(end + space.length))
    const endsHere = isWide || rest === '' || space.includes('\n') || beginsNext
    if (endsHere && !(char === '.' && rest !== '' && ABBREVIATION.test(text.slice(Math.max(0, i - 8), i)))) close(end)
    i = end - 1
  }
  close(text.length)
  return ranges
}

/** Does a sentence lean on the one before it, so that it cannot be understood alone? */
export const leansBack = (sentence: string): boolean =>
  /^(?:it|its|this|that|these|those|they|their|he|she|his|her|such|both|instead|so|then|however|but|therefore|also)\b/i.test(
    sentence,
  ) || /^(?:它|他|她|这|那|其|此|因此|所以|但|不过|然后|而且|同时|两者|前者|后者)/.test(fold(sentence))
