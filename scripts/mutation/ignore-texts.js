import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin';

/** Calls whose texts and contexts are for people who read logs and answers: no decision is in them. */
const TELLING = new Set([
  'assert',
  'present',
  'refuse',
  'AppError',
  'InvariantError',
  'describe',
  'meta',
]);

const calleeName = ({ callee }) =>
  callee?.type === 'MemberExpression' ? callee.property.name : callee?.name;

const isText = (path) => path.isStringLiteral() || path.isTemplateLiteral();

/** Whether a node is a text that is only told: an argument of such a call, or a part of one. */
function isTold(path) {
  const call = path.findParent((parent) => parent.isCallExpression() || parent.isNewExpression());
  return call !== null && TELLING.has(calleeName(call.node));
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'texts', {
    shouldIgnore(path) {
      if (isText(path) && isTold(path)) return 'a text that is only told';
      const { parentPath } = path;
      if (path.isObjectExpression() && parentPath?.isVariableDeclarator()) {
        return parentPath.node.id.name === 'context' ? 'what is told beside a text' : undefined;
      }
      return undefined;
    },
  }),
];
