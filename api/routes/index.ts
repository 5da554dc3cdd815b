import type { Endpoint } from '../http/endpoint.ts';
import { listAudit } from './audit/list-audit.ts';
import { PUBLIC_PAGES } from '../public/pages.ts';
import { getDelivery } from './deliveries/get-delivery.ts';
import { listDeliveries } from './deliveries/list-deliveries.ts';
import { replayDeliveries } from './deliveries/replay-deliveries.ts';
import { resendDelivery } from './deliveries/resend-delivery.ts';
import { askGraphql } from './graphql/ask-graphql.ts';
import { getHold } from './holds/get-hold.ts';
import { listHolds } from './holds/list-holds.ts';
import { createKey } from './keys/create-key.ts';
import { getKey } from './keys/get-key.ts';
import { listKeys } from './keys/list-keys.ts';
import { revokeKey } from './keys/revoke-key.ts';
import { rotateKey } from './keys/rotate-key.ts';
import { listRules } from './notification-rules/list-rules.ts';
import { putRule } from './notification-rules/put-rule.ts';
import { aliasEndpoints } from './operations/aliases.ts';
import { cancelOperation } from './operations/cancel-operation.ts';
import { getOperation } from './operations/get-operation.ts';
import { getTimeline } from './operations/get-timeline.ts';
import { getWaiting } from './operations/get-waiting.ts';
import { listOperations } from './operations/list-operations.ts';
import { resolveOperation } from './operations/resolve-operation.ts';
import { retryOperation } from './operations/retry-operation.ts';
import { signalOperation } from './operations/signal-operation.ts';
import { submitBulk } from './operations/submit-bulk.ts';
import { submitOperation } from './operations/submit-operation.ts';
import { addPause } from './pauses/add-pause.ts';
import { getPause } from './pauses/get-pause.ts';
import { listPauses } from './pauses/list-pauses.ts';
import { resumePause } from './pauses/resume-pause.ts';
import { deleteSetting } from './settings/delete-setting.ts';
import { getSetting } from './settings/get-setting.ts';
import { listSettingsHistory } from './settings/list-settings-history.ts';
import { listSettings } from './settings/list-settings.ts';
import { putSetting } from './settings/put-setting.ts';
import { putSettings } from './settings/put-settings.ts';
import { rollbackSettings } from './settings/rollback-settings.ts';
import { openStream } from './stream/open-stream.ts';
import { addSuppression } from './suppressions/add-suppression.ts';
import { listSuppressions } from './suppressions/list-suppressions.ts';
import { removeSuppression } from './suppressions/remove-suppression.ts';
import { removeSuppressions } from './suppressions/remove-suppressions.ts';
import { addTemplate } from './templates/add-template.ts';
import { getTemplate } from './templates/get-template.ts';
import { listTemplates } from './templates/list-templates.ts';
import { previewTemplate } from './templates/preview-template.ts';
import { getProof } from './transactions/get-proof.ts';
import { getCheckpoint, getConsistency } from './ledger/get-checkpoint.ts';
import { changeTenant } from './tenants/change-tenant.ts';
import { getTenant } from './tenants/get-tenant.ts';
import { listTenants } from './tenants/list-tenants.ts';
import { listTransactions } from './transactions/list-transactions.ts';
import { getTransfer } from './transfers/get-transfer.ts';
import { listTransfers } from './transfers/list-transfers.ts';
import { getUser } from './users/get-user.ts';
import { listUsers } from './users/list-users.ts';
import { listUserWallets } from './users/list-user-wallets.ts';
import { getBalance } from './wallets/get-balance.ts';
import { getWallet } from './wallets/get-wallet.ts';
import { listSystemWallets } from './wallets/list-system-wallets.ts';
import { listWalletTransactions } from './wallets/list-wallet-transactions.ts';
import { changeWebhookEndpoint } from './webhook-endpoints/change-endpoint.ts';
import { createWebhookEndpoint } from './webhook-endpoints/create-endpoint.ts';
import { getWebhookEndpoint } from './webhook-endpoints/get-endpoint.ts';
import { listWebhookEndpoints } from './webhook-endpoints/list-endpoints.ts';
import { removeWebhookEndpoint } from './webhook-endpoints/remove-endpoint.ts';
import { rotateWebhookSecret } from './webhook-endpoints/rotate-secret.ts';
import { testWebhookEndpoint } from './webhook-endpoints/test-endpoint.ts';

/** Every endpoint: one line each. Of those that fit a path with parameters the first is taken. */
export const ENDPOINTS: readonly Endpoint[] = [
  submitOperation,
  submitBulk,
  ...aliasEndpoints,
  cancelOperation,
  signalOperation,
  retryOperation,
  resolveOperation,
  getOperation,
  getTimeline,
  getWaiting,
  listOperations,
  getUser,
  listUsers,
  listUserWallets,
  getWallet,
  getBalance,
  listWalletTransactions,
  listSystemWallets,
  listTransactions,
  getProof,
  getCheckpoint,
  getConsistency,
  getTransfer,
  listTransfers,
  getHold,
  listHolds,
  openStream,
  replayDeliveries,
  listDeliveries,
  getDelivery,
  resendDelivery,
  createWebhookEndpoint,
  listWebhookEndpoints,
  getWebhookEndpoint,
  changeWebhookEndpoint,
  removeWebhookEndpoint,
  rotateWebhookSecret,
  testWebhookEndpoint,
  addTemplate,
  listTemplates,
  previewTemplate,
  getTemplate,
  addSuppression,
  listSuppressions,
  removeSuppression,
  removeSuppressions,
  listRules,
  putRule,
  listPauses,
  addPause,
  getPause,
  resumePause,
  listSettings,
  putSettings,
  listSettingsHistory,
  rollbackSettings,
  getSetting,
  putSetting,
  deleteSetting,
  askGraphql,
  createKey,
  listKeys,
  getKey,
  rotateKey,
  revokeKey,
  listAudit,
  listTenants,
  getTenant,
  changeTenant,
  ...PUBLIC_PAGES,
];

/** Those that need a key. */
export const KEYED_ENDPOINTS = ENDPOINTS.filter(({ scope }) => scope !== 'none');
