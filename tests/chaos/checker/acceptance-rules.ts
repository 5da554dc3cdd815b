import { type Evidence, type HistoryEvent, TERMINAL, isOver } from './evidence.ts';
import { type Finding, type Rule, byId, grouped } from './rule.ts';
import { noneFails } from '../../../core/kernel/every.ts';

type Of<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { readonly kind: K }>;

export function ofKind<K extends HistoryEvent['kind']>(
  { history }: Pick<Evidence, 'history'>,
  kind: K,
): readonly Of<K>[] {
  return history.filter((event): event is Of<K> => event.kind === kind);
}

/** P1: an answer with an id is a promise that the operation is there. */
const acceptedExist: Rule = {
  name: 'accepted operations exist',
  breaks: 'P1, I4: lost after 202',
  check: (evidence) => {
    const stored = byId(evidence.operations);
    const lost = ofKind(evidence, 'answered').filter(({ id }) => !stored.has(id));
    return [...grouped(lost, ({ id }) => id)].map(([id, answers]) => {
      const [first] = answers;
      return [
        id,
        `key ${first?.key ?? ''}, answered by ${first?.api ?? ''} at ${seconds(first?.atMs ?? 0)}`,
      ];
    });
  },
};

const accepted: Rule = {
  name: 'accepted operations end',
  breaks: 'P1, P4, I8: not terminal in time',
  check: ({ operations, boundMs, endedAtMs, healedAtMs }) =>
    operations
      .filter(({ status }) => !isOver(status))
      .map(({ id, type, status, story }) => {
        const after = `${seconds(endedAtMs - healedAtMs)} after the heal (bound ${seconds(boundMs)})`;
        return [id, `${type} is ${status} ${after} ${story}`];
      }),
};

const inTime: Rule = {
  name: 'operations end in time',
  breaks: 'P4: late',
  check: (evidence) => {
    const { operations, settledAtMs, healedAtMs, boundMs } = evidence;
    const stored = byId(operations);
    const answered = new Map<string, number>();
    for (const { id, atMs } of ofKind(evidence, 'answered')) {
      if (!answered.has(id)) answered.set(id, atMs);
    }
    return [...settledAtMs].flatMap(([id, atMs]): Finding[] => {
      // What was accepted after the heal has its time from then on.
      const tookMs = atMs - Math.max(healedAtMs, answered.get(id) ?? 0);
      if (tookMs <= boundMs) return [];
      return [[id, `${stored.get(id)?.type ?? '?'} took ${seconds(tookMs)}`]];
    });
  },
};

const oneIdPerKey: Rule = {
  name: 'one id per key',
  breaks: 'P2, I5: one key answered with several operations',
  check: (evidence) =>
    [...grouped(ofKind(evidence, 'answered'), ({ key }) => key)].flatMap(
      ([key, answers]): Finding[] => {
        const ids = [...new Set(answers.map(({ id }) => id))];
        return ids.length > 1 ? [[key, `answered with ${ids.join(' and ')}`]] : [];
      },
    ),
};

const oneOperationPerKey: Rule = {
  name: 'one operation per key',
  breaks: 'P2, I5: several operations of one key',
  check: ({ operations }) =>
    [...grouped(operations, ({ tenantId, key }) => `${tenantId} ${key}`)]
      .filter(([, own]) => own.length > 1)
      .map(([key, own]) => [key, own.map(({ id }) => id).join(' and ')]),
};

/** The platform's own, such as the release of an expired hold, have keys that no client can send. */
const isClients = (key: string): boolean => /^[\x20-\x7e]+$/.test(key);

const asAsked: Rule = {
  name: 'operations are what was asked for',
  breaks: 'I6: an operation without its request',
  check: (evidence) => {
    const meant = ofKind(evidence, 'invoked').filter(({ purpose }) => purpose.isBad !== true);
    const sent = grouped(meant, ({ key }) => key);
    return evidence.operations
      .filter(({ key }) => isClients(key))
      .flatMap(({ id, key, type, input }): Finding[] => {
        const requests = sent.get(key);
        if (requests === undefined) return [[id, `nobody has sent key ${key}`]];
        const fits = requests.some((one) => one.type === type && includes(input, one.input));
        return fits ? [] : [[id, `key ${key} was sent with another request`]];
      });
  },
};

/** Everything asked for is there; what validation has added is its own. */
function includes(stored: unknown, asked: unknown): boolean {
  if (typeof asked !== 'object' || asked === null) return stored === asked;
  if (typeof stored !== 'object' || stored === null) return false;
  return noneFails(Object.entries(asked), ([name, value]) =>
    includes(Reflect.get(stored, name), value),
  );
}

/** Sent once only and refused: then there is nothing to be in doubt about. */
const refusedLeaveNothing: Rule = {
  name: 'refused requests leave nothing',
  breaks: 'P7, I9: an effect of a 4xx',
  check: (evidence) => {
    const stored = grouped(evidence.operations, ({ key }) => key);
    const answered = grouped(ofKind(evidence, 'answered'), ({ key }) => key);
    return ofKind(evidence, 'refused')
      .filter(
        ({ key, code }) => code !== 'idempotency_conflict' && !answered.has(key) && stored.has(key),
      )
      .map(({ key, http, code }) => [key, `answered ${String(http)} ${code}, and is stored`]);
  },
};

/** What does not fit the schema, and another request under a key that is taken. */
const badAreRefused: Rule = {
  name: 'what is bad is refused',
  breaks: 'P2, P7: a bad request was accepted',
  check: (evidence) => {
    const bad = ofKind(evidence, 'invoked').filter(({ purpose }) => purpose.isBad === true);
    const requests = new Set(bad.map(({ request }) => request));
    return ofKind(evidence, 'answered')
      .filter(({ request }) => requests.has(request))
      .map(({ key, id, http }) => [key, `answered ${String(http)} with ${id}`]);
  },
};

/** Once everything is healed, whoever asks is told. */
const everybodyIsTold: Rule = {
  name: 'every key has its answer in the end',
  breaks: 'P7: no answer after the heal',
  check: ({ history }) => {
    const told = new Set<string>();
    const last = new Map<string, string>();
    for (const event of history) {
      if (event.kind === 'answered' || event.kind === 'refused') told.add(event.key);
      if (event.kind === 'unknown') last.set(event.key, event.reason);
    }
    return [...last]
      .filter(([key]) => !told.has(key))
      .map(([key, reason]) => [key, `last: ${reason}`]);
  },
};

/** Running and waiting take turns, and recovery puts an operation back; only the end is final. */
const forwardOnly: Rule = {
  name: 'what has ended stays as it ended',
  breaks: 'I7: a terminal status changed, or an older one was shown after it',
  check: (evidence) => {
    const last = byId(evidence.operations);
    const findings: Finding[] = [];
    const looks = ofKind(evidence, 'read').filter(({ http }) => http === 200);
    for (const [id, reads] of grouped(looks, (read) => read.id)) {
      const end = reads.find(({ status }) => TERMINAL.has(status));
      if (end === undefined) continue;
      const older = reads.find(({ fromMs, status }) => fromMs > end.atMs && status !== end.status);
      if (older !== undefined) {
        findings.push([id, `${end.status}, and later ${older.status} (${older.api})`]);
      }
      const { status = 'gone' } = last.get(id) ?? {};
      if (status !== end.status) findings.push([id, `was ${end.status}, and is ${status}`]);
    }
    return findings;
  },
};

/** Answers say how an operation stands, too. */
const acceptedAreFound: Rule = {
  name: 'accepted operations are found',
  breaks: 'I7: an operation that was answered is not there to be read',
  check: (evidence) => {
    const firstAnswer = new Map<string, number>();
    for (const { id, atMs } of ofKind(evidence, 'answered')) {
      if (!firstAnswer.has(id)) firstAnswer.set(id, atMs);
    }
    return ofKind(evidence, 'read')
      .filter(({ id, http, fromMs }) => http === 404 && (firstAnswer.get(id) ?? Infinity) < fromMs)
      .map(({ id, api, atMs }) => [id, `404 from ${api} at ${seconds(atMs)}`]);
  },
};

/** Whatever broke has been mended: nothing is a human's that time would have mended. */
const nothingForHumans: Rule = {
  name: 'nothing needs a human',
  breaks: 'needs attention that time would have mended',
  check: ({ operations }) =>
    operations
      .filter(({ status }) => status === 'needs_attention')
      .map(({ id, type, errorCode = '', story }) => [id, `${type}: ${errorCode} ${story}`]),
};

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

export const ACCEPTANCE_RULES: readonly Rule[] = [
  acceptedExist,
  accepted,
  inTime,
  oneIdPerKey,
  oneOperationPerKey,
  asAsked,
  refusedLeaveNothing,
  badAreRefused,
  everybodyIsTold,
  forwardOnly,
  acceptedAreFound,
  nothingForHumans,
];
