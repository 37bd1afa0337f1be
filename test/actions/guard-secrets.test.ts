// What is a secret and what only looks like one, in texts, lines of the log and inputs; and how a text is sealed.
import { createDecipheriv, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson, redactInput, sha256, withoutSecrets } from '../../src/actions/guard/redact.js'
import { keyed, seal, unseal } from '../../src/actions/guard/seal.js'
import { scrub, scrubLine } from '../../src/actions/guard/secrets.js'

describe('a text', () => {
  const TOKEN = `hc_${'a1B2'.repeat(10)}`
  it.each([
    ['git clone https://joe:s3cret@git.example/x', 'git clone https://…@git.example/x'],
    ['https://ghp_16charsandmore@github.com/x', 'https://…@github.com/x'],
    ['ssh://deploy:pw@far.example', 'ssh://…@far.example'],
    ['Authorization: Bearer abc.def.ghi', 'Authorization: …'],
    ['{"X-Registry-Auth":"eyJ1c2VyIn0="}', '{"X-Registry-Auth":"…"}'],
    [`curl -H "Bearer ${'x'.repeat(20)}"`, 'curl -H "Bearer …"'],
    [`token ${TOKEN} was used`, 'token hc_… was used'],
    ['http://h:1/#login=Abc_def-123', 'http://h:1/#login=…'],
    [`http://h:1/d/${'k'.repeat(32)}/web.tar`, 'http://h:1/d/…/web.tar'],
    [`MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.${'Z'.repeat(27)}`, '…'],
    ['PGPASSWORD=hunter2 psql', 'PGPASSWORD=… psql'],
    ['mysql --password hunter2 -u joe', 'mysql --password … -u joe'],
    [`export API_KEY='two words' B=2`, 'export API_KEY=… B=2'],
    ['{"client_secret": "x y", "id": 1}', '{"client_secret": …, "id": 1}'],
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\nrest',
      '-----BEGIN OPENSSH PRIVATE KEY-----…\nrest',
    ],
    ['-----BEGIN PRIVATE KEY-----\nabc', '-----BEGIN PRIVATE KEY-----…'],
  ])('%s', (text, without) => {
    expect(scrub(text)).toBe(without)
  })

  it.each([
    'ssh://deploy@far.example:2222',
    'There already is a token called "ci"',
    'nobody@example.org wrote to root@localhost',
    'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8',
    'registry.example.org:5000/team/app:1.2',
    '镜像 hello-world 的令牌说明',
    'docker run --rm -it -v /srv:/srv busybox sh -c "ls -la"',
  ])('is left alone: %s', (text) => {
    expect(scrub(text)).toBe(text)
  })
})

describe('a line of the log', () => {
  it('stays one, whatever is cut out of it', () => {
    const line = {
      level: 30,
      token: 'a"b',
      msg: 'said {"token": "x\\"y"} and PASSWORD="two words", "level":60',
      err: { cookie: 'c=1' },
    }
    const written = scrubLine(`${JSON.stringify(line)}\n`)
    expect(written.match(/\n/g)).toHaveLength(1)
    const read = JSON.parse(written) as typeof line
    expect(read).toMatchObject({ level: 30, token: '…', err: { cookie: '…' } })
    expect(written).not.toMatch(/two words|a\\"b/)
  })
})

describe('more of what is a secret', () => {
  it.each([
    ['-----BEGIN RSA PRIVATE KEY-----\na\n-----END EC PRIVATE KEY-----\nb', '-----BEGIN RSA PRIVATE KEY-----…'],
    ['-----BEGIN CERTIFICATE-----\na', '-----BEGIN CERTIFICATE-----\na'],
    [
      '-----BEGIN PRIVATE KEY-----a-----END PRIVATE KEY----- and -----BEGIN PRIVATE KEY-----b-----END PRIVATE KEY-----',
      '-----BEGIN PRIVATE KEY-----… and -----BEGIN PRIVATE KEY-----…',
    ],
    ['HTTPS://a:b@h and git+ssh2://c@h', 'HTTPS://…@h and git+ssh2://…@h'],
    ['xssh://a@h', 'xssh://…@h'],
    ['http://@h/a@b', 'http://…@h/a@b'],
    ['http://h/x?a@b http://h#a@b http://h/a@b', 'http://h/x?a@b http://h#a@b http://h/a@b'],
    ['http://h a@b', 'http://h a@b'],
    ['SSH://a:b@h ssh://:@h', 'SSH://…@h ssh://…@h'],
    [
      'ssh://a:b/c@h ssh://a/b:c@h ssh://a:b#c@h ssh://a?b:c@h ssh://a#b:c@h ssh://a:b?c@h',
      'ssh://a:b/c@h ssh://a/b:c@h ssh://a:b#c@h ssh://a?b:c@h ssh://a#b:c@h ssh://a:b?c@h',
    ],
    ['ssh://a b:c@h ssh://a:b c@h ssh://a@b:c@h', 'ssh://a b:c@h ssh://a:b c@h ssh://a@b:c@h'],
    ['authorization: basic abc rest', 'authorization: … rest'],
    ['AUTHORIZATION = bot   abc;x', 'AUTHORIZATION = …;x'],
    ["proxy-authorization='a',b", "proxy-authorization='…',b"],
    ['cookie:abc def', 'cookie:… def'],
    ['cookie : "abc"', 'cookie : "…"'],
    ['xcookie: abc', 'xcookie: abc'],
    ['authorizations: abc', 'authorizations: abc'],
    ['"authorization" : "abc"', '"authorization" : "…"'],
    ["'cookie'='a;b'", "'cookie'='…;b'"],
    [`bearer ${'a'.repeat(15)}`, `bearer ${'a'.repeat(15)}`],
    [`bearer ${'a'.repeat(16)}== x`, 'bearer … x'],
    [`Basic   ${'a.~+/-_9'.repeat(2)}`, 'Basic …'],
    [`bot ${'a'.repeat(16)}`, 'bot …'],
    [`robot ${'a'.repeat(16)}`, `robot ${'a'.repeat(16)}`],
    [`hc_${'a'.repeat(15)}`, `hc_${'a'.repeat(15)}`],
    [`hc_${'a-Z_9'.repeat(4)}!`, 'hc_…!'],
    [`xhc_${'a'.repeat(16)}`, `xhc_${'a'.repeat(16)}`],
    [`hc_${'a'.repeat(16)} hc_${'b'.repeat(16)}`, 'hc_… hc_…'],
    ['#login=a #login=b_-c! #login= x', '#login=… #login=…! #login= x'],
    [`/d/${'a'.repeat(15)} /d/${'a-_9'.repeat(4)}/x /d/${'b'.repeat(16)}`, `/d/${'a'.repeat(15)} /d/…/x /d/…`],
    [`${'a'.repeat(23)}.${'b'.repeat(6)}.${'c'.repeat(27)} x`, '… x'],
    [`${'a'.repeat(28)}.${'b'.repeat(7)}.${'c-_'.repeat(12)}`, '…'],
    [`${'a'.repeat(22)}.${'b'.repeat(6)}.${'c'.repeat(27)}`, `${'a'.repeat(22)}.${'b'.repeat(6)}.${'c'.repeat(27)}`],
    [`${'a'.repeat(23)}.${'b'.repeat(5)}.${'c'.repeat(27)}`, `${'a'.repeat(23)}.${'b'.repeat(5)}.${'c'.repeat(27)}`],
    [`${'a'.repeat(23)}.${'b'.repeat(8)}.${'c'.repeat(27)}`, `${'a'.repeat(23)}.${'b'.repeat(8)}.${'c'.repeat(27)}`],
    [`${'a'.repeat(23)}.${'b'.repeat(6)}.${'c'.repeat(26)}`, `${'a'.repeat(23)}.${'b'.repeat(6)}.${'c'.repeat(26)}`],
    [`${'a'.repeat(23)}x${'b'.repeat(6)}x${'c'.repeat(27)}`, `${'a'.repeat(23)}x${'b'.repeat(6)}x${'c'.repeat(27)}`],
    ['x-passwd.1=abc', 'x-passwd.1=…'],
    ['passphrase: abc', 'passphrase: …'],
    ['apikey=a api_key=a api-key=a', 'apikey=… api_key=… api-key=…'],
    ['accesskey=a access-key=a access_key_id=a', 'accesskey=… access-key=… access_key_id=…'],
    ['privatekey=a private-key=a private_key=a', 'privatekey=… private-key=… private_key=…'],
    ['my.credential-x = a b', 'my.credential-x = … b'],
    ["'token':'a b','id':1", "'token':…,'id':1"],
    ['"my token" = a', '"my token" = …'],
    ['secret="" x', 'secret=… x'],
    ["secret='' x", 'secret=… x'],
    ['secret=a&b=c secret=a,b secret=a;b', 'secret=…&b=c secret=…,b secret=…;b'],
    ['secret= x', 'secret= …'],
    ['secret=', 'secret='],
    ['a secret of mine', 'a secret of mine'],
    ['-token abc --api-key   abc', '-token … --api-key   …'],
    ['--token "a b" c --token \'a b\' c', '--token … c --token … c'],
    ['--token -x --token', '--token -x --token'],
    ['--token a&b --token a,b', '--token …&b --token …,b'],
    ['--token ab;c', '--token …;c'],
    ['--tokens\n x', '--tokens\n …'],
  ])('%j', (text, without) => {
    expect(scrub(text)).toBe(without)
  })

  it('in a line of the log is also what its name says', () => {
    const line = (of: object) => JSON.parse(scrubLine(JSON.stringify(of))) as unknown
    expect(line({ cookie: 'a', 'x-registry-auth': 'a', authorization: 'a', 'proxy-authorization': 'a' })).toEqual({
      cookie: '…',
      'x-registry-auth': '…',
      authorization: '…',
      'proxy-authorization': '…',
    })
    expect(line({ Cookie: 'a', DB_PASSWORD: 'a', cookies: 'a', xcookie: 'a' })).toEqual({
      Cookie: '…',
      DB_PASSWORD: '…',
      cookies: 'a',
      xcookie: 'a',
    })
    expect(line({ token: 5, list: ['token=a', 1, null, true], a: { token: { b: 'c' } } })).toEqual({
      token: 5,
      list: ['token=…', 1, null, true],
      a: { token: { b: 'c' } },
    })
    expect(scrubLine('{"a":1}\n')).toBe('{"a":1}\n')
  })
})

describe('an input', () => {
  const FIELDS = [{ name: 'env', secret: true }, { name: 'path' }, { name: 'open', secret: false }]
  it('is kept without what is secret in it', () => {
    expect(withoutSecrets({ env: 'A=1 B="2 3"', path: 'token=a', open: 'x', n: 5 }, FIELDS)).toEqual({
      env: 'A=… B=…',
      path: 'token=…',
      open: 'x',
      n: 5,
    })
    expect(withoutSecrets({ env: 5 }, FIELDS)).toEqual({ env: '…' })
  })

  it.each([
    ['A=1', 'A=…'],
    ['_a9=1', '_a9=…'],
    ['A=1 hunter2', '…'],
    ['9A=1', '…'],
    ['A-B=1', '…'],
    ['hunter2', '…'],
    ['A="open', '…'],
    [' A=1', 'A=…'],
    ['=1', '…'],
    ['', ''],
  ])('shows of %j the names alone', (value, shown) => {
    expect(withoutSecrets({ env: value }, FIELDS)).toEqual({ env: shown })
  })

  it('is kept with its long texts as their size and digest', () => {
    const long = 'x'.repeat(513)
    expect(redactInput({ text: 'abc', path: 'x'.repeat(512), long, n: 5, yes: true })).toEqual({
      text: { characters: 3, sha256: sha256('abc') },
      path: 'x'.repeat(512),
      long: { characters: 513, sha256: sha256(long) },
      n: 5,
      yes: true,
    })
    expect(redactInput({ text: 5 })).toEqual({ text: 5 })
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('has one JSON, in whatever order it was typed', () => {
    expect(canonicalJson({ b: 1, a: [1, { d: null, c: 'x' }], u: undefined })).toBe(
      '{"a":[1,{"c":"x","d":null}],"b":1}',
    )
    expect(canonicalJson({ c: 1, a: 1, b: 1 })).toBe('{"a":1,"b":1,"c":1}')
    expect(canonicalJson([])).toBe('[]')
    expect(canonicalJson([undefined, 'a'])).toBe('[null,"a"]')
    expect(canonicalJson(null)).toBe('null')
    expect(canonicalJson(undefined)).toBe('null')
    expect(canonicalJson('a"b')).toBe('"a\\"b"')
    expect(canonicalJson({ 'a"b': 1 })).toBe('{"a\\"b":1}')
  })
})

describe('a sealed text', () => {
  it('is read with its own token alone, and whole or not at all', () => {
    const sealed = seal('token', 'hunter2 容器')
    expect(unseal('token', sealed)).toBe('hunter2 容器')
    expect(Buffer.from(sealed, 'base64').length).toBe(12 + 16 + Buffer.byteLength('hunter2 容器'))
    expect(seal('token', 'x')).not.toBe(seal('token', 'x'))
    expect(() => unseal('other', sealed)).toThrow()
    const bytes = Buffer.from(sealed, 'base64')
    for (const at of [0, 12, 28]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => unseal('token', changed.toString('base64'))).toThrow()
    }
    expect(() => unseal('token', bytes.subarray(0, 27).toString('base64'))).toThrow()
    const empty = seal('token', '')
    expect(unseal('token', empty)).toBe('')
    // Of nothing there is only the tag, and a shorter one would be easier to guess.
    expect(() => unseal('token', Buffer.from(empty, 'base64').subarray(0, 16).toString('base64'))).toThrow()
  })

  it('has digests that its token and purpose decide', () => {
    expect(keyed('t', 'a').toString('hex')).toBe(createHmac('sha256', 't').update('a').digest('hex'))
    expect(keyed('t', 'a')).not.toEqual(keyed('t', 'b'))
    // The key is for sealing alone: what else is keyed with the token never is the key.
    const bytes = Buffer.from(seal('t', 'x'), 'base64')
    const decipher = createDecipheriv('aes-256-gcm', keyed('t', 'seal'), bytes.subarray(0, 12), { authTagLength: 16 })
    decipher.setAuthTag(bytes.subarray(12, 28))
    expect(decipher.update(bytes.subarray(28)).toString() + decipher.final().toString()).toBe('x')
  })
})
