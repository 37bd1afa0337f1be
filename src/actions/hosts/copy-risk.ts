// Which known holes in copying an engine still has: while something is copied, a container may reach files of its host.
import type { Bilingual } from '../text.js'
import type { HostDriver } from './driver.js'

/** How an operator names one. */
export const CVE = '^CVE-[0-9]{4}-[0-9]{4,}$'

export interface CopyFlaw {
  readonly id: string
  readonly title: Bilingual
  /** The first version that has it; absent: all before the fix. */
  readonly since?: string
  /** The first fixed version of each branch that got a fix, from the oldest. A branch that is not here never got one. */
  readonly fixed: readonly string[]
  /** Where since and fixed were read, in November 2026. */
  readonly source: string
}

export const COPY_FLAWS: readonly CopyFlaw[] = [
  {
    id: 'CVE-2018-15664',
    title: {
      en: 'a link swapped during a copy leads to any file of the host',
      zh: '复制过程中替换符号链接，可读写主机上的任意文件',
    },
    // The notes of 19.03.0 to 19.03.4 list it as not yet properly fixed, although the change was merged before.
    fixed: ['18.09.7', '19.03.5'],
    source: 'https://docs.docker.com/engine/release-notes/18.09/#18097',
  },
  {
    id: 'CVE-2019-14271',
    title: {
      en: "copying loads a library of the container with the engine's rights",
      zh: '复制时以引擎权限加载容器内的库',
    },
    since: '19.03.0',
    fixed: ['19.03.1'],
    source: 'https://github.com/moby/moby/pull/39612',
  },
  // Of the three below, the advisories name 29.5.1 and "28.5.2 and before": no earlier branch was found to have a fix.
  {
    id: 'CVE-2026-41567',
    title: {
      en: 'a compressed archive that is copied in runs a program of the container on the host',
      zh: '复制压缩归档时，会在主机上执行容器内的程序',
    },
    fixed: ['29.5.1'],
    source: 'https://github.com/moby/moby/security/advisories/GHSA-x86f-5xw2-fm2r',
  },
  {
    id: 'CVE-2026-41568',
    title: {
      en: 'a link swapped during a copy makes empty files anywhere on the host',
      zh: '复制过程中替换符号链接，可在主机任意位置创建空文件',
    },
    fixed: ['29.5.1'],
    source: 'https://github.com/moby/moby/security/advisories/GHSA-vp62-88p7-qqf5',
  },
  {
    id: 'CVE-2026-42306',
    title: {
      en: 'a link swapped during a copy mounts a volume over a path of the host',
      zh: '复制过程中替换符号链接，可将卷挂载到主机路径上',
    },
    fixed: ['29.5.1'],
    source: 'https://github.com/moby/moby/security/advisories/GHSA-rg2x-37c3-w2rh',
  },
]

type Version = readonly [major: number, minor: number, patch: number]

/** @returns undefined for what is no release: nothing is known of it */
function versionOf(text: string | undefined): Version | undefined {
  const [, major, minor, patch, rest] = /^v?(\d+)\.(\d+)\.(\d+)(.*)$/.exec(text ?? '') ?? []
  // A candidate came before the release whose number it has.
  if (major === undefined || /^[-~.]?(rc|beta|alpha|dev|tp)/i.test(rest ?? '')) return undefined
  return [Number(major), Number(minor), Number(patch)]
}

function isBefore(a: Version, b: Version): boolean {
  const differing = a.findIndex((part, index) => part !== b[index])
  return differing !== -1 && (a[differing] ?? 0) < (b[differing] ?? 0)
}

function has(version: Version | undefined, { since, fixed }: CopyFlaw): boolean {
  if (!version) return true
  const first = versionOf(since)
  if (first && isBefore(version, first)) return false
  const fixes = fixed.map(versionOf).filter((fix) => fix !== undefined)
  const ofBranch = fixes.find(([major, minor]) => major === version[0] && minor === version[1])
  const needed = ofBranch ?? fixes.at(-1)
  return needed === undefined || isBefore(version, needed)
}

export interface CopyRisk {
  readonly at: boolean
  readonly reasons: readonly CopyFlaw[]
}

/**
 * @param version as the engine states it; one that cannot be read, or is not known, has every flaw
 * @param backports the ids of those that the operator knows to be fixed in this build
 */
export function copyRisk(version: string | undefined, backports: readonly string[] = []): CopyRisk {
  const known = versionOf(version)
  const reasons = COPY_FLAWS.filter((flaw) => !backports.includes(flaw.id) && has(known, flaw))
  return { at: reasons.length > 0, reasons }
}

const ASK_AGAIN_MS = 60_000

interface Risky {
  readonly driver: HostDriver
  readonly backports?: readonly string[]
}

/**
 * @param now epoch ms
 * @returns the risk of a host by the last version that its engine stated; it is asked at most once a minute
 */
export function createCopyRisks(now: () => number): (host: Risky, signal: AbortSignal) => Promise<CopyRisk> {
  const asked = new WeakMap<HostDriver, { at: number; version: Promise<string | undefined> }>()
  return async ({ driver, backports }, signal) => {
    const last = asked.get(driver)
    if (last && now() - last.at < ASK_AGAIN_MS) return copyRisk(await last.version, backports)
    const version = driver.probe(signal).then((health) => health.version ?? last?.version)
    asked.set(driver, { at: now(), version })
    return copyRisk(await version, backports)
  }
}
