// On Debian as root the tests bring what they need; elsewhere they say what is missing.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Program → the Debian package that has it. */
const PACKAGES = {
  docker: 'docker.io',
  dockerd: 'docker.io',
  busybox: 'busybox-static',
  chromium: 'chromium',
  openssl: 'openssl',
} as const
export type Program = keyof typeof PACKAGES

const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']

export const findProgram = (program: Program): string | undefined =>
  FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path))

const canInstall = (): boolean =>
  process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get')

/** Installs what is absent, if this machine lets us. */
export function installMissing(programs: readonly Program[]): void {
  const missing = programs.filter((program) => findProgram(program) === undefined)
  if (missing.length === 0 || !canInstall()) return
  const apt = (args: string[]) =>
    execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=600', '-qq', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  apt(['update'])
  apt(['install', '-y', '--no-install-recommends', ...missing.map((program) => PACKAGES[program])])
}

/** @throws Error naming the package */
export function requireProgram(program: Program): string {
  const path = findProgram(program)
  if (path === undefined) throw new Error(`${program} is missing: install ${PACKAGES[program]}`)
  return path
}
