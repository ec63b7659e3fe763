/**
 * The line to warn with at construction if a child sees every variable of this process; empty if it does not.
 *
 * @param path The option whose member `inheritEnv` is, with a dot; empty for the argument itself.
 */
export function inheritWarning({ inheritEnv }: { readonly inheritEnv: true | readonly string[] }, path = ''): string[] {
  return inheritEnv === true
    ? [
        `${path}inheritEnv is true, so the child sees every variable of this process, secrets included: list the variables that it needs`,
      ]
    : [];
}
