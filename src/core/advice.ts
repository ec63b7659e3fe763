/** The advice in log lines about refused requests and weak settings. It names the settings as the user writes them, in code or in a configuration file. */
export interface Advice {
  readonly preflight: string;
  readonly foreignHost: string;
  readonly foreignOrigin: string;
  readonly permissive: string;
  /** Undefined if clients have no login: then there is no warning. */
  readonly unknownLogin: string | undefined;
  /** Undefined if the user did not write the setting that allows every origin: then there is no warning. */
  readonly everyOrigin: string | undefined;
  /** The names of options in that form, by their names in code. Only those that differ. */
  readonly names: ReadonlyMap<string, string>;
}

/** Names of options in code. Names of one word are not among them: they may be words of a sentence too. */
const OPTION_NAMES = /\b[a-z]+(?:[A-Z][a-z]+)+\b/g;

/** Returns one of our texts with the names of options as the user writes them. */
export function withWrittenNames(text: string, { names }: Pick<Advice, 'names'>): string {
  return text.replace(OPTION_NAMES, (name) => names.get(name) ?? name);
}

const adviceByOptions = new WeakMap<object, Advice>();

/** Stores the advice for options that the user wrote in another form than code, such as a configuration file. */
export function noteAdvice(options: object, advice: Advice): void {
  adviceByOptions.set(options, advice);
}

/**
 * Returns the advice for the user who wrote these options.
 *
 * @param who The function that they are for, for example `mcpStdioBackend()`.
 */
export function adviceFor(options: object, who: string): Advice {
  return (
    adviceByOptions.get(options) ?? {
      preflight: 'mount mcpCors() before mcpAuth()',
      foreignHost: `see the option allowedHosts of ${who}`,
      foreignOrigin: `see the option allowedOrigins of ${who}`,
      permissive: 'set mode to "strict"',
      unknownLogin: 'set resourceMetadata.authorizationServers',
      everyOrigin: 'list the origins of your pages in allowedOrigins',
      names: new Map(),
    }
  );
}
