import { adviceFor, noteAdvice } from '../../core/advice.js';
import { withFields } from '../../core/logger.js';
import { type Logger, type Middleware, mcpLimits } from '../../index.js';
import type { Store } from '../../store/store.js';
import { canonicalJson } from '../../targets/several/canonical-json.js';
import type { RouteConfig } from '../config/gateway-config.js';
import type { RateLimitsConfig } from '../config/rate-limits.js';
import { storeOfLimit } from '../shared-store.js';
import { atPlace } from '../startup-error.js';

/** A `localRateLimit` of the file, in whose buckets all routes count that have it. */
export interface KeptLimit {
  /** Its place in the file. */
  readonly at: string;
  /** Equal for limits that count alike. */
  readonly content: string;
  /** The places of its routes, see `routeKeyOf()`. */
  readonly places: readonly string[];
  readonly count: Middleware;
}

/** A route of the file. */
interface LimitedRoute {
  readonly route: RouteConfig;
  readonly place: string;
  /** Its name in the store. */
  readonly scope: string;
}

interface LimitInputs {
  readonly logger: Logger;
  readonly store: Store | undefined;
  /** The limits of the version before. */
  readonly earlier: readonly KeptLimit[];
}

/**
 * Returns the limits of a version of the file. As in agentgateway, routes with the same policy share its buckets. A limit goes on counting where an earlier one
 * is the same, for a route at the same place, or for routes whose places the file no longer has.
 *
 * @throws {StartupError} If a limit is not valid.
 */
export function createLimits(routes: readonly LimitedRoute[], { logger, store, earlier }: LimitInputs): KeptLimit[] {
  const takeAlike = createTakeAlike(earlier, new Set(routes.map(({ place }) => place)));
  return [...groupByPolicy(routes).values()].map(({ policy, group }) => {
    // Alike in all replicas, whatever the order of routes.
    const [scope = ''] = group.map((each) => each.scope).sort();
    const places = group.map(({ place }) => place);
    const content = canonicalJson([group[0]?.route.written.policies.localRateLimit, store && scope]);
    const create = () => createLimit(policy, store && storeOfLimit(store, scope), loggerFor(group, logger));
    return { at: policy.at, content, places, count: takeAlike(content, places)?.count ?? create() };
  });
}

interface LimitedGroup {
  readonly policy: RateLimitsConfig;
  readonly group: LimitedRoute[];
}

function groupByPolicy(routes: readonly LimitedRoute[]): ReadonlyMap<string, LimitedGroup> {
  const groups = new Map<string, LimitedGroup>();
  for (const each of routes) {
    const { localRateLimit: policy } = each.route;
    if (policy === undefined) continue;
    const known = groups.get(policy.at);
    if (known === undefined) groups.set(policy.at, { policy, group: [each] });
    else known.group.push(each);
  }
  return groups;
}

/** Creates the function that takes an earlier limit for routes of the new version: no limit is taken twice. */
function createTakeAlike(earlier: readonly KeptLimit[], known: ReadonlySet<string>) {
  const rest = new Set(earlier);
  // Of several routes with one place, the first one gets the requests.
  const byPlace = new Map(
    [...earlier].reverse().flatMap((limit) => limit.places.map((place) => [place, limit] as const)),
  );
  const gone = earlier.filter(({ places }) => !places.some((place) => known.has(place)));
  return (content: string, places: readonly string[]): KeptLimit | undefined => {
    const nearest = [...places.flatMap((place) => byPlace.get(place) ?? []), ...gone];
    const found = nearest.find((limit) => limit.content === content && rest.has(limit));
    if (found !== undefined) rest.delete(found);
    return found;
  };
}

function createLimit({ limits, at: place }: RateLimitsConfig, store: Store | undefined, logger: Logger): Middleware {
  const options = { store, logger };
  noteAdvice(options, { ...adviceFor(options, 'mcpLimits()'), names: new Map([['limits', place]]) });
  return atPlace(place, () => mcpLimits(limits, options));
}

/** The lines of a limit name its route, if it has one. */
function loggerFor(group: readonly LimitedRoute[], logger: Logger): Logger {
  const [first, ...more] = new Set(group.map(({ route }) => route.at));
  return first === undefined || more.length > 0 ? logger : withFields(logger, { route: first });
}
