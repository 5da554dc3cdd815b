import { templateSchema } from '../../contract/notification.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { templateView } from '../../views/notification.ts';
import { newTemplate } from './template-input.ts';

export const addTemplate = defineEndpoint({
  method: 'POST',
  path: '/v1/templates',
  scope: 'notifications:admin',
  summary: 'Adds a version of a text; it is used from the next message on',
  input: { params: noParams, query: noQuery, body: schemaBody(newTemplate) },
  output: { 201: templateSchema },
  headers: { idempotencyKey: 'optional' },
  errors: ['idempotency_conflict'],
  handle: async ({ body }, { services, tenant, idempotencyKeyIfAny }) => {
    const { tenantId } = tenant;
    const { name, channel, locale, ...text } = body;
    const { templates, repeats, databaseTime } = services.notifications(tenant);
    const { now } = await databaseTime();
    const key = idempotencyKeyIfAny();
    const request = JSON.stringify(body);
    const known =
      key === undefined ? undefined : await repeats.open({ kind: 'template', key, request, now });
    const made = { at: now, ...(known !== undefined && { repeatToken: known.token }) };
    const added = await templates.add({ tenantId, name, channel, locale }, text, made);
    const headers = { Location: `/v1/templates/${added._id}` };
    return { status: 201, headers, body: templateView(added) };
  },
});
