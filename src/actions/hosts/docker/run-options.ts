// What a new container is asked for, in a Docker Engine's words: named fields only, so that nothing here can make it
// privileged, give it a device or put it into a name space of the host.
import type { RunRequest } from '../driver.js'
import type { Docker } from './client.js'

const NANO = 1e9

function bindingsOf({ ports }: RunRequest): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { hostIp = '', hostPort, port, protocol } of ports) {
    const key = `${port}/${protocol}`
    bindings[key] = [
      ...(bindings[key] ?? []),
      { HostIp: hostIp, HostPort: hostPort === undefined ? '' : `${hostPort}` },
    ]
  }
  return bindings
}

export const optionsOf = (request: RunRequest): Docker.ContainerCreateOptions => ({
  Image: request.imageTag ?? request.imageId,
  ...(request.name === undefined ? {} : { name: request.name }),
  ...(request.command === undefined ? {} : { Cmd: [...request.command] }),
  Env: Object.entries(request.environment).map(([name, value]) => `${name}=${value}`),
  Labels: { ...request.labels },
  ExposedPorts: Object.fromEntries(request.ports.map(({ port, protocol }) => [`${port}/${protocol}`, {}])),
  HostConfig: {
    PortBindings: bindingsOf(request),
    Mounts: request.mounts.map(({ kind, source, destination, readOnly }) => ({
      Type: kind,
      Source: source,
      Target: destination,
      ReadOnly: readOnly,
    })),
    ...(request.memoryBytes === undefined ? {} : { Memory: request.memoryBytes }),
    ...(request.cpus === undefined ? {} : { NanoCpus: Math.round(request.cpus * NANO) }),
    RestartPolicy: { Name: request.restart },
  },
})
