import { z } from 'zod';

/** Scheme, host and port, as browsers send it. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

export const corsEnv = {
  CORS_ORIGINS: z
    .string()
    .transform((text, ctx): '*' | readonly string[] => {
      const origins = text.split(',').map((part) => part.trim());
      if (text.trim() === '*') return '*';
      const wrong = origins.find((origin) => !isOrigin(origin));
      if (wrong === undefined) return origins;
      ctx.addIssue({ code: 'custom', message: `must be * or origins: "${wrong}" is none` });
      return z.NEVER;
    })
    .optional()
    .describe('whose pages in a browser may use the API: `*`, or origins with commas between them'),
};
