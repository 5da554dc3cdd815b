import { schemaBody } from '../../body.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { noParams, noQuery } from '../../list.ts';
import { templateView } from '../../notification-views.ts';
import { newTemplate } from './template-input.ts';

export const addTemplate = defineEndpoint({
  method: 'POST',
  path: '/v1/templates',
  scope: 'notifications:admin',
  summary: 'Adds a version of a text; it is used from the next message on',
  input: { params: noParams, query: noQuery, body: schemaBody(newTemplate) },
  handle: async ({ body }, { services, tenant: { tenantId, ...rest } }) => {
    const { name, channel, locale, ...text } = body;
    const { templates } = services.notifications({ tenantId, ...rest });
    const at = new Date(services.clock.now());
    const added = await templates.add({ tenantId, name, channel, locale }, text, at);
    const headers = { Location: `/v1/templates/${added._id}` };
    return { status: 201, headers, body: templateView(added) };
  },
});
