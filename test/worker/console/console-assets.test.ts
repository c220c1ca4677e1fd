import { describe, expect, it } from 'vitest';
import { consoleAssets } from '../../../src/worker/console/console-assets.ts';

function assetsOf(answer: (path: string) => Response) {
  const asked: string[] = [];
  const ASSETS = {
    async fetch(url: string) {
      asked.push(new URL(url).pathname);
      return answer(url);
    },
  };
  return { asked, assets: consoleAssets({ ASSETS: ASSETS as never }) };
}

describe('a file of the page', () => {
  it('has the type and the etag that the binding gives it', async () => {
    const headers = { 'content-type': 'text/css; charset=utf-8', etag: '"1f"' };
    const { asked, assets } = assetsOf(() => new Response('body {}', { headers }));
    const asset = await assets('app.css');
    expect(asset).toMatchObject({ contentType: 'text/css; charset=utf-8', etag: '"1f"' });
    expect(new TextDecoder().decode(asset?.bytes)).toBe('body {}');
    expect(asked).toEqual(['/app.css']);
  });

  it('is looked up by its name, which leads to no other path', async () => {
    const { asked, assets } = assetsOf(() => new Response(null, { status: 404 }));
    expect(await assets('../main.js?a#b')).toBeNull();
    expect(asked).toEqual(['/..%2Fmain.js%3Fa%23b']);
  });

  it('is none where the binding answers by something else than a file', async () => {
    const { assets } = assetsOf(() => new Response(null, { status: 307, headers: { location: '/' } }));
    expect(await assets('index')).toBeNull();
  });
});
