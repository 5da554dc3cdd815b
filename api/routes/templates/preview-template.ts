import { createTemplates } from '../../../core/notifications/template-cache.ts';
import { render, variablesOf } from '../../../core/notifications/template.ts';
import { schemaBody } from '../../body.ts';
import { defineEndpoint, found } from '../../endpoint.ts';
import { foundOr404, noParams, noQuery } from '../../list.ts';
import { preview } from './template-input.ts';

export const previewTemplate = defineEndpoint({
  method: 'POST',
  path: '/v1/templates/preview',
  scope: 'notifications:admin',
  summary:
    'Shows what a text becomes with some data: `template`, or the one in use by name, channel and ' +
    'locale; nothing is stored or sent',
  input: { params: noParams, query: noQuery, body: schemaBody(preview) },
  handle: async ({ body }, { services, tenant }) => {
    const { templates } = services.notifications(tenant);
    const template =
      'template' in body
        ? body.template
        : await createTemplates(templates).find({ tenantId: tenant.tenantId, ...body });
    const text = foundOr404(template, 'template');
    return found({ ...render(text, body.data ?? {}), variables: variablesOf(text) });
  },
});
