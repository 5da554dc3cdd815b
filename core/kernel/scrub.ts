/** What a secret looks like in a text that others have written, and what is left of it. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // User and password of an address, with whatever `@` stands in the password.
  [/\/\/[^\s/"'<>]*@/g, '//[redacted]@'],
  [
    /([?&](?:password|pass|pwd|token|secret|key|api_key|access_token|sig)=)[^\s&"'#]+/gi,
    '$1[redacted]',
  ],
  [/\b(slk_[A-Za-z0-9]+_)[A-Za-z0-9_-]+/g, '$1[redacted]'],
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, 'whsec_[redacted]'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, '$1 [redacted]'],
];

/** The text without passwords, keys and tokens: messages of libraries quote what they were given. */
export function scrubbed(text: string): string {
  return SECRETS.reduce((left, [secret, rest]) => left.replace(secret, rest), text);
}
