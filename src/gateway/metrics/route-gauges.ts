import type { McpBackendStats, McpHttpBackendStats, McpStdioBackendStats } from '../../index.js';
import type { MetricTypes } from './metric-types.js';
import type { ServedRoutes } from './served-routes.js';

type NumberName = keyof McpBackendStats | keyof McpHttpBackendStats | keyof McpStdioBackendStats;

/** The numbers of backends. A backend has some of them. */
const GAUGES: Readonly<Record<Exclude<NumberName, 'restarts'>, readonly [name: string, help: string]>> = {
  sessions: ['mcp_sessions', 'Open sessions of clients'],
  pending: ['mcp_pending_requests', 'Requests that wait for the answer of an MCP server'],
  children: ['mcp_child_processes', 'Running programs of a route with one program'],
  connections: ['mcp_target_connections', 'Programs and connections to remote servers of a route with several targets'],
  streams: ['mcp_streams', 'Open event streams of a route with one remote server'],
};

/** Adds the numbers that are read at each scrape: those of the backends, and the ages of key sets. */
export function addRouteGauges({ Counter, Gauge, registers }: MetricTypes, served: ServedRoutes): void {
  for (const [number, [name, help]] of Object.entries(GAUGES)) {
    const collect = collectorOf(served, number as NumberName);
    new Gauge({ name, help, labelNames: ['route'], registers, collect });
  }
  new Counter({
    name: 'mcp_target_restarts_total',
    help: 'Programs and connections for requests without a session that were started again after they broke',
    labelNames: ['route'],
    registers,
    collect: collectorOf(served, 'restarts'),
  });
  new Gauge({
    name: 'mcp_key_set_age_seconds',
    help: 'The time since the keys of an issuer were fetched',
    labelNames: ['route', 'issuer'],
    registers,
    collect() {
      this.reset();
      for (const { label, keySetAges } of served.read())
        for (const { issuer, seconds } of keySetAges()) this.set({ route: label, issuer }, seconds);
    },
  });
}

interface Resettable {
  reset(): void;
  inc(labels: { readonly route: string }, value: number): void;
}

/** Returns the function that reads one number of every backend. Routes of one label count together. */
function collectorOf(served: ServedRoutes, number: NumberName) {
  return function collect(this: Resettable): void {
    this.reset();
    for (const { label, backend } of served.read()) {
      const stats: { readonly [Name in NumberName]?: number } = backend?.stats() ?? {};
      const value = stats[number];
      if (value !== undefined) this.inc({ route: label }, value);
    }
  };
}
