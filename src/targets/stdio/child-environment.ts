// The variables with which programs find the home directory, the language and their tools. People keep no secrets in them.
export const INHERITED_VARIABLES: readonly string[] = (
  process.platform === 'win32'
    ? 'APPDATA HOMEDRIVE HOMEPATH LOCALAPPDATA PATH PATHEXT PROCESSOR_ARCHITECTURE PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP USERNAME USERPROFILE'
    : 'HOME LANG LC_ALL LOGNAME PATH SHELL TERM TMPDIR TZ USER'
).split(' ');

/** The network variables whose values are URLs, which may contain a user name and a password. */
const NETWORK_URLS: readonly string[] = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'],
  ...['npm_config_registry', 'UV_DEFAULT_INDEX', 'PIP_INDEX_URL'],
];
/** The variables with which programs find proxies, certificates and registries: behind a company's proxy, `npx` and `uvx` need them. */
export const NETWORK_VARIABLES: readonly string[] = [
  ...NETWORK_URLS,
  ...['NO_PROXY', 'no_proxy', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
];

/** The options that say which variables of our own environment a child gets. */
export interface InheritedVariables {
  /** Further names, or everything. */
  readonly inheritEnv: true | readonly string[];
  readonly inheritNetworkEnv: boolean;
}

/** Returns the part of our own environment that a child may see. */
export function inheritedEnvironment({
  inheritEnv,
  inheritNetworkEnv,
}: InheritedVariables): Readonly<Record<string, string>> {
  const own = ownEnvironment();
  const network = inheritNetworkEnv ? NETWORK_VARIABLES.filter((name) => !hasCredentials(name, own[name])) : [];
  const names = inheritEnv === true ? Object.keys(own) : [...INHERITED_VARIABLES, ...network, ...inheritEnv];
  const result: Record<string, string> = Object.create(null);
  for (const name of names) {
    const value = own[name];
    // bash exports functions as values that begin like this, and old shells run them (CVE-2014-6271).
    if (value !== undefined && !value.startsWith('()')) result[name] = value;
  }
  return result;
}

/** The names of the variables that a child does not get because their URLs have a user name or a password. */
export function withheldVariables({ inheritEnv, inheritNetworkEnv }: InheritedVariables): readonly string[] {
  if (inheritEnv === true || !inheritNetworkEnv) return [];
  const own = ownEnvironment();
  return NETWORK_URLS.filter((name) => hasCredentials(name, own[name]) && !inheritEnv.includes(name));
}

/** Returns advice for the log on a child that ended before its first message; undefined if the child gets all variables. */
export function environmentHint(inheritEnv: InheritedVariables['inheritEnv']): string | undefined {
  return inheritEnv === true
    ? undefined
    : 'it gets only listed environment variables: set others in env, or name them in inheritEnv';
}

/**
 * A URL in which `@` stands only where a part of the path begins, so that no program reads a user name before it: programs differ in URLs
 * such as `http://DOMAIN\\user:password@proxy` and `http:/user:password@proxy`. uv allows a name and "=" before it.
 */
const WITHOUT_USER =
  /^(?:[\w.-]+=)?[a-z][a-z\d+.-]*:\/\/(?:[a-z\d.-]+|\[[\da-f:.]+\])(?::\d{1,5})?\/(?:[^@\\]|(?<=\/)@)*$/i;

function hasCredentials(name: string, value: string | undefined): boolean {
  return value?.includes('@') === true && NETWORK_URLS.includes(name) && !WITHOUT_USER.test(value);
}

/** The value of a variable of our own environment; empty if it is not set. */
export function ownVariable(name: string): string {
  return ownEnvironment()[name] ?? '';
}

function ownEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: the one place that reads the environment, to keep it from the child
  return process.env;
}
