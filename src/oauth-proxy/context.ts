import type { FacadeEndpointName } from '../oauth/well-known.js';
import type { ResolvedFacade } from '../policy/resolve-facade.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import type { Browsers } from './browsers.js';
import type { Clients } from './clients.js';
import type { RefusalLog } from './refusal-log.js';
import type { FacadeSeal } from './sealed-contents.js';

/** The parts that the endpoints of one facade share. */
export interface FacadeContext {
  readonly held: ResolvedFacade;
  /** Our URLs, as the metadata names them. */
  readonly endpoints: Readonly<Record<FacadeEndpointName, string>>;
  readonly seal: FacadeSeal;
  readonly clients: Clients;
  readonly browsers: Browsers;
  readonly refusals: RefusalLog;
  /** @throws {UpstreamError} */
  readonly upstream: () => Promise<ServerMetadata>;
}
