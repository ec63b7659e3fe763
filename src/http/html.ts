const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text and quoted attribute values. Drops characters that are invisible or change the direction of writing. */
export function escapeHtml(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '').replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/**
 * Returns a name that another party chose as HTML. It cannot reverse the text around it or close its quotes. Undefined if nothing
 * of the name is visible.
 */
export function nameToHtml(name = ''): string | undefined {
  const shown = name.replace(/[\p{C}\p{Default_Ignorable_Code_Point}\u2800"“”„‟]/gu, '').trim();
  return shown === '' ? undefined : `<bdi>${escapeHtml(shown)}</bdi>`;
}
