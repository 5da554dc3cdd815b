import { createHash } from 'node:crypto';
import type { Db } from 'mongodb';
import { LIMITS } from '../../../config/limits.ts';
import { collection } from '../../infra/collections.ts';
import { faultOf } from '../../infra/database-errors.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Channel } from '../ports.ts';
import type { TemplateText } from './template.ts';

/** One version of a tenant's text. Never changed; a newer version takes its place. */
export interface TemplateDoc extends TemplateText {
  /** `tpl_<hash of the key>-<version>`, the version with leading zeros. */
  readonly _id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly channel: Channel;
  readonly locale: string;
  readonly version: number;
  readonly createdAt: Date;
  /** Of the request that made it: repeating that finds it. */
  readonly repeatToken?: string;
}

export interface TemplateKey {
  readonly tenantId: string;
  readonly name: string;
  readonly channel: Channel;
  readonly locale: string;
}

export interface TemplateStore {
  /** The newest version in each of some languages. */
  newest(
    key: Omit<TemplateKey, 'locale'>,
    locales: readonly string[],
  ): Promise<readonly TemplateDoc[]>;
  find(key: TemplateKey): Promise<TemplateDoc | undefined>;
  findById(tenantId: string, id: string): Promise<TemplateDoc | undefined>;
  /**
   * As the next version; with a token the one that was made under it.
   *
   * @throws AppError `illegal_state` when very many are added at once.
   */
  add(key: TemplateKey, text: TemplateText, made: Made): Promise<TemplateDoc>;
  /** All versions; those of one text stand together, the oldest first. */
  list(
    tenantId: string,
    filter: { readonly name?: string },
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly TemplateDoc[]>;
}

interface Made {
  readonly at: Date;
  readonly repeatToken?: string;
}

/** Each failure is somebody else's success, so as many may come at once. */
const VERSION_TRIES = 50;

export function createTemplateStore(db: Db): TemplateStore {
  const templates = collection<TemplateDoc>(db, 'templates');
  const options = { maxTimeMS: LIMITS.listMaxTimeMs };
  const find = async (key: TemplateKey): Promise<TemplateDoc | undefined> => {
    const { tenantId, name, channel, locale } = key;
    const filter = { tenantId, name, channel, locale };
    const [found] = await templates.find(filter, options).sort({ version: -1 }).limit(1).toArray();
    return found;
  };
  const madeUnder = async (
    tenantId: string,
    repeatToken: string | undefined,
  ): Promise<TemplateDoc | undefined> => {
    if (repeatToken === undefined) return undefined;
    return (await templates.findOne({ tenantId, repeatToken }, options)) ?? undefined;
  };
  return Object.freeze({
    newest: async (key, locales) => {
      const found = await Promise.all(locales.map((locale) => find({ ...key, locale })));
      return found.filter((one) => one !== undefined);
    },
    find,
    findById: async (tenantId, id) =>
      (await templates.findOne({ _id: id, tenantId }, options)) ?? undefined,
    add: async (key, text, { at, repeatToken }) => {
      const { tenantId, name, channel, locale } = key;
      const place = `${tenantId}\n${name}\n${channel}\n${locale}`;
      const hash = createHash('sha256').update(place).digest('hex').slice(0, 32);
      for (let tries = 1; tries <= VERSION_TRIES; tries += 1) {
        const made = await madeUnder(tenantId, repeatToken);
        if (made !== undefined) return made;
        const version = ((await find(key))?.version ?? 0) + 1;
        const _id = `tpl_${hash}-${String(version).padStart(6, '0')}`;
        const token = repeatToken === undefined ? {} : { repeatToken };
        const doc = { _id, ...key, ...text, version, createdAt: at, ...token };
        try {
          await templates.insertOne(doc);
          return doc;
        } catch (error) {
          // Somebody else has just taken the number, or made the very same.
          if (faultOf(error) !== 'duplicate-key') throw error;
        }
      }
      throw new AppError('illegal_state', 'Too many versions of the text are being added at once');
    },
    list: async (tenantId, { name }, { after, limit }) =>
      templates
        .find(
          {
            tenantId,
            ...(name !== undefined && { name }),
            ...(after !== undefined && { _id: { $gt: after } }),
          },
          options,
        )
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
  } satisfies TemplateStore);
}
