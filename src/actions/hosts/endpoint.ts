/** Where an engine listens. TLS material is the files' content, never shown or stored. */
export type DockerEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer }
    }
