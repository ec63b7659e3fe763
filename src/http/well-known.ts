import type { IncomingMessage } from 'node:http';
import { requestTarget } from './middleware.js';

const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';

/** RFC 9728, section 3.1: the well-known segment goes between the host and the resource's path. */
export function resourceMetadataPath(resourcePath: string): string {
  return resourcePath === '/' ? RESOURCE_METADATA : RESOURCE_METADATA + resourcePath;
}

/**
 * Every path at which the metadata of a resource is served: where RFC 9728 puts it, the same without a closing slash
 * (clients drop it before they insert), and the root, where clients of a single resource look too.
 */
export function resourceMetadataPaths(resourcePath: string): ReadonlySet<string> {
  return new Set([
    resourceMetadataPath(resourcePath),
    resourceMetadataPath(resourcePath.replace(/(?<=.)\/$/, '')),
    RESOURCE_METADATA,
  ]);
}

/** The path exactly as it came: not decoded, not normalised, so that only the very bytes of a public path are public. */
export function rawPath(req: IncomingMessage): string {
  const target = requestTarget(req);
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
