import { NO_SNIFF } from '../../http/no-sniff.js';
import type { Page } from '../admin/page-server.js';
import type { Metrics } from './metrics.js';

/** The pages for Prometheus, at the paths of agentgateway. */
export function createMetricsPages(metrics: Metrics): ReadonlyMap<string, Page> {
  const page: Page = async (_req, res) => {
    const text = await metrics.text();
    res.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store', ...NO_SNIFF });
    res.end(text);
  };
  return new Map([
    ['/metrics', page],
    ['/stats/prometheus', page],
  ]);
}
