import type { WaitingOn } from '../../core/kernel/waiting-on.ts';

/** As an answer shows it; nothing where nothing is waited for. */
export function waitingView(waitingOn: WaitingOn | undefined) {
  if (waitingOn === undefined) return {};
  const { kind, subject, since, expectedAt } = waitingOn;
  return {
    waitingOn: {
      kind,
      subject,
      since: since.toISOString(),
      ...(expectedAt !== undefined && { expectedAt: expectedAt.toISOString() }),
    },
  };
}
