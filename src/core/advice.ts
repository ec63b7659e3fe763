/** The settings to change if a request is refused for want of one, in the words of the form that the user writes. */
export interface Advice {
  readonly preflight: string;
  readonly foreignHost: string;
  readonly foreignOrigin: string;
}

const ofOptions = new WeakMap<object, Advice>();

/** Notes the advice for users who wrote these options in another form, such as a configuration file. */
export function noteAdvice(options: object, advice: Advice): void {
  ofOptions.set(options, advice);
}

/**
 * The advice for the user of these options.
 *
 * @param who The function that they are for, for example `mcpStdioBackend()`.
 */
export function adviceFor(options: object, who: string): Advice {
  return (
    ofOptions.get(options) ?? {
      preflight: 'mount mcpCors() before mcpAuth()',
      foreignHost: `see the option allowedHosts of ${who}`,
      foreignOrigin: `see the option allowedOrigins of ${who}`,
    }
  );
}
