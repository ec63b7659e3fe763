const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for attribute values in quotes. Characters that nobody sees, or that turn the writing round, are dropped. */
export function escapeHtml(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '').replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/**
 * A name that a stranger chose, as HTML: it can neither turn round the words around it, nor end their quotes, nor pass for none
 * at all. Undefined where there is nothing to see.
 */
export function nameToHtml(name = ''): string | undefined {
  const shown = name.replace(/[\p{C}\p{Default_Ignorable_Code_Point}\u2800"“”„‟]/gu, '').trim();
  return shown === '' ? undefined : `<bdi>${escapeHtml(shown)}</bdi>`;
}
