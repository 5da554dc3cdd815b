/**
 * Like max-lines-per-function, except that a factory (`createX`, `startX`, `openX`) is measured as
 * what it is: a list of functions around shared state. Each of them has to fit a screen, and so
 * has the rest of the factory; the whole has a ceiling of its own.
 */
const FACTORY = /^(create|start|open)[A-Z]/;

function nameOf(node) {
  if (node.id) return node.id.name;
  const { parent } = node;
  if (parent.type === 'VariableDeclarator' && parent.id.type === 'Identifier') {
    return parent.id.name;
  }
  return parent.key?.name ?? '';
}

/** The numbers of the lines that carry code; blank lines and comments cost nothing. */
function codeLinesOf(sourceCode) {
  const lines = new Set();
  for (const { loc } of sourceCode.ast.tokens) {
    for (let line = loc.start.line; line <= loc.end.line; line += 1) lines.add(line);
  }
  return lines;
}

export const functionLines = {
  meta: {
    type: 'suggestion',
    schema: [
      {
        type: 'object',
        properties: { max: { type: 'integer' }, factoryMax: { type: 'integer' } },
        required: ['max', 'factoryMax'],
        additionalProperties: false,
      },
    ],
    messages: {
      long: '{{name}} has {{lines}} lines of code; {{max}} fit a screen.',
      ownLong: 'The factory {{name}} has {{lines}} lines outside its functions; {{max}} fit.',
      factoryLong: 'The factory {{name}} has {{lines}} lines; above {{max}} it is a module.',
    },
  },
  create(context) {
    const [{ max, factoryMax }] = context.options;
    const codeLines = codeLinesOf(context.sourceCode);
    const open = [];

    function report(node, messageId, data) {
      context.report({ node, messageId, data: { name: nameOf(node) || 'This function', ...data } });
    }
    function enter(node) {
      open.push({ node, nested: 0 });
    }
    function leave(node) {
      const { nested } = open.pop();
      let lines = 0;
      for (let at = node.loc.start.line; at <= node.loc.end.line; at += 1) {
        if (codeLines.has(at)) lines += 1;
      }
      const above = open.at(-1);
      if (above !== undefined) above.nested += Math.max(0, lines - 1); // one line stays: its name
      const isFactory = FACTORY.test(nameOf(node));
      if (!isFactory && lines > max) report(node, 'long', { lines, max });
      if (isFactory && lines - nested > max) {
        report(node, 'ownLong', { lines: lines - nested, max });
      }
      if (isFactory && lines > factoryMax) report(node, 'factoryLong', { lines, max: factoryMax });
    }
    return {
      ':function': enter,
      ':function:exit': leave,
    };
  },
};
