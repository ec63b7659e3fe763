/** The advice in log lines about refused requests. It names the settings as the user writes them, in code or in a configuration file. */
export interface Advice {
  readonly preflight: string;
  readonly foreignHost: string;
  readonly foreignOrigin: string;
}

const FOR_CODE: Advice = Object.freeze({
  preflight: 'mount mcpCors() before mcpAuth()',
  foreignHost: 'see the option allowedHosts of mcpStdioBackend()',
  foreignOrigin: 'see the option allowedOrigins of mcpStdioBackend()',
});

const adviceByOptions = new WeakMap<object, Advice>();

/** Stores the advice for options that the user wrote in another form than code, such as a configuration file. */
export function noteAdvice(options: object, advice: Advice): void {
  adviceByOptions.set(options, advice);
}

/** Returns the advice for the user who wrote these options. */
export function adviceFor(options: object): Advice {
  return adviceByOptions.get(options) ?? FOR_CODE;
}
