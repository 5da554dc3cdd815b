/** What a breaker is kept for: one server, however it is spelt. */
export function hostKey(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'malformed';
}
