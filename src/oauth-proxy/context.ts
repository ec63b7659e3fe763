import type { ResolvedFacade } from '../policy/resolve-facade.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import type { Browsers } from './browsers.js';
import type { Clients } from './clients.js';
import type { FacadeSeal } from './sealed-contents.js';

/** What the endpoints of one facade share. */
export interface FacadeContext {
  readonly held: ResolvedFacade;
  readonly endpoints: FacadeEndpoints;
  readonly seal: FacadeSeal;
  readonly clients: Clients;
  readonly browsers: Browsers;
  /** @throws {UpstreamError} */
  readonly upstream: () => Promise<ServerMetadata>;
}

/** Our URLs, as the metadata names them. */
export interface FacadeEndpoints {
  readonly authorize: string;
  readonly callback: string;
  readonly consent: string;
  readonly token: string;
  readonly registration: string;
  readonly revocation: string;
}
