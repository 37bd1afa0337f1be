// Loads Cedar, in a way that keeps the process small; the only file that imports its functions.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { initSync } from '@cedar-policy/cedar-wasm/web'

export {
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/web'

// V8 of Node 20 ends the process ("unreachable code") when it has to give up a function that it has put a call into
// WebAssembly into while that call runs, if the call gives back a reference, as Cedar's do: after some thousand decisions
// (`npm run bench:gate`). Without this optimization it is a few microseconds slower, and stays.
if (process.versions.v8.startsWith('11.')) setFlagsFromString('--no-turbo-inline-js-wasm-calls')

// V8 compiles a function again, optimized, once it has run for a while: for what reads a policy file, within the start, which takes
// 20 MB in each of V8's threads that malloc then keeps (`npm run bench:idle`). With a thousand times as much patience only a server
// that decides much does so; without any, a decision takes twice as long.
setFlagsFromString('--wasm-tiering-budget=2000000000')

/**
 * Outside of malloc, where what can be resized is kept: glibc takes a large block that is freed as a sign to keep twice as much
 * free memory, in each of the process's threads.
 */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const file = createRequire(import.meta.url)
    .resolve('@cedar-policy/cedar-wasm/nodejs')
    .replace(/\.js$/, '_bg.wasm')
  const from = openSync(file, 'r')
  try {
    const { size } = fstatSync(from)
    const bytes = new Uint8Array(new ArrayBuffer(size, { maxByteLength: size }))
    for (let at = 0; at < size; ) at += readSync(from, bytes, at, size - at, null)
    return bytes
  } finally {
    closeSync(from)
  }
}

initSync({ module: moduleBytes() })
