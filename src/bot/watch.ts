// `hypercall knowledge watch FOLDER`: a collection that follows a folder for as long as the command runs.
import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { AppError, fill, formatTime, type Lang, say } from '../actions/index.js'
import { renderError, renderText } from './cli-render.js'
import { callGate, complain, inHouse, ownCall, print } from './cli-run.js'
import { type Contents, contentsOf, folderSource } from './folder-source.js'

/** A change is rarely alone: an editor writes and renames, and git changes a thousand files. */
const QUIET_MS = 500
/** After so many of these a folder that never becomes quiet is looked at all the same. */
const MOST_PAUSES = 10
/** Network folders tell nothing of what others change, and a folder that is gone cannot say that it is back. */
const LOOK_ANYWAY_MS = 30_000
const LOOK_FOR_MISSING_MS = 1_000

const WORDS = {
  notFolder: { en: '{folder} is not a folder', zh: '{folder} 不是文件夹' },
  noName: {
    en: 'the name of {folder} is none for a collection: give one with --collection',
    zh: '{folder} 的名称不能用作集合名：请用 --collection 指定',
  },
  watching: {
    en: 'Watching {folder} for the collection "{collection}"; Ctrl-C ends it.',
    zh: '正在监视 {folder}，对应集合“{collection}”；按 Ctrl-C 结束。',
  },
  gone: {
    en: '{folder} cannot be read ({code}); nothing is changed until it is back.',
    zh: '无法读取 {folder}（{code}）；在其恢复之前不做任何更改。',
  },
  deaf: {
    en: 'The system watches no more folders ({code}); changes may take {seconds} s to be noticed.',
    zh: '系统无法监视更多文件夹（{code}）；更改可能要 {seconds} 秒后才会被发现。',
  },
  added: { en: '{count} new', zh: '新增 {count}' },
  changed: { en: '{count} changed', zh: '更新 {count}' },
  removed: { en: '{count} removed', zh: '移除 {count}' },
  rejected: { en: '{count} not taken', zh: '未采纳 {count}' },
  first: { en: ' ({file}:{line}: {message})', zh: '（{file}:{line}: {message}）' },
} as const

const COLLECTION_LENGTH = 64

/** A folder's name as the nearest name that a collection may have; empty when nothing of it can stay. */
export const collectionOf = (folder: string): string =>
  basename(resolve(folder))
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}_.-]+/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .slice(0, COLLECTION_LENGTH)
    // A character of two halves may have been cut in the middle.
    .replace(/[\ud800-\udbff]$/u, '')

export interface Brought {
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly rejected: number
  readonly problems: readonly { readonly file: string; readonly line: number; readonly message: string }[]
}

/** What an import did, in one line; empty when it did nothing and nothing was wrong. */
export function broughtLine(brought: Brought, lang: Lang): string {
  const parts = (['added', 'changed', 'removed', 'rejected'] as const)
    .filter((name) => brought[name] > 0)
    .map((name) => say(lang, WORDS[name], { count: brought[name] }))
  const [first] = brought.problems
  const problem = first === undefined ? '' : say(lang, WORDS.first, { ...first })
  return `${parts.join(lang === 'zh' ? '，' : ', ')}${problem}`.replaceAll(/\s+/g, ' ')
}

/** One watcher for each folder: a recursive one of Node 20 loses a file that another was renamed onto. */
function openEars(folder: string, onChange: () => void, onDeaf: (code: string) => void) {
  const ears = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>()
  let isDeaf = false
  const drop = (name: string): void => {
    ears.get(name)?.watcher.close()
    ears.delete(name)
  }
  const listen = (name: string, identity: string): void => {
    const path = join(folder, name)
    try {
      const watcher = watch(path, (_, changed) => {
        // By its own name a folder says that it was moved or removed, and what is there next is another one.
        if (changed === null || changed === basename(path)) drop(name)
        if (changed === null || !changed.startsWith('.')) onChange()
      })
      watcher.on('error', () => {
        drop(name)
        onChange()
      })
      ears.set(name, { identity, watcher })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      if (code !== 'ENOENT' && !isDeaf) {
        isDeaf = true
        onDeaf(code)
      }
    }
  }
  return {
    /** @returns whether there are folders that were not listened to before, so that what happened in them is unknown */
    follow(folders: Contents['folders']): boolean {
      const identities = new Map(folders.map(({ name, identity }) => [name, identity]))
      for (const [name, { identity }] of ears) if (identities.get(name) !== identity) drop(name)
      const before = ears.size
      for (const [name, identity] of identities) if (!ears.has(name)) listen(name, identity)
      return ears.size > before
    },
    close(): void {
      for (const name of [...ears.keys()]) drop(name)
    },
  }
}

interface FollowOptions {
  /** Called at the start and whenever the contents differ. @returns whether they were taken in, so that it need not try again */
  bring(): Promise<boolean>
  /** Told once, when the folder cannot be read. */
  onGone(code: string): void
  /** Told once, when the system does not watch a folder. */
  onDeaf(code: string): void
  readonly signal: AbortSignal
}

/** Ends when the signal is given, and with whatever `bring` fails with. */
async function followFolder(folder: string, { bring, onGone, onDeaf, signal }: FollowOptions): Promise<void> {
  let hasChanged = false
  let wake = (): void => {}
  const ears = openEars(
    folder,
    () => {
      hasChanged = true
      wake()
    },
    onDeaf,
  )
  const pause = (ms: number, untilChange: boolean): Promise<void> =>
    new Promise((done) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        wake = () => {}
        done()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
      if (untilChange) wake = end
      if (signal.aborted || (untilChange && hasChanged)) end()
    })

  let taken: string | undefined
  let isGone = false
  try {
    while (!signal.aborted) {
      hasChanged = false
      try {
        let contents = await contentsOf(folder)
        if (ears.follow(contents.folders)) contents = await contentsOf(folder)
        if (ears.follow(contents.folders)) hasChanged = true
        isGone = false
        const stamp = contents.files.map((file) => `${file.name}\0${file.stamp}`).join('\0')
        if (stamp !== taken && (await bring())) taken = stamp
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === undefined || error instanceof AppError) throw error
        ears.close()
        if (!isGone) onGone(code)
        isGone = true
      }
      await pause(isGone ? LOOK_FOR_MISSING_MS : LOOK_ANYWAY_MS, true)
      for (let pauses = 0; hasChanged && pauses < MOST_PAUSES && !signal.aborted; pauses += 1) {
        hasChanged = false
        await pause(QUIET_MS, false)
      }
    }
  } finally {
    ears.close()
  }
}

export interface WatchOptions {
  readonly collection?: string
  readonly yes?: boolean
  readonly lang: Lang
}

/**
 * Runs until it is told to stop.
 * @throws AppError INVALID_INPUT for what is no folder, and whatever refuses the first import for good
 */
export async function watchFolder(folder: string, options: WatchOptions): Promise<void> {
  const { lang, yes = false, collection = collectionOf(folder) } = options
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
    throw new AppError('INVALID_INPUT', { problem: fill(WORDS.notFolder, { folder }) })
  }
  if (collection === '') throw new AppError('INVALID_INPUT', { problem: fill(WORDS.noName, { folder }) })
  await inHouse(async (house, signal) => {
    const line = (text: string): string => renderText({ tone: 'info', blocks: [{ kind: 'text', text }] })
    let isFirst = true
    const bring = async (): Promise<boolean> => {
      const source = await folderSource(folder)
      const call = ownCall('knowledge.import', { collection, mirror: true }, lang, signal, source)
      try {
        const outcome = await callGate(house, call, yes)
        if (outcome === undefined) throw new AppError('CANCELLED')
        const brought = broughtLine(outcome.output as Brought, lang)
        if (brought !== '') print(line(`${formatTime(Date.now())}  ${brought}`))
        isFirst = false
        return true
      } catch (error) {
        if (signal.aborted) return false
        if (!(error instanceof AppError)) throw error
        // What is wrong with the call itself stays wrong; everything else may be over when it is tried again.
        if (isFirst && error.status < 500 && !error.retry) throw error
        complain(`${formatTime(Date.now())}  ${renderError(error, lang)}`)
        return false
      }
    }
    print(line(say(lang, WORDS.watching, { folder: resolve(folder), collection })))
    await followFolder(folder, {
      bring,
      onGone: (code) => complain(line(say(lang, WORDS.gone, { folder, code }))),
      onDeaf: (code) => complain(line(say(lang, WORDS.deaf, { code, seconds: LOOK_ANYWAY_MS / 1000 }))),
      signal,
    })
  })
}
