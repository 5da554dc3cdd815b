/** A block of shell commands in a guide, and the answer that is shown behind it. */
export interface GuideBlock {
  readonly commands: string;
  /** The guide says that the last request of it is refused. */
  readonly isRefused: boolean;
  /** Has to be in what is printed; `…` stands for any text. */
  readonly shown: unknown;
}

const BLOCK = /^```(\w*)( refused)?\n([\s\S]*?)^```$/gm;

/** The commands of a guide, in order. */
export function blocksOf(markdown: string): readonly GuideBlock[] {
  const all = [...markdown.matchAll(BLOCK)].map(([, language, refused, text = '']) => ({
    language,
    isRefused: refused !== undefined,
    text,
  }));
  return all.flatMap(({ language, isRefused, text }, index): GuideBlock[] => {
    const next = all[index + 1];
    const shown: unknown = next?.language === 'json' ? JSON.parse(next.text) : undefined;
    return language === 'sh' ? [{ commands: text, isRefused, shown }] : [];
  });
}

/** What of the shown is not in the actual, as a path; undefined: all of it is. */
export function notShown(shown: unknown, actual: unknown, at = ''): string | undefined {
  if (shown === '…') return typeof actual === 'string' ? undefined : `${at}: no text`;
  if (Array.isArray(shown)) {
    if (!Array.isArray(actual)) return `${at}: no list`;
    const missing = shown.map((one, index) => {
      const found = (actual as readonly unknown[])[index];
      return notShown(one, found, `${at}/${index}`);
    });
    return missing.find((one) => one !== undefined);
  }
  if (typeof shown === 'object' && shown !== null) {
    if (typeof actual !== 'object' || actual === null) return `${at}: no object`;
    const missing = Object.entries(shown).map(([name, value]) =>
      notShown(value, Reflect.get(actual, name), `${at}/${name}`),
    );
    return missing.find((one) => one !== undefined);
  }
  if (shown === actual) return undefined;
  return `${at}: ${JSON.stringify(actual)} and not ${JSON.stringify(shown)}`;
}
