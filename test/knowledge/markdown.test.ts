import { describe, expect, it } from 'vitest'
import { passagesOf } from '../../src/knowledge/chunk.js'
import { sentences } from '../../src/knowledge/language.js'

const split = (text: string) => sentences(text).map(({ start, end }) => text.slice(start, end))

describe('sentences', () => {
  it('end at Chinese full stops without a space after them', () => {
    expect(split('你好。再见！真的？')).toEqual(['你好。', '再见！', '真的？'])
  })
  it('do not end at abbreviations, version numbers or file names', () => {
    const text = 'See e.g. Dr. Smith on 2.6.20 and docker.io. It works.'
    expect(split(text)).toEqual(['See e.g. Dr. Smith on 2.6.20 and docker.io.', 'It works.'])
  })
})

describe('passages', () => {
  const of = (text: string) => passagesOf(text, 0)

  it('are sections, with the headings above them and the line they begin on', () => {
    const text = 'Opening.\n\n## One\nFirst.\n\n### Deeper\nSecond.\n\n## Two\nThird.\n'
    expect(of(text).map(({ heading, body, line }) => ({ heading, body, line }))).toEqual([
      { heading: '', body: 'Opening.', line: 1 },
      { heading: 'One', body: 'First.', line: 4 },
      { heading: 'One › Deeper', body: 'Second.', line: 7 },
      { heading: 'Two', body: 'Third.', line: 10 },
    ])
  })

  it('hold units that are slices of the source, with the markup taken off for reading', () => {
    const text =
      'Use **`docker cp`** or [this](https://example.org). `docker ps` lists. A&amp;B \\*works\\*.\n\n```sh\ndocker ps\n```\n\n- One. Two.\n\n| a | b |\n|---|---|\n| c | d |\n'
    const [passage] = of(text)
    const units = passage?.units.map(({ kind, start, end, text: plain }) => [
      kind,
      passage.body.slice(start, end),
      plain,
    ])
    expect(units).toEqual([
      ['sentence', 'Use **`docker cp`** or [this](https://example.org).', 'Use docker cp or this.'],
      ['sentence', '`docker ps` lists.', 'docker ps lists.'],
      ['sentence', 'A&amp;B \\*works\\*.', expect.stringContaining('works')],
      ['code', '```sh\ndocker ps\n```', 'docker ps'],
      ['sentence', 'One.', 'One.'],
      ['sentence', 'Two.', 'Two.'],
      ['row', '| a | b |', 'a | b'],
      ['row', '| c | d |', 'c | d'],
    ])
  })

  it('neither index nor quote an HTML block', () => {
    expect(of('<script>\nalert(1)\n</script>\n\nWords.')[0]?.units.map((unit) => unit.text)).toEqual(['Words.'])
  })

  it('split a long section between sentences and lose none', () => {
    const long = Array.from({ length: 200 }, (_, i) => `Sentence number ${i} is here.`)
    const passages = of(long.join(' '))
    expect(passages.length).toBeGreaterThan(1)
    expect(passages.flatMap((passage) => passage.units.map((unit) => unit.text))).toEqual(long)
  })
})
