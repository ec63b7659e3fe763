/** What keeps the gateway from starting. `message` is one sentence, or two, for whoever runs it. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
