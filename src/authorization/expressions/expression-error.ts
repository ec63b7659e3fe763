/** Thrown for an expression that is refused. `message` says why; `position` is the index of the character where it is wrong. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}
