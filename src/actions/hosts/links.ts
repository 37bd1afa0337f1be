// Hosts that were linked by a verb, alive: made from their rows when they are first asked for. Rows are read each time, for
// another process may have changed them.
import { dockerDriver } from './docker/driver.js'
import {
  brokenEndpoint,
  type Endpoint,
  EndpointError,
  type EndpointSettings,
  type Environment,
  parseEndpoint,
} from './endpoint.js'
import { type GuardedDriver, type GuardOptions, guarded } from './health.js'
import type { HostStore, LinkRow } from './host-store.js'

/** What an operator says of an engine. */
export interface LinkSettings {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly endpoint: EndpointSettings
  /** Folders of it that new containers may be given. */
  readonly binds: readonly string[]
  /** Known holes that its build has fixed, whatever its version says. */
  readonly backports: readonly string[]
}

export interface Link extends LinkSettings {
  readonly tenant: string
  /** Who did it, for people. */
  readonly linkedBy: string
}

export interface LinkedHost extends Pick<LinkSettings, 'name' | 'labels' | 'binds' | 'backports'> {
  readonly tenants: readonly string[]
  readonly endpoint: string
  readonly isExposed: boolean
  readonly linkedBy: string
  readonly driver: GuardedDriver
}

export interface Links {
  of(tenant: string): LinkedHost[]
  /** @returns false when the tenant has linked one of that name @throws EndpointError */
  add(link: Link): boolean
  /** @returns false when the tenant has linked none of that name */
  remove(tenant: string, name: string): boolean
  close(): void
}

export interface LinksOptions {
  readonly store: HostStore
  readonly environment: Environment
  readonly guard: GuardOptions
}

const settingsOf = (row: LinkRow): EndpointSettings => ({
  endpoint: row.endpoint,
  ...(row.tls_ca !== null && row.tls_cert !== null && row.tls_key !== null
    ? { tls: { ca: row.tls_ca, cert: row.tls_cert, key: row.tls_key } }
    : {}),
  ...(row.ssh_key === null ? {} : { key: row.ssh_key }),
  ...(row.known_hosts === null ? {} : { knownHosts: row.known_hosts }),
  insecure: row.insecure === 1,
})

export function openLinks({ store, environment, guard }: LinksOptions): Links {
  /** By tenant and name; `row` tells one link from a later one of the same name. */
  const alive = new Map<string, { readonly row: string; readonly host: LinkedHost }>()

  function endpointOf(row: LinkRow): Endpoint {
    try {
      return parseEndpoint(settingsOf(row), environment)
    } catch (error) {
      if (error instanceof EndpointError) return brokenEndpoint(error)
      throw error
    }
  }

  function drop(key: string): void {
    alive.get(key)?.host.driver.close()
    alive.delete(key)
  }

  function bring(row: LinkRow): LinkedHost {
    const key = `${row.tenant}/${row.name}`
    const text = JSON.stringify(row)
    const known = alive.get(key)
    if (known?.row === text) return known.host
    drop(key)
    const { endpoint, isExposed } = endpointOf(row)
    const host: LinkedHost = {
      name: row.name,
      labels: JSON.parse(row.labels) as Record<string, string>,
      tenants: [row.tenant],
      endpoint: row.endpoint,
      isExposed,
      binds: JSON.parse(row.binds) as string[],
      backports: JSON.parse(row.backports) as string[],
      linkedBy: row.linked_by,
      driver: guarded(row.name, dockerDriver(row.name, endpoint), guard),
    }
    alive.set(key, { row: text, host })
    return host
  }

  return {
    of(tenant) {
      const hosts = store.of(tenant).map(bring)
      const names = new Set(hosts.map(({ name }) => `${tenant}/${name}`))
      for (const key of alive.keys()) if (key.startsWith(`${tenant}/`) && !names.has(key)) drop(key)
      return hosts
    },
    add({ tenant, name, labels, endpoint, binds, backports, linkedBy }) {
      parseEndpoint(endpoint, environment)
      return store.insert({
        tenant,
        name,
        endpoint: endpoint.endpoint,
        labels: JSON.stringify(labels),
        tls_ca: endpoint.tls?.ca ?? null,
        tls_cert: endpoint.tls?.cert ?? null,
        tls_key: endpoint.tls?.key ?? null,
        ssh_key: endpoint.key ?? null,
        known_hosts: endpoint.knownHosts ?? null,
        insecure: Number(endpoint.insecure ?? false),
        linked_by: linkedBy,
        linked_at: guard.now(),
        binds: JSON.stringify(binds),
        backports: JSON.stringify(backports),
      })
    },
    remove(tenant, name) {
      const isRemoved = store.remove(tenant, name)
      drop(`${tenant}/${name}`)
      return isRemoved
    },
    close() {
      for (const key of [...alive.keys()]) drop(key)
    },
  }
}
