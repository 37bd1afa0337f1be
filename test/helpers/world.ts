// What a call can be about, written down: two hosts, a container and an image.
import type { Image, InstanceDetail } from '../../src/actions/hosts/driver.js'
import type { Host } from '../../src/actions/hosts/hosts.js'

const host = (name: string, env: string): Host => ({
  name,
  labels: { env },
  tenants: ['100'],
  endpoint: `unix:///${name}`,
  driver: { of: name } as never,
})
export const BOX = host('box', 'prod')
export const FAR = host('far', 'dev')

export const INSTANCE: InstanceDetail = {
  id: 'a'.repeat(64),
  name: 'web',
  image: 'nginx:1',
  imageId: 'sha256:1',
  state: 'running',
  status: 'Up',
  createdAt: 0,
  labels: {},
  ports: [],
  command: [],
  user: '',
  workingDir: '/',
  environmentNames: [],
  mounts: [],
  networks: [],
  restartCount: 0,
  privileged: false,
  hostNetwork: false,
  engineSocketMounted: false,
}
export const IMAGE: Image = { id: 'sha256:1', tags: ['nginx:1'], digests: [], labels: {}, sizeBytes: 7, createdAt: 0 }
