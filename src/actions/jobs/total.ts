// How much there will be to move, where an engine has to add that up first.

/**
 * Does the work while somebody adds up how many bytes it will move.
 * @param ask none where nobody could; its failure is of no interest: a bar is missing then, and nothing else
 * @param work is given what is known so far, in bytes
 */
export async function withTotal<T>(
  ask: ((signal: AbortSignal) => Promise<number | undefined>) | undefined,
  signal: AbortSignal,
  work: (total: () => number | undefined) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  let known: number | undefined
  ask?.(AbortSignal.any([signal, over.signal])).then(
    (bytes) => {
      known = bytes
    },
    () => undefined,
  )
  try {
    return await work(() => known)
  } finally {
    over.abort()
  }
}
