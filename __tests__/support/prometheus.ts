import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from './loopback-server.js';
import { startProgram } from './program.js';
import { until } from './until.js';

/** One series of the answer to a query. */
export interface QueriedSeries {
  readonly metric: Readonly<Record<string, string>>;
  /** The time, and the number as a text. */
  readonly value: readonly [number, string];
}

/** A real Prometheus that scrapes one address. */
export interface Prometheus {
  /** Resolves to the series of a PromQL expression, as they are now. */
  query(expression: string): Promise<readonly QueriedSeries[]>;
  /** Resolves to the state of its target: `up`, or the error of the last scrape. */
  health(): Promise<string>;
}

/** Starts Prometheus, which scrapes `address` every second until the test ends. */
export async function startPrometheus(address: string): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'prometheus.yml');
  const job = { job_name: 'gateway', static_configs: [{ targets: [address] }] };
  await writeFile(file, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [job] }));
  const origin = `http://127.0.0.1:${await freePort()}`;
  const program = startProgram('prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${origin.replace('http://', '')}`,
  ]);
  onTestFinished(async () => void (await program.stop()));
  const ask = async (path: string) => (await (await fetch(`${origin}/api/v1/${path}`)).json()) as { data: unknown };
  await until(async () => (await fetch(`${origin}/-/ready`).catch(() => undefined))?.status === 200, 30_000);
  return {
    async query(expression) {
      const { data } = await ask(`query?query=${encodeURIComponent(expression)}`);
      return (data as { result: readonly QueriedSeries[] }).result;
    },
    async health() {
      const { data } = await ask('targets');
      const [target] = (data as { activeTargets: readonly { health: string; lastError: string }[] }).activeTargets;
      return target?.health === 'down' ? target.lastError : (target?.health ?? 'none');
    },
  };
}
