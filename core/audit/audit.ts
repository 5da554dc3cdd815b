import type { Json } from '../kernel/canonical.ts';
import { type Id, newId } from '../kernel/ids.ts';

/** What people and their programs do to how things are set up. Operations are their own record. */
export const ADMIN_ACTIONS = [
  'key.create',
  'key.rotate',
  'key.revoke',
  'tenant.change',
  'template.add',
  'notification-rule.put',
  'suppression.add',
  'suppression.remove',
  'suppression.remove-many',
  'webhook-endpoint.create',
  'webhook-endpoint.change',
  'webhook-endpoint.remove',
  'webhook-endpoint.rotate-secret',
  'webhook-endpoint.test',
  'delivery.resend',
  'delivery.replay',
] as const;
export type AdminAction = (typeof ADMIN_ACTIONS)[number];

/** What is done to an operation from outside; stored without the word in front. */
const OPERATION_ACTIONS = [
  'operation.signal',
  'operation.cancel',
  'operation.retry',
  'operation.resolve',
] as const;

export const AUDIT_ACTIONS = [...ADMIN_ACTIONS, ...OPERATION_ACTIONS] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Somebody's deed, as it is handed over. Never holds a secret. */
export interface Deed {
  readonly action: AdminAction;
  /** The key, template, endpoint, … */
  readonly targetId: string;
  readonly before?: Json;
  readonly after?: Json;
  /** Of a write that may be repeated: it is written down once, whichever attempt gets there. */
  readonly token?: string;
}

/** Who it was. */
export interface Doer {
  readonly tenantId: string;
  readonly actor: string;
  readonly correlationId?: string;
}

/** A deed as stored. */
export interface AdminLine extends Deed, Doer {
  readonly _id: Id<'aud'>;
  readonly at: Date;
}

/** A line of either kind, as read: those of interventions name an operation. */
export interface AuditRow extends Omit<AdminLine, 'action' | 'targetId'> {
  readonly action: string;
  readonly targetId?: string;
  readonly operationId?: string;
  readonly note?: string;
  /** Of a signal. */
  readonly name?: string;
  /** Of a retry. */
  readonly assume?: string;
  readonly direction?: string;
}

export interface AuditFilter {
  readonly action?: AuditAction;
  readonly actor?: string;
  readonly target?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}

export function auditLine(doer: Doer, deed: Deed, at: Date): AdminLine {
  return { _id: newId('aud'), ...doer, ...deed, at };
}

const OPERATION = 'operation.';

/** What is stored as the action of an operation has no `operation.` in front. Pure. */
export function storedAction(action: AuditAction): string {
  return action.startsWith(OPERATION) ? action.slice(OPERATION.length) : action;
}

export function shownAction({ action, operationId }: AuditRow): string {
  return operationId === undefined ? action : `${OPERATION}${action}`;
}

const ID = /^aud_[0-9a-f]{32}$/;

export function isAuditId(text: string): boolean {
  return ID.test(text);
}

/** The least id that a line of a time can have: ids begin with their milliseconds. Pure. */
export function auditIdAt(ms: number): Id<'aud'> {
  return `aud_${Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0').padEnd(32, '0')}`;
}
