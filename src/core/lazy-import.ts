import { UpstreamError } from './errors.js';

/**
 * Loads the package `name` when it is first needed, so that importing this package stays quick. A load that failed is
 * tried again with the next call: the process may have been out of file descriptors.
 *
 * @returns A function that rejects with an {@link UpstreamError} `package_unavailable`: the request is not to blame.
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
