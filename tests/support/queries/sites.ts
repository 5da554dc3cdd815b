import ts from 'typescript';
import { Collection } from 'mongodb';
import { type TextFile, isSource, lineAt, readTree } from '../tidy/tree.ts';

/** What asks a collection for documents, and where its options stand among its arguments. */
const QUERIES: ReadonlyMap<string, number> = new Map([
  ...['find', 'findOne', 'aggregate', 'countDocuments', 'bulkWrite'].map(second),
  ...['deleteOne', 'deleteMany', 'findOneAndDelete', 'estimatedDocumentCount'].map(second),
  ...['updateOne', 'updateMany', 'replaceOne', 'distinct'].map(third),
  ...['findOneAndUpdate', 'findOneAndReplace'].map(third),
]);

function second(name: string): [string, number] {
  return [name, name === 'estimatedDocumentCount' ? 0 : 1];
}

function third(name: string): [string, number] {
  return [name, 2];
}

/** Every place in the code that asks a collection, `core/operations/line-store.ts:59`. */
export function querySites(files: readonly TextFile[] = readTree()): readonly string[] {
  return files.filter(isSource).flatMap((file) => sitesOf(file));
}

/**
 * A collection is what `collection<T>()` has returned, or a parameter of that type: the code has no
 * other way to one. Names are those of a file, which is more than they need to be.
 */
function sitesOf({ path, text }: TextFile): readonly string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const names = new Set<string>();
  const calls: ts.PropertyAccessExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && isCollectionCall(node.initializer)) {
      names.add(node.name.getText());
    }
    if (ts.isParameter(node) && /^Collection\b/.test(node.type?.getText() ?? '')) {
      names.add(node.name.getText());
    }
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      calls.push(node.expression);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return calls
    .filter(({ name }) => QUERIES.has(name.text))
    .filter(({ expression }) => isCollectionCall(expression) || names.has(expression.getText()))
    .map(({ name }) => `${path}:${lineAt(text, name.getStart())}`);
}

function isCollectionCall(node: ts.Node | undefined): boolean {
  if (node === undefined || !ts.isCallExpression(node)) return false;
  return /^(collection|db\.collection)$/.test(node.expression.getText());
}

type Method = (...args: unknown[]) => unknown;

/** While `work` runs every query bears its place in the code as a comment. */
export async function withSites<T>(work: () => Promise<T>): Promise<T> {
  const methods = Collection.prototype as unknown as Record<string, Method>;
  const before = new Map<string, Method>();
  for (const [name, at] of QUERIES) {
    const method = methods[name];
    if (method === undefined) throw new Error(`the driver has no ${name}`);
    before.set(name, method);
    methods[name] = function (this: unknown, ...args: unknown[]): unknown {
      const options = args[at] ?? {};
      args[at] = { comment: siteOf(new Error('a place').stack), ...options };
      return method.apply(this, args);
    };
  }
  try {
    return await work();
  } finally {
    for (const [name, method] of before) methods[name] = method;
  }
}

const OURS = /\/((?:api|core|queues|workers)\/[\w/.-]+\.ts):(\d+):\d+/;

function siteOf(stack = ''): string {
  const line = stack.split('\n').find((one) => OURS.test(one) && !one.includes('/tests/'));
  const [, path = 'elsewhere', at = '0'] = OURS.exec(line ?? '') ?? [];
  return `${path}:${at}`;
}
