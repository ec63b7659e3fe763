import { replyJson } from '../../http/reply.js';
import type { Page } from './page-server.js';

/** Says if the gateway is ready. */
export interface HealthSource {
  /** The parts that are not ready to take requests; empty if all are. */
  problems(): Promise<readonly string[]>;
}

/** The pages for probes: `/healthz` while the process is alive, `/readyz` while it takes requests. */
export function createHealthPages(source: HealthSource): ReadonlyMap<string, Page> {
  const ready: Page = async (_req, res) => {
    const problems = await source.problems();
    const isReady = problems.length === 0;
    replyJson(res, isReady ? 200 : 503, JSON.stringify({ ready: isReady, ...(!isReady && { problems }) }), NOT_KEPT);
  };
  return new Map([
    ['/healthz', (_req, res) => replyJson(res, 200, '{"alive":true}', NOT_KEPT)],
    ['/readyz', ready],
    // agentgateway's path.
    ['/healthz/ready', ready],
  ]);
}

const NOT_KEPT = { 'cache-control': 'no-store' };
