/** Clients whose id is the URL of a document about them (Client ID Metadata Documents). */
export interface ClientDocumentsOptions {
  /**
   * Accepts clients whose id is the URL of their metadata document, which this server then fetches. Set it to false where this server
   * cannot reach the internet: a client that finds documents announced does not register.
   *
   * @default true
   */
  readonly enabled?: boolean | undefined;
  /**
   * The only documents that are fetched: whole URLs, or `https://host/*` for every document of a host. Where a forward proxy is
   * configured, only these are fetched, since the proxy resolves names. @default every public https URL
   */
  readonly allow?: readonly string[] | undefined;
  /** The clients about which users are not asked, in the same form: those that you trust as your own. @default [] */
  readonly skipConsent?: readonly string[] | undefined;
}
