/** Puts a sentence after a message, which may end with a full stop or not. */
export function withSentence(message: string, sentence: string): string {
  return `${message.replace(/\.$/, '')}. ${sentence}`;
}
