/** What users can change where a request is refused for want of a setting, in the words that they know. */
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

const ofOptions = new WeakMap<object, Advice>();

/** Notes the advice for whoever wrote these options in another form, such as a configuration file. */
export function noteAdvice(options: object, advice: Advice): void {
  ofOptions.set(options, advice);
}

/** The advice for the user of these options. */
export function adviceFor(options: object): Advice {
  return ofOptions.get(options) ?? FOR_CODE;
}
