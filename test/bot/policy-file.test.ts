// The policy as its author meets it: checked and tested by the command line, and taken up by a server that runs.
import { execFile } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { startServer } from '../helpers/server.js'

const BIN = fileURLToPath(new URL('../../bin/hypercall.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hc-policy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

async function policy(...args: string[]): Promise<{ code: number; said: string }> {
  const env = { PATH: process.env.PATH, HYPERCALL_STATE: folder, LANG: 'en' }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [BIN, 'policy', ...args], { env })
    return { code: 0, said: stdout.trim() }
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string }
    return { code, said: stderr.trim() }
  }
}

describe('the command line', () => {
  it('checks the policy in use and any other, with lines to go to', async () => {
    expect(await policy('check')).toEqual({ code: 0, said: 'data/policy.cedar: nothing is wrong with it' })
    const broken = write(
      'broken.cedar',
      'permit (principal, action == Action::"ask", resource);\n\npermit (princpal, action, resource);',
    )
    expect(await policy('check', broken)).toMatchObject({ code: 1, said: expect.stringMatching(/broken\.cedar:3: /) })
    const idle = write(
      'idle.cedar',
      '@id("a") permit (principal, action, resource);\n@id("b") permit (principal, action == Action::"ask", resource);',
    )
    expect(await policy('check', idle)).toEqual({
      code: 1,
      said: `${idle}:2: b: never decides, "a" permits all of it and asks for no more`,
    })
    expect((await policy('check', 'no-such.cedar')).code).not.toBe(0)
  })

  it('tests it by cases', async () => {
    const shipped = await policy('test', 'data/policy-cases.yaml')
    expect(shipped).toMatchObject({ code: 0, said: expect.stringMatching(/^\d+ cases, all as expected$/) })
    const cases = write('cases.yaml', '- name: nobody asks\n  who: {}\n  does: ask\n  expect: deny\n')
    expect(await policy('test', cases)).toEqual({
      code: 1,
      said: `${cases}:1: nobody asks: allow by everyone-asks instead of deny\n1 of 1 cases are not as expected`,
    })
    const strict = write('strict.cedar', '')
    expect((await policy('test', cases, '--policy', strict)).code).toBe(0)
    expect((await policy('test', write('none.yaml', 'a: b'))).said).toBe('line 1: a file of cases is a list of cases')
  })
})

describe('a server that runs', () => {
  it('A75: takes up a changed file whole, and stays with the one before when it is broken', async () => {
    const file = write('live.cedar', 'permit (principal, action == Action::"host.list", resource);')
    const server = await startServer({ HYPERCALL_POLICY: file })
    const get = server.as('viewer')
    const status = async () => (await get('/api/v1/host/list')).status
    expect(await status()).toBe(200)
    // As editors and configuration tools do it: a new file in the place of the old one.
    renameSync(write('next.cedar', ''), file)
    await expect.poll(status, { timeout: 10_000 }).toBe(403)
    writeFileSync(file, 'permit (')
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect(await status()).toBe(403)
    writeFileSync(file, 'permit (principal, action in Action::"read", resource);')
    await expect.poll(status, { timeout: 10_000 }).toBe(200)
    await server.close()
  })
})
