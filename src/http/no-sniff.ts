/**
 * A header of each of our answers that has a body. Such a body may contain what a client or an MCP server wrote, and a browser that does not
 * believe the `Content-Type` could take it for a page or a script of this origin.
 */
export const NO_SNIFF = Object.freeze({ 'x-content-type-options': 'nosniff' });
