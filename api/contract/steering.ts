import { z } from 'zod';
import { CHANNEL_NAMES } from '../../config/channel-defaults.ts';
import { CHANGE_ACTIONS } from '../../core/service-config/config-document.ts';
import { count, pageOf, text, time } from './parts.ts';

const value = z.union([z.number(), z.boolean(), z.array(z.number())]);
const channel = z.enum(CHANNEL_NAMES);

const scope = z
  .strictObject({
    tenant: text.exactOptional(),
    provider: text.exactOptional(),
    channel: text.exactOptional(),
  })
  .meta({ id: 'SettingScope', description: 'Whom it is for; empty: the installation' });

const settingFields = {
  name: text,
  value: value.meta({ description: 'In force for the scope' }),
  source: text.meta({ description: 'Whose word that is: a scope, `environment` or `default`' }),
  default: value,
  unit: text,
  allowed: text,
  summary: text,
  scopes: z.array(text),
  tenantMay: z.boolean(),
};

const invalid = z.strictObject({
  scopeKey: text,
  problems: z.array(text),
  fallback: z.enum(['last-good', 'nothing']),
});

const state = { scope, version: count, invalid: invalid.exactOptional() };

export const settingsSchema = z
  .strictObject({ ...state, items: z.array(z.strictObject(settingFields)) })
  .meta({ id: 'Settings' });

export const settingSchema = z.strictObject({ ...settingFields, ...state }).meta({ id: 'Setting' });

const change = z.strictObject({
  name: text,
  before: value.exactOptional(),
  after: value.exactOptional(),
});

export const changedSchema = z
  .strictObject({
    scope,
    version: count,
    changed: z.boolean(),
    changes: z.array(change),
    values: z.record(z.string(), value),
    dryRun: z.literal(true).exactOptional(),
  })
  .meta({ id: 'ChangedSettings' });

const historyEntry = z
  .strictObject({
    id: text,
    scopeKey: text,
    scope,
    version: count,
    action: z.enum(CHANGE_ACTIONS),
    changes: z.array(change),
    values: z.record(z.string(), value),
    author: text,
    reason: text,
    at: time,
  })
  .meta({ id: 'SettingsChange' });

export const settingsHistoryPage = pageOf(historyEntry, 'SettingsHistoryPage');

export const pauseSchema = z
  .strictObject({
    id: text,
    status: z.enum(['active', 'resuming', 'over']),
    subject: z.strictObject({
      type: text.exactOptional(),
      tenant: text.exactOptional(),
      provider: text.exactOptional(),
      channel: channel.exactOptional(),
      endpoint: text.exactOptional(),
      lane: z.int().exactOptional(),
    }),
    reason: text,
    author: text,
    since: time,
    perSecond: count.exactOptional(),
    resumedAt: time.exactOptional(),
    resumedBy: text.exactOptional(),
    resumeReason: text.exactOptional(),
    held: z.strictObject({ operations: count, deliveries: count }).exactOptional(),
  })
  .meta({ id: 'Pause' });

export const pausePage = pageOf(pauseSchema, 'PausePage');
