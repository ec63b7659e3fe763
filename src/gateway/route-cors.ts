import { type Advice, noteAdvice } from '../core/advice.js';
import { CORS_NAMES_IN_FILE } from '../cors/cors-options.js';
import { type Logger, type Middleware, mcpCors } from '../index.js';
import { requiresToken } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { CorsConfig } from './config/cors-policy.js';
import type { RouteConfig } from './config/gateway-config.js';
import { atPlace } from './startup-error.js';

const CORS_EVERY_ORIGIN = 'list the origins of your pages in allowOrigins';

/** Creates the `mcpCors()` of a route. */
export function createCors({ options, at: place }: CorsConfig, logger: Logger, advice: Advice): Middleware {
  const warn = (line: string) => logger.warn(`${place}: ${line}`);
  const cors = { ...options, logger: { ...logger, warn } };
  noteAdvice(cors, { ...advice, everyOrigin: CORS_EVERY_ORIGIN, names: CORS_NAMES_IN_FILE });
  return atPlace(place, () => mcpCors(cors));
}

/**
 * Passes the file's origins to the backend, which would otherwise refuse them as DNS rebinding. Its origin check knows no patterns.
 * If every request needs a token, a pattern lets every origin pass that check. Otherwise patterns do not reach it, so that foreign
 * pages cannot call the backend without a token.
 */
export function originsForBackend({ cors }: RouteConfig, policy: ResolvedAuth | undefined) {
  const origins = cors?.options.allowedOrigins ?? [];
  if (origins.length === 0) return undefined;
  if (!origins.some((origin) => origin.includes('*'))) return origins;
  return policy !== undefined && requiresToken(policy.modeName) ? ['*'] : undefined;
}
