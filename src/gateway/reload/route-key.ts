import { canonicalJson } from '../../targets/several/canonical-json.js';
import type { BindConfig, GatewayConfig, ListenerConfig, RouteConfig } from '../config/gateway-config.js';
import type { RemoteTargetConfig } from '../config/remote-target.js';
import { conditionsOf } from '../config/route-match.js';
import { secretFilesIn } from '../config/secret-file.js';
import type { TextSource } from '../config/text-source.js';
import { type InputFiles, sha256 } from '../input-files.js';

/** The keys that identify a route in several versions of the file. */
export interface RouteKey {
  /** Equal for routes that get the same requests. */
  readonly place: string;
  /** Equal for routes that also do the same with them. */
  readonly key: string;
}

/** Tells the ports of a file apart. Port 0 stands for any free port, so there may be several of it. */
export function portIdOf({ port, at }: BindConfig): string {
  return port === 0 ? at : String(port);
}

/** Equal for routes that get the same requests. */
export function placeOf(bind: BindConfig, { hostname }: ListenerConfig, { hostnames, matches }: RouteConfig): string {
  return sha256(canonicalJson([portIdOf(bind), hostname, hostnames, matches.map(conditionsOf)]));
}

/** The facts that decide if a route stays as it is, apart from the route itself. */
interface RouteKeyInputs {
  readonly files: InputFiles;
  /** The keys of `config.session.key`. */
  readonly secret: readonly string[] | undefined;
  /** See `routeScope()`. */
  readonly scope: string;
}

/** Digests, since a file may contain secrets. */
export function routeKeyOf(
  bind: BindConfig,
  listener: ListenerConfig,
  route: RouteConfig,
  { files, secret, scope }: RouteKeyInputs,
): RouteKey {
  const { written, mcpAuthentication, credentials, backend } = route;
  const place = placeOf(bind, listener, route);
  const login = mcpAuthentication ?? credentials;
  const secrets = [
    files.digestOf(secretFilesIn(login?.policy)),
    ...(backend?.targets.flatMap(({ server }) => secretFilesOf(server).map((source) => contentOf(source, files))) ??
      []),
  ];
  // A route that stayed with the scope of an earlier place would sign as the route that has this place now.
  const signing = login && secret && [secret, scope];
  // `--dev-issuer` changes the policy that is written.
  const content = [place, written, mcpAuthentication?.policy, secrets, signing];
  return { place, key: sha256(canonicalJson(content)) };
}

function secretFilesOf(server: object): readonly (TextSource | undefined)[] {
  const { callerKey, backendAuth, backendTls } = server as Partial<RemoteTargetConfig>;
  return [
    callerKey,
    backendAuth?.key,
    backendAuth?.jwtSign?.signingKey,
    backendTls?.root,
    backendTls?.cert,
    backendTls?.key,
  ];
}

/** A file that cannot be read is not a failure here: the route is created again, and says why it cannot be. */
function contentOf(source: TextSource | undefined, files: InputFiles): string | undefined {
  return source === undefined || 'text' in source ? undefined : files.digestOf([source.file]);
}

/** The files whose contents do not matter to {@link routeKeyOf}, since what uses them reads them again by itself. */
export function selfReadFilesOf({ binds }: GatewayConfig): readonly string[] {
  const listeners = binds.flatMap((bind) => bind.listeners);
  const ofPolicies = listeners
    .flatMap(({ routes }) => routes)
    .flatMap((route) => {
      const { policy = {} } = route.mcpAuthentication ?? route.credentials ?? {};
      const issuers = Array.isArray(policy.issuers) ? policy.issuers : [];
      return [policy, ...issuers].flatMap(fileNamesIn);
    });
  const ofCertificates = listeners.flatMap(({ tls }) =>
    tls ? [tls.cert, tls.key, ...(tls.root ? [tls.root] : [])] : [],
  );
  return [...ofPolicies, ...ofCertificates];
}

/** The files of `jwks` and `apiKeys`. */
function fileNamesIn(options: Readonly<Record<string, unknown>> | null): string[] {
  return [options?.jwks, options?.apiKeys].flatMap((source) => {
    const { file } = (source ?? {}) as { readonly file?: unknown };
    return typeof file === 'string' && file !== '' ? [file] : [];
  });
}
