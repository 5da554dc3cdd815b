import { templateSchema } from '../../contract/notification.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint } from '../../http/endpoint.ts';
import { noParams, noQuery } from '../../http/list.ts';
import { templateView } from '../../views/notification.ts';
import { newTemplate } from './template-input.ts';
import { noteDeed } from '../../writes/note-deed.ts';

export const addTemplate = defineEndpoint({
  method: 'POST',
  path: '/v1/templates',
  scope: 'notifications:admin',
  summary: 'Adds a version of a text; it is used from the next message on',
  input: { params: noParams, query: noQuery, body: schemaBody(newTemplate) },
  output: { 201: templateSchema },
  headers: { idempotencyKey: 'optional' },
  errors: ['idempotency_conflict'],
  handle: async ({ body }, request) => {
    const { services, tenant, idempotencyKeyIfAny } = request;
    const { tenantId } = tenant;
    const { name, channel, locale, ...text } = body;
    const { templates, repeats, databaseTime } = services.notifications(tenant);
    const { now } = await databaseTime();
    const key = idempotencyKeyIfAny();
    const asked = { kind: 'template', request: JSON.stringify(body), now } as const;
    const known = key === undefined ? undefined : await repeats.open({ ...asked, key });
    const made = { at: now, ...(known !== undefined && { repeatToken: known.token }) };
    const added = await templates.add({ tenantId, name, channel, locale }, text, made);
    const { _id: targetId, version } = added;
    const after = { name, channel, locale, version };
    await noteDeed(request, { action: 'template.add', targetId, after, key });
    const headers = { Location: `/v1/templates/${targetId}` };
    return { status: 201, headers, body: templateView(added) };
  },
});
