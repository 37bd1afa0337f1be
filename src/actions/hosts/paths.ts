// Paths inside an instance, as people type them.
import { posix } from 'node:path'
import { AppError } from '../errors.js'

const NUL = String.fromCharCode(0)
/** Linux, PATH_MAX. */
const LONGEST_PATH = 4096
/** Linux, NAME_MAX. */
const LONGEST_NAME = 255

const invalid = (en: string, zh: string): never => {
  throw new AppError('PATH_INVALID', { problem: { en, zh } })
}

/**
 * Absolute, without `..`, `.` or doubled slashes; a slash at the end is kept because it says "a directory", as `/.` does.
 * @throws AppError PATH_INVALID saying which rule was broken
 */
export function instancePath(path: string): string {
  if (path.includes(NUL)) invalid('it holds a NUL character', '包含 NUL 字符')
  if (!path.startsWith('/')) invalid('it is not absolute', '不是绝对路径')
  if (path.split('/').includes('..')) invalid('it climbs with ".."', '包含“..”')
  if (Buffer.byteLength(path) > LONGEST_PATH) invalid('it is longer than 4096 bytes', '超过 4096 字节')
  if (path.split('/').some((part) => Buffer.byteLength(part) > LONGEST_NAME)) {
    invalid('a name in it is longer than 255 bytes', '其中有超过 255 字节的名称')
  }
  const plain = posix.normalize(path)
  return path.endsWith('/.') && plain !== '/' ? `${plain}/` : plain
}

/**
 * A file's name as its sender gave it, reduced to what may stand as one name in a directory.
 * @throws AppError PATH_INVALID
 */
export function entryName(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? ''
  if (base === '' || base === '.' || base === '..') invalid('the file has no usable name', '文件没有可用的名称')
  if (base.includes(NUL)) invalid('the file name holds a NUL character', '文件名包含 NUL 字符')
  if (Buffer.byteLength(base) > LONGEST_NAME) invalid('the file name is longer than 255 bytes', '文件名超过 255 字节')
  return base
}

const LONGEST_DOWNLOAD_NAME = 100

/** A name from inside an instance, reduced to what is harmless as a download on any system and in any message. */
export function downloadName(name: string): string {
  const harmless = name.replaceAll(/[^\p{L}\p{M}\p{N} ._+=~-]/gu, '_').replace(/^[-~ ]/, '_')
  const characters = [...harmless]
  if (characters.length <= LONGEST_DOWNLOAD_NAME) return harmless
  // The end is kept: it says what kind of file it is.
  const end = characters.slice(-20)
  return [...characters.slice(0, LONGEST_DOWNLOAD_NAME - end.length - 1), '_', ...end].join('')
}

/** @param mode three or four octal digits */
export const modeOf = (mode: string): number => Number.parseInt(mode, 8)

const SPECIAL_BITS = 0o7000

/** Whether a mode has setuid, setgid or sticky: what such a file is run as is not up to who runs it. */
export const isSpecialMode = (mode: string): boolean => (modeOf(mode) & SPECIAL_BITS) !== 0

export const formatMode = (mode: number): string => mode.toString(8).padStart(4, '0')
