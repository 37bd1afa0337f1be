// How fast large things move through the product, beside the raw engine by curl in the same run, and what memory that
// takes. Each round does both, one after the other, so that a machine whose speed drifts drifts for both. Arguments choose
// the parts; BENCH_MIB is how much an export holds, of which the other parts move half, and BENCH_ROUNDS how often.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeImage, startEngine, TEST_IMAGE } from '../test/helpers/engine.js'
import { serve } from './served.js'

const EXPORT_MIB = Number(process.env.BENCH_MIB ?? 2048)
const MIB = EXPORT_MIB / 2
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const CHOSEN = process.argv.slice(3)

interface Part {
  readonly name: string
  /** The least share of curl's throughput that is meant to be kept. */
  readonly bar?: number
  readonly mib: number
  /** By curl. */
  raw(): void
  /** The same by tools that leave what we leave: a digest, and a file that a power cut does not take. */
  alike?(): void
  /** What it leaves. */
  cleanRaw?(): void
  /** @returns seconds */
  ours(): Promise<number>
  clean?(): Promise<void>
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const folder = mkdtempSync(join(tmpdir(), 'hc-bench-'))
const rawFile = join(folder, 'raw')
const shell = (line: string): string => execFileSync('sh', ['-c', line], { encoding: 'utf8' })

const here = await startEngine()
const there = await startEngine()
await makeImage(here.docker)

/** @returns the id of a container with one file of random bytes */
async function containerOf(mib: number): Promise<string> {
  const container = await here.docker.createContainer({
    Image: TEST_IMAGE,
    Cmd: ['/bin/sh', '-c', `dd if=/dev/urandom of=/srv/large bs=1M count=${mib}`],
    HostConfig: { NetworkMode: 'none' },
  })
  await container.start()
  await container.wait()
  return container.id
}
const curl = (engine: typeof here, path: string, more = ''): string =>
  `curl -sSf --unix-socket ${engine.socketPath} 'http://engine${path}' ${more}`

console.log(`making containers of ${EXPORT_MIB} and ${MIB} MiB …`)
const large = await containerOf(EXPORT_MIB)
const small = await containerOf(MIB)
const empty = await containerOf(0)
/** What an answer becomes in the product, by the tools of a shell. */
const kept = (answer: string): string => `${answer} | tee ${rawFile} | sha256sum && sync ${rawFile}`
const TAR = "-H 'Content-Type: application/x-tar'"
const IMAGE = 'bench/saved:1'
await here.docker.getContainer(small).commit({ repo: 'bench/saved', tag: '1' })
const { Id: imageId } = await here.docker.getImage(IMAGE).inspect()

const served = await serve(folder, { here: `unix://${here.socketPath}`, there: `unix://${there.socketPath}` })

async function partsOf(): Promise<Part[]> {
  let made: string | undefined
  const making = (action: string, input: object) => async () => {
    const { job, seconds } = await served.job(action, input)
    made = job.artifact?.id
    return seconds
  }
  const cleanRaw = () => rmSync(rawFile)
  const clean = async () => {
    if (made !== undefined) await served.call('artifact.remove', { artifact: made })
    made = undefined
  }
  const forget = async (engine: typeof here, reference: string) => {
    await engine.docker.getImage(reference).remove({ force: true })
  }
  const savedTar = join(folder, 'saved.tar')
  const fileTar = join(folder, 'file.tar')
  const file = join(folder, 'large')

  const putRaw = (): void => {
    const path = `/containers/${empty}/archive?path=/srv`
    if (!existsSync(fileTar)) shell(curl(here, `/containers/${small}/archive?path=/srv/large`, `-o ${fileTar}`))
    shell(curl(here, path, `-X PUT ${TAR} -T ${fileTar}`))
  }

  const exporting: Part = {
    name: 'export',
    bar: 0.9,
    mib: EXPORT_MIB,
    raw: () => void shell(curl(here, `/containers/${large}/export`, `-o ${rawFile}`)),
    alike: () => void shell(kept(curl(here, `/containers/${large}/export`))),
    ours: making('container.export', { host: 'here', container: large }),
    cleanRaw,
    clean,
  }
  const saving: Part = {
    name: 'save',
    bar: 0.9,
    mib: MIB,
    raw: () => void shell(curl(here, `/images/${IMAGE}/get`, `-o ${rawFile}`)),
    alike: () => void shell(kept(curl(here, `/images/${IMAGE}/get`))),
    ours: making('image.save', { host: 'here', image: IMAGE }),
    cleanRaw,
    clean,
  }
  const loading = async (): Promise<Part> => {
    shell(curl(here, `/images/${IMAGE}/get`, `-o ${savedTar}`))
    const { job } = await served.job('image.save', { host: 'here', image: IMAGE })
    return {
      name: 'load',
      bar: 0.9,
      mib: MIB,
      raw: () => void shell(curl(there, '/images/load?quiet=1', `-X POST ${TAR} -T ${savedTar}`)),
      cleanRaw: () => void shell(curl(there, `/images/${imageId}?force=1`, '-X DELETE')),
      async ours() {
        const { seconds } = await served.job('image.load', { host: 'there', artifact: job.artifact?.id })
        await forget(there, imageId)
        return seconds
      },
    }
  }
  const copyingIn = async (): Promise<Part> => {
    const { job } = await served.job('container.copy-out', { host: 'here', container: small, path: '/srv/large' })
    return {
      name: 'copy-in',
      bar: 0.9,
      mib: MIB,
      raw: putRaw,
      async ours() {
        const input = { host: 'here', container: empty, path: '/srv/large', artifact: job.artifact?.id }
        const { from } = await served.call('container.copy-in', input)
        return (performance.now() - from) / 1000
      },
    }
  }
  /** The same with the way to the bot: the file is whole here before an engine gets any of it. */
  const uploading = async (): Promise<Part> => {
    shell(`${curl(here, `/containers/${small}/archive?path=/srv/large`)} | tar -xO > ${file}`)
    const form = `-F host=here -F container=${empty} -F path=/srv/large -F file=@${file}`
    const call = (more: string) =>
      shell(
        `curl -sS -H 'authorization: ${served.headers.authorization}' ${served.url}/api/v1/container/copy-in ${form} ${more}`,
      )
    return {
      name: 'copy-in with upload',
      mib: MIB,
      raw: putRaw,
      async ours() {
        const asked = JSON.parse(call('')) as { error: { details: { confirm: string } } }
        const from = performance.now()
        const answer = JSON.parse(call(`-F confirm=${asked.error.details.confirm}`)) as { sha256?: string }
        if (answer.sha256 === undefined) throw new Error(JSON.stringify(answer))
        return (performance.now() - from) / 1000
      },
    }
  }
  const transferring: Part = {
    name: 'transfer',
    bar: 0.85,
    mib: EXPORT_MIB,
    raw() {
      const into = curl(there, '/images/create?fromSrc=-&repo=bench/raw', `-X POST ${TAR} -T -`)
      shell(`${curl(here, `/containers/${large}/export`)} | ${into}`)
    },
    cleanRaw: () => void shell(curl(there, '/images/bench/raw?force=1', '-X DELETE')),
    async ours() {
      const input = { host: 'here', to: 'there', container: large, reference: 'bench/ours' }
      const { seconds } = await served.job('container.transfer', input)
      await forget(there, 'bench/ours')
      return seconds
    },
  }
  const makers: Readonly<Record<string, () => Part | Promise<Part>>> = {
    export: () => exporting,
    'copy-in': copyingIn,
    upload: uploading,
    save: () => saving,
    load: loading,
    transfer: () => transferring,
  }
  const names = CHOSEN.length > 0 ? CHOSEN : Object.keys(makers)
  const parts: Part[] = []
  for (const name of names) {
    const make = makers[name]
    if (!make) throw new Error(`no part is called ${name}: ${Object.keys(makers).join(', ')}`)
    parts.push(await make())
  }
  return parts
}

/** What one left to the disk, writing or freeing gigabytes, is not for the next to wait for. */
const settleDisk = (): void => void shell('sync')

async function measure({ name, bar, mib, raw, alike, cleanRaw, ours, clean }: Part): Promise<string> {
  /** @returns seconds */
  const timed = (work: () => void): number => {
    settleDisk()
    const from = performance.now()
    work()
    const seconds = (performance.now() - from) / 1000
    cleanRaw?.()
    return seconds
  }
  const ratios: number[] = []
  const alikes: number[] = []
  const growths: number[] = []
  raw()
  cleanRaw?.()
  for (let round = 1; round <= ROUNDS; round++) {
    const rawSeconds = timed(raw)
    const alikeSeconds = alike && timed(alike)
    settleDisk()
    served.resetPeak()
    const seconds = await ours()
    const growth = served.grown() / 1024 ** 2
    await clean?.()
    ratios.push(rawSeconds / seconds)
    growths.push(growth)
    if (alikeSeconds !== undefined) alikes.push(alikeSeconds / seconds)
    console.log(
      `${name} ${round}: curl ${(mib / rawSeconds).toFixed(0)} MiB/s, ` +
        (alikeSeconds === undefined ? '' : `with digest and sync ${(mib / alikeSeconds).toFixed(0)} MiB/s, `) +
        `hypercall ${(mib / seconds).toFixed(0)} MiB/s, ratio ${(rawSeconds / seconds).toFixed(2)}, peak RSS +${growth.toFixed(0)} MiB`,
    )
  }
  const ratio = median(ratios)
  const verdict = bar === undefined ? '' : ` (bar ${bar}: ${ratio >= bar ? 'holds' : 'DOES NOT HOLD'})`
  const beside = alikes.length === 0 ? '' : `, ${median(alikes).toFixed(2)} of curl with digest and sync`
  return `${name}: median ratio ${ratio.toFixed(2)}${verdict}${beside}, largest growth of RSS ${Math.max(...growths).toFixed(0)} MiB`
}

try {
  const results: string[] = []
  for (const part of await partsOf()) results.push(await measure(part))
  console.log(`\nthroughput beside curl, medians of ${ROUNDS}\n${results.join('\n')}`)
} finally {
  served.stop()
  await Promise.all([here.stop(), there.stop()])
  rmSync(folder, { recursive: true, force: true })
}
