import {
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  GraphQLID,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import {
  balanceAtSchema,
  entrySchema,
  holdSchema,
  systemWalletSchema,
  transferSchema,
  userSchema,
  walletSchema,
} from '../contract/ledger.ts';
import { deliverySchema } from '../contract/notification.ts';
import { operationSchema } from '../contract/operation.ts';
import type { KeyedEndpoint } from '../http/endpoint.ts';
import type { RequestContext } from '../http/request-context.ts';
import { getDelivery } from '../routes/deliveries/get-delivery.ts';
import { listDeliveries } from '../routes/deliveries/list-deliveries.ts';
import { getHold } from '../routes/holds/get-hold.ts';
import { listHolds } from '../routes/holds/list-holds.ts';
import { getOperation } from '../routes/operations/get-operation.ts';
import { getTimeline } from '../routes/operations/get-timeline.ts';
import { listOperations } from '../routes/operations/list-operations.ts';
import { listTransactions } from '../routes/transactions/list-transactions.ts';
import { getTransfer } from '../routes/transfers/get-transfer.ts';
import { listTransfers } from '../routes/transfers/list-transfers.ts';
import { getUser } from '../routes/users/get-user.ts';
import { listUserWallets } from '../routes/users/list-user-wallets.ts';
import { listUsers } from '../routes/users/list-users.ts';
import { getBalance } from '../routes/wallets/get-balance.ts';
import { getWallet } from '../routes/wallets/get-wallet.ts';
import { listSystemWallets } from '../routes/wallets/list-system-wallets.ts';
import { listWalletTransactions } from '../routes/wallets/list-wallet-transactions.ts';
import { ask } from './ask.ts';
import { createConnections } from './connection.ts';
import { JsonScalar } from './scalars.ts';
import { objectFrom } from './types-from-schema.ts';

type Fields = GraphQLFieldConfigMap<unknown, RequestContext>;
type Field = GraphQLFieldConfig<unknown, RequestContext>;
type Query = Readonly<Record<string, string>>;

const OPERATION_FILTERS = ['type', 'status', 'createdAfter', 'createdBefore'] as const;
const DELIVERY_FILTERS = ['status', 'channel', 'createdAfter', 'createdBefore'] as const;

/** The reading half of the API as a graph: each field asks the endpoint that says the same. */
export function createGraphqlSchema(): GraphQLSchema {
  const connection = createConnections();
  const byUser = ({ userId }: { readonly userId: string }) => ({ query: { userId } });
  const byPath = ({ id }: { readonly id: string }) => ({ params: { id } });
  const byOperation = ({ id }: { readonly id: string }) => ({ query: { operationId: id } });

  const User: GraphQLObjectType = objectFrom('User', userSchema, () => ({
    wallets: listOf(Wallet, listUserWallets, ({ userId }: { readonly userId: string }) => ({
      userId,
    })),
    transactions: connection({
      node: Transaction,
      endpoint: listTransactions,
      filters: [],
      given: byUser,
    }),
    transfers: connection({ node: Transfer, endpoint: listTransfers, filters: [], given: byUser }),
    holds: connection({ node: Hold, endpoint: listHolds, filters: ['status'], given: byUser }),
    operations: connection({
      ...{ node: Operation, endpoint: listOperations, filters: OPERATION_FILTERS, given: byUser },
    }),
    deliveries: connection({
      ...{ node: Delivery, endpoint: listDeliveries, filters: DELIVERY_FILTERS, given: byUser },
    }),
  }));
  const Wallet: GraphQLObjectType = objectFrom('Wallet', walletSchema, () => ({
    user: one(User, getUser, ({ userId }: { readonly userId: string }) => ({ userId })),
    transactions: connection({
      ...{ node: Transaction, endpoint: listWalletTransactions, filters: [], given: byPath },
    }),
    balanceAt: {
      type: objectFrom('BalanceAt', balanceAtSchema),
      args: { at: { type: new GraphQLNonNull(GraphQLString) } },
      resolve: (wallet, args, context) => {
        const { at } = args as Query;
        const query = { at: String(at) };
        return ask(getBalance, context, { params: { id: idOf(wallet) }, query });
      },
    },
  }));
  const Transaction: GraphQLObjectType = objectFrom('Transaction', entrySchema, () => ({
    wallet: one(Wallet, getWallet, ({ walletId: id }: { readonly walletId: string }) => ({ id })),
    operation: one(Operation, getOperation, ofOperation),
  }));
  const Transfer: GraphQLObjectType = objectFrom('Transfer', transferSchema, () => ({
    from: one(User, getUser, ({ fromUserId: userId }: { readonly fromUserId: string }) => ({
      userId,
    })),
    to: one(User, getUser, ({ toUserId: userId }: { readonly toUserId: string }) => ({ userId })),
    operation: one(Operation, getOperation, ofOperation),
  }));
  const Hold: GraphQLObjectType = objectFrom('Hold', holdSchema, () => ({
    user: one(User, getUser, ({ userId }: { readonly userId: string }) => ({ userId })),
    operation: one(Operation, getOperation, ofOperation),
  }));
  const Operation: GraphQLObjectType = objectFrom('Operation', operationSchema, () => ({
    timeline: {
      type: JsonScalar,
      description: getTimeline.summary,
      resolve: (operation, _args, context) =>
        ask(getTimeline, context, { params: { id: idOf(operation) } }),
    },
    deliveries: connection({
      ...{
        node: Delivery,
        endpoint: listDeliveries,
        filters: DELIVERY_FILTERS,
        given: byOperation,
      },
    }),
  }));
  const Delivery: GraphQLObjectType = objectFrom('Delivery', deliverySchema);

  const fields: Fields = {
    user: root(User, getUser, 'userId'),
    users: connection({ node: User, endpoint: listUsers, filters: [] }),
    wallet: root(Wallet, getWallet, 'id'),
    systemWallets: listOf(
      objectFrom('SystemWallet', systemWalletSchema),
      listSystemWallets,
      () => ({}),
    ),
    transactions: connection({
      node: Transaction,
      endpoint: listTransactions,
      filters: ['userId'],
    }),
    transfer: root(Transfer, getTransfer, 'id'),
    transfers: connection({
      ...{ node: Transfer, endpoint: listTransfers, filters: ['fromUserId', 'toUserId', 'userId'] },
    }),
    hold: root(Hold, getHold, 'id'),
    holds: connection({ node: Hold, endpoint: listHolds, filters: ['userId', 'status'] }),
    operation: root(Operation, getOperation, 'id'),
    operations: connection({
      node: Operation,
      endpoint: listOperations,
      filters: [...OPERATION_FILTERS, 'userId', 'ids', 'idempotencyKey'],
    }),
    delivery: root(Delivery, getDelivery, 'id'),
    deliveries: connection({
      node: Delivery,
      endpoint: listDeliveries,
      filters: [...DELIVERY_FILTERS, 'userId', 'operationId', 'endpointId'],
    }),
  };
  return new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields }) });
}

const ofOperation = ({ operationId: id }: { readonly operationId: string }) => ({ id });

function idOf(document: unknown): string {
  return (document as { readonly id: string }).id;
}

/** Another document, which this one names. */
function one(
  type: GraphQLObjectType,
  endpoint: KeyedEndpoint,
  paramsOf: (parent: never) => Query,
): Field {
  return {
    type,
    resolve: (parent, _args, context) =>
      ask(endpoint, context, { params: paramsOf(parent as never) }),
  };
}

/** All of a list that has no pages. */
function listOf(
  type: GraphQLObjectType,
  endpoint: KeyedEndpoint,
  paramsOf: (parent: never) => Query,
): Field {
  return {
    type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type))),
    description: endpoint.summary,
    resolve: async (parent, _args, context) => {
      const page = await ask(endpoint, context, { params: paramsOf(parent as never) });
      return (page as { readonly items: readonly unknown[] } | null)?.items ?? [];
    },
  };
}

/** One document by its id; null when there is none. */
function root(type: GraphQLObjectType, endpoint: KeyedEndpoint, parameter: string): Field {
  return {
    type,
    description: endpoint.summary,
    args: { [parameter]: { type: new GraphQLNonNull(GraphQLID) } },
    resolve: (_parent, args, context) => ask(endpoint, context, { params: args as Query }),
  };
}
