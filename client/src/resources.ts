import type { OperationInputs } from './generated/operations.ts';
import { type Instant, envelopeOf } from './inputs.ts';
import {
  type List,
  type ListOptions,
  type OrderedListOptions,
  createList,
  itemsOf,
} from './list.ts';
import type {
  Balance,
  BalanceAt,
  Hold,
  HoldStatus,
  SystemWallet,
  Transfer,
  User,
  Wallet,
} from './models.ts';
import type { Entry, OperationType } from './operation.ts';
import { type SubmitOptions, type Submitted, hasId, submitTo, timeText } from './operations.ts';
import { type CallOptions, type Transport, segment } from './transport.ts';

/** Submits an operation of one type. */
export type Submit<T extends OperationType> = (
  input: OperationInputs[T],
  options?: SubmitOptions,
) => Promise<Submitted<T>>;

/** The same about something that has an id: the input without it. */
export type SubmitAbout<T extends OperationType, F extends string> = (
  id: string,
  input?: Omit<OperationInputs[T], F>,
  options?: SubmitOptions,
) => Promise<Submitted<T>>;

type UserFilter = { readonly userId?: string | undefined };

export interface Users {
  readonly create: Submit<'user.create'>;
  readonly update: Submit<'user.update'>;
  get(userId: string, options?: CallOptions): Promise<User>;
  list(options?: ListOptions): List<User>;
  wallets(userId: string, options?: CallOptions): Promise<readonly Wallet[]>;
}

export interface Wallets {
  readonly open: Submit<'wallet.open'>;
  readonly update: Submit<'wallet.update'>;
  get(id: string, options?: CallOptions): Promise<Wallet>;
  transactions(id: string, options?: OrderedListOptions): List<Entry>;
  /** The other side of credits, debits, fees and bonuses. */
  system(options?: CallOptions): Promise<readonly SystemWallet[]>;
}

export interface BalanceReads {
  get(walletId: string, options?: CallOptions): Promise<Balance>;
  /** As the log had it then. */
  at(walletId: string, at: Instant, options?: CallOptions): Promise<BalanceAt>;
}

export interface Transfers {
  readonly create: Submit<'transfer'>;
  readonly reverse: SubmitAbout<'transfer.reverse', 'transferId'>;
  get(id: string, options?: CallOptions): Promise<Transfer>;
  list(
    options?: OrderedListOptions &
      UserFilter & {
        readonly fromUserId?: string | undefined;
        readonly toUserId?: string | undefined;
      },
  ): List<Transfer>;
}

export interface Holds {
  readonly place: Submit<'hold.place'>;
  readonly capture: SubmitAbout<'hold.capture', 'holdId'>;
  readonly release: SubmitAbout<'hold.release', 'holdId'>;
  get(id: string, options?: CallOptions): Promise<Hold>;
  list(
    options?: OrderedListOptions & UserFilter & { readonly status?: HoldStatus | undefined },
  ): List<Hold>;
}

export interface Resources {
  readonly users: Users;
  readonly wallets: Wallets;
  readonly balances: BalanceReads;
  readonly transactions: { list(options?: OrderedListOptions & UserFilter): List<Entry> };
  readonly transfers: Transfers;
  readonly holds: Holds;
  readonly credits: { readonly create: Submit<'wallet.credit'> };
  readonly debits: { readonly create: Submit<'wallet.debit'> };
  readonly bonuses: {
    readonly award: Submit<'bonus.award'>;
    readonly convert: Submit<'bonus.convert'>;
  };
  readonly deposits: { readonly create: Submit<'deposit'> };
  readonly withdrawals: { readonly create: Submit<'withdrawal'> };
  readonly batches: { readonly create: Submit<'batch'> };
}

export function createResources(transport: Transport): Resources {
  const { at, typed, about, get } = waysOf(transport);
  return Object.freeze({
    users: Object.freeze({
      create: at<'user.create'>('/v1/users'),
      update: typed('user.update'),
      get: (userId: string, options?: CallOptions) => get<User>(['users', userId], options),
      list: (options?: ListOptions) => createList<User>(transport, { path: '/v1/users' }, options),
      wallets: async (userId: string, options?: CallOptions) =>
        itemsOf<Wallet>(transport, `/v1/users/${segment(userId)}/wallets`, options),
    }),
    wallets: Object.freeze({
      open: at<'wallet.open'>('/v1/wallets'),
      update: typed('wallet.update'),
      get: (id: string, options?: CallOptions) => get<Wallet>(['wallets', id], options),
      transactions: (id: string, options?: OrderedListOptions) =>
        createList<Entry>(transport, { path: `/v1/wallets/${segment(id)}/transactions` }, options),
      system: (options?: CallOptions) =>
        itemsOf<SystemWallet>(transport, '/v1/system-wallets', options),
    }),
    balances: balancesOf(transport),
    transactions: Object.freeze({
      list: (options: OrderedListOptions & UserFilter = {}) => {
        const { userId } = options;
        const request = { path: '/v1/transactions', query: { userId } };
        return createList<Entry>(transport, request, options);
      },
    }),
    transfers: Object.freeze({
      create: at<'transfer'>('/v1/transfers'),
      reverse: about<'transfer.reverse', 'transferId'>('transfers', 'reverse'),
      get: (id: string, options?: CallOptions) => get<Transfer>(['transfers', id], options),
      list: (options: Parameters<Transfers['list']>[0] = {}) => {
        const { userId, fromUserId, toUserId } = options;
        const request = { path: '/v1/transfers', query: { userId, fromUserId, toUserId } };
        return createList<Transfer>(transport, request, options);
      },
    }),
    holds: Object.freeze({
      place: at<'hold.place'>('/v1/holds'),
      capture: about<'hold.capture', 'holdId'>('holds', 'capture'),
      release: about<'hold.release', 'holdId'>('holds', 'release'),
      get: (id: string, options?: CallOptions) => get<Hold>(['holds', id], options),
      list: (options: Parameters<Holds['list']>[0] = {}) => {
        const { userId, status } = options;
        return createList<Hold>(
          transport,
          { path: '/v1/holds', query: { userId, status } },
          options,
        );
      },
    }),
    credits: Object.freeze({ create: at<'wallet.credit'>('/v1/credits') }),
    debits: Object.freeze({ create: at<'wallet.debit'>('/v1/debits') }),
    bonuses: Object.freeze({
      award: at<'bonus.award'>('/v1/bonuses'),
      convert: typed('bonus.convert'),
    }),
    deposits: Object.freeze({ create: at<'deposit'>('/v1/deposits') }),
    withdrawals: Object.freeze({ create: at<'withdrawal'>('/v1/withdrawals') }),
    batches: Object.freeze({ create: typed('batch') }),
  });
}

/** How operations are asked for, and documents read. */
export function waysOf(transport: Transport) {
  return {
    /** At the path of its type: the bare input, with what stands beside it. */
    at:
      <T extends OperationType>(path: string): Submit<T> =>
      (input, options = {}) =>
        submitTo<T>(transport, { path, options }, { ...input, ...envelopeOf(options) }),
    typed:
      <T extends OperationType>(type: T): Submit<T> =>
      (input, options = {}) => {
        const body = { type, input, ...envelopeOf(options) };
        return submitTo<T>(transport, { path: '/v1/operations', options }, body);
      },
    about:
      <T extends OperationType, F extends string>(list: string, verb: string): SubmitAbout<T, F> =>
      async (...[id, input = {} as Omit<OperationInputs[T], F>, options = {}]) => {
        const path = `/v1/${list}/${segment(id)}/${verb}`;
        return submitTo<T>(transport, { path, options }, { ...input, ...envelopeOf(options) });
      },
    get: async <D>([list, id]: readonly [string, string], options?: CallOptions): Promise<D> => {
      const path = `/v1/${list}/${segment(id)}`;
      const request = { method: 'GET', path, repeat: 'safe', options, isAnswer: hasId } as const;
      const { body } = await transport.send(request);
      return body as D;
    },
  };
}

function balancesOf(transport: Transport): BalanceReads {
  const read = async <D>(
    walletId: string,
    at: Instant | undefined,
    options?: CallOptions,
  ): Promise<D> => {
    const { body } = await transport.send({
      ...{ method: 'GET', path: `/v1/wallets/${segment(walletId)}/balance`, repeat: 'safe' },
      ...{ query: { at: timeText(at) }, options },
      isAnswer: ({ balance }) => typeof balance === 'string',
    });
    return body as D;
  };
  return Object.freeze({
    get: (walletId: string, options?: CallOptions) => read<Balance>(walletId, undefined, options),
    at: (walletId: string, at: Instant, options?: CallOptions) =>
      read<BalanceAt>(walletId, at, options),
  });
}
