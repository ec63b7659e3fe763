import { inheritedEnvironment } from '../targets/stdio/child-environment.js';
import { ChildSource } from '../targets/stdio/child-source.js';
import type { ResolvedStdio } from './stdio-options.js';

/** Creates the source of the children that `options` describe. */
export function createStdioSource(options: ResolvedStdio): ChildSource {
  const recipe = {
    ...options,
    maxWaiting: options.maxPendingRequests,
    waitMs: options.requestTimeoutSeconds * 1_000,
  };
  const inherited = inheritedEnvironment(options.inheritEnv);
  return new ChildSource(recipe, (caller) => ({ ...inherited, ...options.env(caller) }), options.warmChildren);
}
