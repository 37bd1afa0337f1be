// What operators watch, in Prometheus' format. Labels are names of ours alone: never a person, a host or a path.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { AppError, confirmationError, type Gate, type Jobs } from '../actions/index.js'

export interface Metrics {
  readonly contentType: string
  render(): Promise<string>
  /** A gate that counts what passes it. */
  watch(gate: Gate): Gate
}

export function createMetrics(jobs: () => ReturnType<Jobs['counts']>): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const calls = new Counter({
    name: 'hypercall_calls_total',
    help: 'Calls through the gate, by outcome: OK or an error code',
    labelNames: ['action', 'surface', 'outcome'],
    registers: [registry],
  })
  const seconds = new Histogram({
    name: 'hypercall_call_seconds',
    help: 'Time from a call to its answer',
    labelNames: ['action'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  })
  new Gauge({
    name: 'hypercall_jobs',
    help: 'Jobs now, by state',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(jobs())) this.set({ state }, count)
    },
  })
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    watch: (gate) => ({
      ...gate,
      async call(call) {
        // Only names the registry knows: a label must not grow with what people type.
        const action = gate.registry.actions.some(({ name }) => name === call.action) ? call.action : 'unknown'
        const stop = seconds.startTimer({ action })
        let outcome = 'INTERNAL'
        try {
          const result = await gate.call(call)
          outcome = result.status === 'done' ? 'OK' : confirmationError(result).code
          return result
        } catch (error) {
          if (error instanceof AppError) outcome = error.code
          throw error
        } finally {
          stop()
          calls.inc({ action, surface: call.surface, outcome })
        }
      },
    }),
  }
}
