const NO_QUERY: Readonly<Record<string, string | readonly string[]>> = Object.freeze({});

/** The query by name; a name that is there twice has a list, which no schema takes for a text. */
export function queryOf(url: string): Readonly<Record<string, string | readonly string[]>> {
  const start = url.indexOf('?');
  if (start < 0) return NO_QUERY;
  const search = new URLSearchParams(url.slice(start + 1));
  const entries = [...new Set(search.keys())].map((name): [string, string | string[]] => {
    const values = search.getAll(name);
    const [only] = values;
    return [name, values.length === 1 && only !== undefined ? only : values];
  });
  return Object.fromEntries(entries);
}
