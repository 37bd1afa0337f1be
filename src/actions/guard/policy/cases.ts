// What a policy is meant to say, case by case, so that a change of it which means something else is noticed.
import { type Static, Type } from 'typebox'
import Schema from 'typebox/schema'
import { isSeq, LineCounter, parseDocument } from 'yaml'
import { SURFACES } from '../../action.js'
import { INSTANCE_STATES } from '../../hosts/driver.js'
import type { Registry } from '../../registry.js'
import { peopleOf } from '../approvals.js'
import type { Decision, Policy } from './policy.js'
import { type Circumstances, type HostFacts, type ResourceFacts, RIGHTS } from './schema.js'

const closed = { additionalProperties: false }
const labels = Type.Optional(Type.Record(Type.String(), Type.String()))
const text = Type.Optional(Type.String())
const flag = Type.Optional(Type.Boolean())
const count = Type.Optional(Type.Integer({ minimum: 0 }))
const texts = Type.Optional(Type.Array(Type.String()))

const HostShape = Type.Object({ name: text, labels }, closed)

const CaseShape = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    who: Type.Object(
      { kind: Type.Optional(Type.Enum(['user', 'token', 'local'])), id: text, guild: text, roles: texts },
      closed,
    ),
    does: Type.String(),
    to: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(HostShape),
          container: Type.Optional(
            Type.Object(
              {
                name: text,
                image: text,
                state: Type.Optional(Type.Enum([...INSTANCE_STATES])),
                labels,
                privileged: flag,
                hostNetwork: flag,
                engineSocketMounted: flag,
                mounts: count,
              },
              closed,
            ),
          ),
          image: Type.Optional(Type.Object({ tags: texts, labels, bytes: count }, closed)),
          card: Type.Optional(Type.Object({ id: text, tags: texts, shipped: flag }, closed)),
          artifact: Type.Optional(Type.Object({ name: text, mediaType: text, bytes: count, mine: flag }, closed)),
        },
        closed,
      ),
    ),
    with: Type.Optional(
      Type.Object(
        {
          surface: Type.Optional(Type.Enum([...SURFACES])),
          channel: text,
          hour: Type.Optional(Type.Integer({ minimum: 0, maximum: 23 })),
          destination: Type.Optional(HostShape),
          path: text,
          image: text,
          bytes: count,
          copyRisk: flag,
        },
        closed,
      ),
    ),
    expect: Type.Enum(['deny', 'allow', 'confirm', 'approve']),
    approvals: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 1 }))),
    reason: flag,
    by: texts,
  },
  closed,
)
const checker = Schema.Compile(CaseShape)

/** What YAML says of one case. */
export type PolicyCase = Static<typeof CaseShape> & { readonly line: number }

export interface CaseResult {
  readonly name: string
  readonly line: number
  /** What policy says instead; absent where it says what is expected. */
  readonly wrong?: string
}

/** A file of cases that is none. */
export class PolicyCasesError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'PolicyCasesError'
  }
}

/** @param source YAML: a list of cases @throws PolicyCasesError naming every line that is wrong */
export function readPolicyCases(source: string): PolicyCase[] {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines })
  const [broken] = document.errors
  if (broken)
    throw new PolicyCasesError([`line ${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n')[0]}`])
  const list = document.contents
  if (!isSeq(list)) throw new PolicyCasesError(['line 1: a file of cases is a list of cases'])
  const problems: string[] = []
  const cases = list.items.map((item) => {
    const at = (item as { range?: readonly number[] | null }).range?.[0] ?? 0
    const { line } = lines.linePos(at)
    const value = (item as { toJS(of: typeof document): unknown }).toJS(document)
    if (!checker.Check(value)) {
      const [, errors] = checker.Errors(value)
      problems.push(
        ...errors.map((error) => `line ${line}: ${error.instancePath.slice(1).replaceAll('/', '.')} ${error.message}`),
      )
    }
    return { ...(value as Static<typeof CaseShape>), line }
  })
  if (problems.length > 0) throw new PolicyCasesError([...new Set(problems)])
  return cases
}

const hostFacts = ({ name = 'host', labels = {} }: Static<typeof HostShape> = {}): HostFacts => ({ name, labels })

function resourceOf({ to = {} }: PolicyCase): ResourceFacts {
  const { host, container, image, card, artifact } = to
  if (container) {
    const { mounts = 0, ...said } = container
    const unsaid = { id: '0'.repeat(64), name: 'container', image: 'image', state: 'running', labels: {} } as const
    const flags = { privileged: false, hostNetwork: false, engineSocketMounted: false }
    const instance = { ...unsaid, ...flags, ...said, mounts: Array.from({ length: mounts }) }
    return { kind: 'instance', host: hostFacts(host), instance }
  }
  if (image) {
    const { tags = [], labels = {}, bytes = 0 } = image
    return {
      kind: 'image',
      host: hostFacts(host),
      image: { id: 'sha256:0', tags, digests: [], labels, sizeBytes: bytes },
    }
  }
  if (card) return { kind: 'card', card: { id: 'card', tags: [], shipped: false, ...card } }
  if (artifact) {
    const { bytes = 0, ...said } = artifact
    const unsaid = { id: 'artifact', name: 'artifact', mediaType: 'application/x-tar', mine: true }
    return { kind: 'artifact', artifact: { ...unsaid, ...said, sizeBytes: bytes } }
  }
  return host ? { kind: 'host', host: hostFacts(host) } : { kind: 'service' }
}

function circumstancesOf({ with: said = {} }: PolicyCase): Circumstances {
  const { destination, surface = 'discord', hour = 12, ...rest } = said
  return { ...rest, surface, hour, ...(destination ? { destination: hostFacts(destination) } : {}) }
}

const outcomeOf = ({ allowed, approve, confirm }: Decision): PolicyCase['expect'] =>
  !allowed ? 'deny' : approve ? 'approve' : confirm ? 'confirm' : 'allow'

const isRight = (name: string): boolean => Object.values<string>(RIGHTS).includes(name)

/** @returns how the case went @throws AppError ACTION_UNKNOWN */
export function runPolicyCase(one: PolicyCase, policy: Policy, registry: Registry): CaseResult {
  const { kind = 'user', id = 'somebody', guild = 'local', roles = [] } = one.who
  const decision = policy.decide({
    ...circumstancesOf(one),
    principal: { kind, id, name: id, tenant: guild, roles },
    action: isRight(one.does) ? { name: one.does } : registry.get(one.does),
    resource: resourceOf(one),
  })
  const by = decision.policies.length === 0 ? '' : ` by ${decision.policies.join(', ')}`
  const wrong: string[] = []
  const outcome = outcomeOf(decision)
  if (outcome !== one.expect) wrong.push(`${outcome}${by} instead of ${one.expect}`)
  if (one.approvals) {
    const expected = Object.entries(one.approvals).map(([role, people]) => ({ role, count: people }))
    const said = peopleOf(decision.approve ? [decision.approve] : [])
    if (said !== peopleOf(expected)) wrong.push(`it takes ${said || 'nobody'} instead of ${peopleOf(expected)}`)
  }
  if (one.reason !== undefined && one.reason !== (decision.reason ?? false)) {
    wrong.push(one.reason ? 'no reason is asked for' : 'a reason is asked for')
  }
  const missing = (one.by ?? []).filter((policyId) => !decision.policies.includes(policyId))
  if (missing.length > 0) wrong.push(`decided${by || ' by nothing'}, not by ${missing.join(', ')}`)
  return { name: one.name, line: one.line, ...(wrong.length === 0 ? {} : { wrong: wrong.join('; ') }) }
}
