import { ERRORS, type ErrorCode, isErrorCode } from '../../core/kernel/errors.ts';
import { statusOfCode } from '../http/problem.ts';
import { helpOf, retryText } from './help.ts';

/** Markdown: what a code means, whether to try again, what to do. */
export function problemText(code: ErrorCode): string {
  const { title, kind } = ERRORS[code];
  const { meaning, action } = helpOf(code);
  const status = statusOfCode(code);
  const where =
    kind === 'rule'
      ? 'An operation ends with it as `rejected` (or `canceled`, `expired`): it is `error.code` of the ' +
        `operation. Where a request is refused with it at once, the status is ${status}.`
      : `The status is ${status}.`;
  return [
    `# \`${code}\``,
    `**${title}.** ${where}`,
    '## What it means',
    meaning,
    '## Does trying again help?',
    retryText(code),
    '## What to do',
    action,
    'More about this: [Errors and retries](/docs/errors). [All codes](/problems).',
  ].join('\n\n');
}

/** Markdown: all of them. */
export function problemsText(): string {
  const rows = Object.keys(ERRORS)
    .filter(isErrorCode)
    .map((code) => {
      const { title, retry } = ERRORS[code];
      const again = retry === 'never' ? 'no' : 'yes';
      return `| [\`${code}\`](/problems/${code}) | ${statusOfCode(code)} | ${again} | ${title} |`;
    });
  return [
    '# Errors',
    'Every code there is. Each is stable: it is never renamed, and never means anything else. ' +
      'A problem document names its page as `type`.',
    ['| Code | Status | Again? | What |', '| --- | --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n');
}
