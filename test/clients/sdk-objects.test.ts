import Anthropic, { toFile } from '@anthropic-ai/sdk';
import AnthropicZero from 'anthropic-sdk-0';
import { describe, expect, it } from 'vitest';
import { ACME_KEY, GLOBEX_KEY, useStage, type Stage } from '../support/gateway-under-test.ts';
import { serveObjects } from '../support/object-workspace.ts';

/** Batches and files with Anthropic's SDKs, of which only the base URL and the key are ours. */
const start = useStage();

const optionsOf = ({ port }: Stage, apiKey = ACME_KEY) =>
  ({ baseURL: `http://127.0.0.1:${port}`, apiKey, maxRetries: 0, logLevel: 'off' }) as const;
const BATCH = {
  requests: [
    {
      custom_id: 'a',
      params: { model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
    },
  ],
} satisfies Anthropic.Messages.BatchCreateParams & AnthropicZero.Messages.BatchCreateParams;

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('batches', () => {
  it.each([
    ['1.x', (stage: Stage) => new Anthropic(optionsOf(stage)).messages.batches],
    ['0.x', (stage: Stage) => new AnthropicZero(optionsOf(stage)).messages.batches],
  ] as const)(
    'are made, waited for, read, listed and deleted by SDK %s, all through the gateway',
    async (_name, of) => {
      const stage = await start();
      serveObjects(stage.upstream);
      const batches = of(stage);
      const { id } = await batches.create(BATCH);
      expect((await batches.retrieve(id)).processing_status).toBe('ended');
      const results: { readonly custom_id: string }[] = await all(await batches.results(id));
      expect(results.map(({ custom_id }) => custom_id)).toEqual([`${id}-1`, `${id}-2`]);
      const targets = stage.upstream.calls.map(({ target }) => target);
      expect(targets.at(-1)).toBe(`/v1/messages/batches/${id}/results`);
      await batches.cancel(id);
      await batches.delete(id);
      expect(await all<{ readonly id: string }>(batches.list())).toEqual([]);
    },
  );

  it('are listed page by page to the last one, and only the tenant’s own', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const acme = new Anthropic(optionsOf(stage)).messages.batches;
    const globex = new Anthropic(optionsOf(stage, GLOBEX_KEY)).messages.batches;
    const made: string[] = [];
    for (let count = 0; count < 5; count++) {
      made.unshift((await acme.create(BATCH)).id);
      await globex.create(BATCH);
    }
    expect((await all(acme.list({ limit: 2 }))).map(({ id }) => id)).toEqual(made);
    const before = await all(acme.list({ limit: 2, before_id: made[4] ?? '' }));
    expect(before.map(({ id }) => id).toSorted()).toEqual(made.slice(0, 4).toSorted());
  });

  it('of another tenant are not found', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const { id } = await new Anthropic(optionsOf(stage)).messages.batches.create(BATCH);
    const theirs = new Anthropic(optionsOf(stage, GLOBEX_KEY)).messages.batches;
    await expect(theirs.results(id)).rejects.toThrow(Anthropic.NotFoundError);
  });
});

describe('files', () => {
  it('are uploaded, listed, looked at, downloaded and deleted', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const { files } = new Anthropic(optionsOf(stage));
    const uploaded = await toFile(Buffer.from('%PDF-1.7'), 'Zürich 🌧.pdf', { type: 'application/pdf' });
    const made = [await files.upload({ file: uploaded }), await files.upload({ file: uploaded })].map(({ id }) => id);
    expect((await stage.upstream.call(0)).body.toString()).toContain('filename="Zürich 🌧.pdf"');
    expect((await all(files.list({ limit: 1 }))).map(({ id }) => id)).toEqual(made.toReversed());
    const [first = ''] = made;
    expect((await all(files.list({ ids: [first, 'file_of_nobody'] }))).map(({ id }) => id)).toEqual([first]);
    expect(await files.retrieveMetadata(first)).toMatchObject({ id: first });
    expect(await (await files.download(first)).text()).toContain(first);
    await files.delete(first);
    await expect(files.retrieveMetadata(first)).rejects.toThrow(`File not found: ${first}`);
  });

  it('are listed by the older SDK, whose pages go by after_id', async () => {
    const stage = await start();
    serveObjects(stage.upstream);
    const { files } = new AnthropicZero(optionsOf(stage)).beta;
    const uploaded = await AnthropicZero.toFile(Buffer.from('a'), 'a.txt');
    const made: string[] = [];
    for (let count = 0; count < 3; count++) made.unshift((await files.upload({ file: uploaded })).id);
    expect((await all(files.list({ limit: 2 }))).map(({ id }) => id)).toEqual(made);
    expect((await stage.upstream.call(3)).target).toBe(`/v1/files/${made[0]}?beta=true`);
  });
});
