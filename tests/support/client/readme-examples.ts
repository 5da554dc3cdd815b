import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../tidy/tree.ts';

export interface Example {
  readonly title: string;
  readonly code: string;
  /** What its lines print, where they say so: `// → text`. */
  readonly prints: readonly string[];
}

/** The examples of client/README.md, in order. */
export function readExamples(): readonly Example[] {
  const text = readFileSync(join(ROOT, 'client/README.md'), 'utf8');
  return text.split(/^## /m).flatMap((section) => {
    const title = section.slice(0, section.indexOf('\n'));
    const blocks = [...section.matchAll(/^```ts\n([^]*?)^```$/gm)];
    return blocks.map(([, code = '']) => ({
      title,
      code,
      prints: [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, shown = '']) => shown),
    }));
  });
}

const IMPORT = /^import [^;]+;$/gm;

interface Values {
  readonly client: string;
  readonly url: string;
  readonly key: string;
  readonly secret: string;
}

/**
 * All examples as one module, each in a block of its own, so that they follow one another as in the
 * page; `globalThis.told` is called before each.
 */
export function moduleOf(examples: readonly Example[], values: Values): string {
  const filled = (code: string): string =>
    code
      .replaceAll('http://localhost:3000', values.url)
      .replaceAll('slk_…', values.key)
      .replaceAll('whsec_…', values.secret);
  const names = new Map<string, Set<string>>();
  for (const { code } of examples) {
    for (const [line] of code.matchAll(IMPORT)) {
      const [, type = '', list = '', from = ''] =
        /^import (type )?\{([^}]+)\} from '(.+)';$/.exec(line) ?? [];
      const found = names.get(from) ?? new Set();
      names.set(from, found);
      for (const name of list.split(',')) found.add(`${type}${name.trim()}`.trim());
    }
  }
  const imports = [...names].map(([from, list]) => {
    const source = from === '@sluice/client' ? values.client : from;
    return `import { ${[...list].join(', ')} } from '${source}';\n`;
  });
  const [first, ...rest] = examples.map(({ code }, index) => {
    const call = code.includes('function onWebhook') ? 'globalThis.received(onWebhook);\n' : '';
    return `globalThis.told(${index});\n${filled(code.replaceAll(IMPORT, ''))}${call}`;
  });
  return `${imports.join('')}${first ?? ''}${rest.map((code) => `{\n${code}}\n`).join('')}`;
}
