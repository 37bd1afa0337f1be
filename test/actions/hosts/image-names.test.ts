// Tars that one reader could take otherwise than another: of none of them may the list of names be missed.
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/actions/errors.js'
import { createNameGuard } from '../../../src/actions/hosts/image-names.js'

const BLOCK = 512
const LIST = Buffer.from(JSON.stringify([{ RepoTags: Array.from({ length: 101 }, (_, at) => `bomb:${at}`) }]))

interface Fields {
  readonly name: string
  readonly type?: string
  /** As it stands in the header; of the content by default. */
  readonly size?: string
  readonly prefix?: string
  readonly content?: Buffer
}

function entry({ name, type = '0', content = Buffer.alloc(0), size, prefix = '' }: Fields): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write(size ?? `${content.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write(type, 156)
  header.write('ustar\0' + '00', 257)
  header.write(prefix, 345)
  header.fill(' ', 148, 156)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)])
}

const record = (name: string, value: string): string => {
  const rest = ` ${name}=${value}\n`
  const length = rest.length + String(rest.length + 2).length
  return `${length}${rest}`
}
const pax = (records: Record<string, string>, type = 'x'): Buffer =>
  entry({
    name: 'pax',
    type,
    content: Buffer.from(
      Object.entries(records)
        .map((one) => record(...one))
        .join(''),
    ),
  })
const gnuName = (name: string): Buffer => entry({ name: '././@LongLink', type: 'L', content: Buffer.from(`${name}\0`) })

/** @returns the code of what the guard says, byte by byte to whole */
function verdict(parts: readonly Buffer[], step = 1_000): string {
  const bytes = Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
  const see = createNameGuard()
  try {
    for (let at = 0; at < bytes.length; at += step) see(bytes.subarray(at, at + step))
    return 'OK'
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

const list = (fields: Partial<Fields> = {}) => entry({ name: 'manifest.json', content: LIST, ...fields })
const short = entry({ name: 'manifest.json', content: Buffer.from('[{"RepoTags":["one:1"]}]') })
/** An entry that covers the list for a reader that takes its size for content. */
const covering = (fields: Fields): Buffer[] => [
  entry({ ...fields, size: `${list().length.toString(8).padStart(11, '0')}\0` }),
  list(),
]

describe('the guard of names', () => {
  it.each([1, 7, 512, 100_000])('reads a plain archive, in pieces of %i bytes', (step) => {
    const folder = entry({ name: 'blobs/', type: '5' })
    const layer = entry({ name: 'blobs/layer', content: Buffer.alloc(3_000, 7) })
    expect(verdict([folder, layer, short], step)).toBe('OK')
    expect(verdict([folder, layer, list()], step)).toBe('ARCHIVE_INVALID')
  })

  it.each<[string, Buffer[]]>([
    ['in a folder that may be a link to the root', [list({ name: 'here/manifest.json' })]],
    ['under a path that goes up and down', [list({ name: './x/../manifest.json' })]],
    ['behind a prefix that another reader may not read', [list({ prefix: 'x' })]],
    ['named by pax', [pax({ path: 'manifest.json' }), list({ name: 'x' })]],
    ['named by GNU', [gnuName('manifest.json'), list({ name: 'x' })]],
    [
      'named by GNU, and otherwise by pax after it',
      [gnuName('manifest.json'), pax({ path: 'y' }), list({ name: 'x' })],
    ],
    ['of two such lists the second', [short, list()]],
    ['covered by the size of a link', covering({ name: 'x', type: '2' })],
    ['covered by the size of a folder', covering({ name: 'x/', type: '5' })],
    ['covered by the size of an old file that is a folder', covering({ name: 'x/', type: '\0' })],
    ['covered by a size that pax took back', [pax({ size: '2048' }), pax({ path: 'x' }), entry({ name: 'x' }), list()]],
    [
      'covered by a size that ended with a global header',
      [pax({ size: '2048' }), pax({ comment: 'x' }, 'g'), entry({ name: 'x' }), list()],
    ],
    [
      'as a file with holes',
      [pax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'manifest.json' }), list({ name: 'x' })],
    ],
    ['behind a type that nobody knows', covering({ name: 'x', type: 'S' })],
    ['behind a size that is no number', [entry({ name: 'x', size: '12 34' }), list()]],
    [
      'behind zeros whose size begins with NULs',
      [entry({ name: 'x', size: `${'\0'.repeat(7)}1000\0`, content: Buffer.alloc(BLOCK) }), list()],
    ],
    ['as a link', [entry({ name: 'manifest.json', type: '1' })]],
    ['behind a broken checksum', [entry({ name: 'x' }).fill(1, 0, 3), list()]],
  ])('finds a list that is %s', (_, parts) => {
    expect(verdict(parts)).toBe('ARCHIVE_INVALID')
  })

  it('takes the size that pax states for a large file', () => {
    const content = Buffer.alloc(2_048, 7)
    expect(verdict([pax({ size: '2048' }), entry({ name: 'x', content, size: '00000000000\0' }), short])).toBe('OK')
  })
})
