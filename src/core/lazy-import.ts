import { UpstreamError } from './errors.js';

/**
 * Loads the package `name` when it is first needed, so that importing this package stays fast. After a failure, the next call tries
 * again: the process may have run out of file descriptors.
 *
 * @returns A function that loads the package. It rejects with an {@link UpstreamError} `package_unavailable`, which answers 503.
 */
export function createLazyImport<T>(name: string, load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new UpstreamError('package_unavailable', { cause, evidence: { package: name, reason } });
    });
    return loading;
  };
}
