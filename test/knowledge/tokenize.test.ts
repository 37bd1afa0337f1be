import { describe, expect, it } from 'vitest'
import { tokenize } from '../../src/knowledge/tokenize.js'

describe('tokens', () => {
  it.each([
    ['C#', ['c#']],
    ['c++', ['c++']],
    ['k8s', ['k8s']],
    ['--rm', ['--rm', 'rm']],
    ['-it', ['-it']],
    ['/dev/kvm', ['/dev/kvm', 'dev', 'kvm']],
    ['docker.io', ['docker.io', 'dockerio', 'docker', 'io']],
    ['VT-x', ['vt-x', 'vtx', 'vt']],
    ['Ctrl+P', ['ctrl+p', 'ctrlp', 'ctrl']],
    ['x86_64', ['x86_64', 'x8664', 'x86', '64']],
  ])('%s stays whole and is found by its parts', (text, tokens) => {
    expect(tokenize(text)).toEqual(tokens)
  })

  it('gives single characters and pairs of a Chinese run', () => {
    expect(tokenize('虚拟机')).toEqual(['虚', '虚拟', '拟', '拟机', '机'])
  })

  it('splits where the script changes', () => {
    expect(tokenize('用Docker容器')).toEqual(['用', 'docker', '容', '容器', '器'])
  })

  it('is the same for Traditional and Simplified, full-width and half-width, and accented letters', () => {
    expect(tokenize('虛擬機器')).toEqual(tokenize('虚拟机器'))
    expect(tokenize('ＫＶＭ')).toEqual(tokenize('kvm'))
    expect(tokenize('Café')).toEqual(tokenize('cafe'))
  })

  it('is the same for the forms of an English word, and leaves grammar words out', () => {
    expect(tokenize('the containers')).toEqual(tokenize('container'))
    expect(tokenize("Docker's")).toEqual(tokenize('docker'))
    expect(tokenize('what is the')).toEqual([])
  })

  it('reads a Chinese word across a line break of the source', () => {
    expect(tokenize('虚拟\n机')).toEqual(tokenize('虚拟机'))
  })

  it('never gives a token with white space or a double quote', () => {
    const odd = '"a b" \u00a0 \u3000 “引号” NEAR("x" y) col:* \0 \u200b 😀 ﷺ ½ Å ẞ 한국어 日本語カタカナ'
    for (const token of tokenize(odd)) expect(token).toMatch(/^[^\s"]+$/u)
  })
})
