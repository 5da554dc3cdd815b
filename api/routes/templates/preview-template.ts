import { LIMITS } from '../../../config/limits.ts';
import { AppError } from '../../../core/kernel/errors.ts';
import { createTemplates } from '../../../core/notifications/templates/template-cache.ts';
import { render, variablesOf } from '../../../core/notifications/templates/template.ts';
import { renderedSchema } from '../../contract/notification.ts';
import { schemaBody } from '../../http/body.ts';
import { defineEndpoint, found } from '../../http/endpoint.ts';
import { foundOr404, noParams, noQuery } from '../../http/list.ts';
import { preview } from './template-input.ts';

export const previewTemplate = defineEndpoint({
  method: 'POST',
  path: '/v1/templates/preview',
  scope: 'notifications:admin',
  summary:
    'Shows what a text becomes with some data: `template`, or the one in use by name, channel and ' +
    'locale; nothing is stored or sent',
  input: { params: noParams, query: noQuery, body: schemaBody(preview) },
  output: { 200: renderedSchema },
  handle: async ({ body }, { services, tenant }) => {
    const { templates } = services.notifications(tenant);
    const template =
      'template' in body
        ? body.template
        : await createTemplates(templates).find({ tenantId: tenant.tenantId, ...body });
    const text = foundOr404(template, 'template');
    const rendered = render(text, body.data ?? {});
    if (rendered.isTooLong === true) {
      const detail = `a part would be longer than ${LIMITS.templateOutputCharsMax} characters`;
      const errors = [{ pointer: '/data', detail }];
      throw new AppError('invalid_request', `With this data ${detail}`, { errors });
    }
    return found({ ...rendered, variables: variablesOf(text) });
  },
});
