import ts from 'typescript';
import { type Finding, type TextFile, isCode } from './tree.ts';

/** Hard ceilings, in lines of text. ESLint asks for less (300, 60) and does not count comments. */
export const LINE_CHARS_MAX = 110;
export const FILE_LINES_MAX = 450;
export const FUNCTION_LINES_MAX = 70;

/** A list of functions around shared state: each is measured, and what is left of the factory. */
const FACTORY = /^(create|start|open)[A-Z]/;

/** Functions that are a table of rows: one concept per row, and no decisions. */
const TABLES: ReadonlySet<string> = new Set(['core/telemetry/metrics.ts createMetrics']);

const hasMeasuredLines = (file: TextFile): boolean =>
  isCode(file) || /(\.sh|\.ya?ml|Dockerfile|\.ci\/run)$/.test(file.path);

export function findLong(files: readonly TextFile[]): Finding[] {
  return files.filter(hasMeasuredLines).flatMap(({ path, text }) => {
    const lines = text.split('\n');
    const wide = lines.flatMap((line, index) =>
      // A URL cannot be broken, so a line may be as long as the one it carries.
      line.length > LINE_CHARS_MAX && !/https?:\/\/\S{60}/.test(line)
        ? [{ path, line: index + 1, problem: `line of ${String(line.length)} characters` }]
        : [],
    );
    const count = lines.length - (text.endsWith('\n') ? 1 : 0);
    const tall = { path, line: count, problem: `file of ${String(count)} lines` };
    return count > FILE_LINES_MAX ? [...wide, tall] : wide;
  });
}

function parse({ path, text }: TextFile): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
}

/** The name that a reader would use: its own, or that of what it is assigned to. */
function nameOf(node: ts.SignatureDeclaration): string {
  const { name, parent } = node;
  if (name !== undefined) return name.getText();
  const isBound = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent);
  return isBound ? parent.name.getText() : '(anonymous)';
}

const isSuiteCall = (node: ts.Node): boolean =>
  ts.isCallExpression(node) && /^(describe|suite)\b/.test(node.expression.getText());

/** A suite is a list of tests, so its length says nothing; each test in it is measured. */
function isMeasured(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return ts.isFunctionLike(node) && 'body' in node && !isSuiteCall(node.parent);
}

export function findLongFunctions(files: readonly TextFile[]): Finding[] {
  return files.filter(isCode).flatMap((file) => {
    const source = parse(file);
    const findings: Finding[] = [];
    const lineOf = (at: number): number => source.getLineAndCharacterOfPosition(at).line + 1;
    /** Adds what is too long, and returns how many lines stand in functions below the node. */
    const visit = (node: ts.Node): number => {
      let nested = 0;
      ts.forEachChild(node, (child) => {
        nested += visit(child);
      });
      if (!isMeasured(node)) return nested;
      const line = lineOf(node.getStart());
      const all = lineOf(node.getEnd()) - line + 1;
      const name = nameOf(node);
      const lines = FACTORY.test(name) ? all - nested : all;
      if (lines > FUNCTION_LINES_MAX && !TABLES.has(`${file.path} ${name}`)) {
        const problem = `function ${name} of ${String(lines)} lines`;
        findings.push({ path: file.path, line, problem });
      }
      return all - 1;
    };
    visit(source);
    return findings;
  });
}

const TITLED = /^(describe|suite|it|test)\b/;

/** The title of a `describe`, `it` or `test` call, when it is written out. */
function titleOf(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node) || !TITLED.test(node.expression.getText())) return undefined;
  const [title] = node.arguments;
  return title !== undefined && ts.isStringLiteralLike(title) ? title.text : undefined;
}

/** Two tests of one file with the same path of titles would share a database. */
export function findDuplicateTitles(files: readonly TextFile[]): Finding[] {
  return files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap((file) => {
      const source = parse(file);
      const seen = new Set<string>();
      const findings: Finding[] = [];
      const visit = (node: ts.Node, above: readonly string[]): void => {
        const title = titleOf(node);
        const path = title === undefined ? above : [...above, title];
        const key = path.join(' > ');
        if (title !== undefined && seen.has(key)) {
          const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
          findings.push({ path: file.path, line, problem: `duplicate test title "${key}"` });
        }
        if (title !== undefined) seen.add(key);
        ts.forEachChild(node, (child) => {
          visit(child, path);
        });
      };
      visit(source, []);
      return findings;
    });
}

/** kebab-case, with dots between a name and its roles (`post-transfer.error.test.ts`). */
const KEBAB = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

export function findBadNames(files: readonly TextFile[]): Finding[] {
  return files
    .filter((file) => isCode(file) && !KEBAB.test(file.path.split('/').at(-1) ?? ''))
    .map(({ path }) => ({ path, line: 1, problem: 'file names are kebab-case' }));
}
