// Who calls, and what a refusal says: of use also where nothing else of the product is loaded.
import type { Principal } from '../../src/actions/action.js'

export const principal = (roles: readonly string[], more: Partial<Principal> = {}): Principal => ({
  kind: 'token',
  id: 'test',
  name: 'test',
  tenant: 'local',
  roles,
  ...more,
})

/** What an AppError says to machines. */
export const codeOf = async (failing: Promise<unknown>): Promise<string> => {
  try {
    await failing
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'OK'
}
