import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const console_ = new URL('../../../src/console/', import.meta.url);
const asset = (name: string): string => readFileSync(new URL(`assets/${name}`, console_), 'utf8');
const names = readdirSync(new URL('assets/', console_)).toSorted();
const sources = readdirSync(new URL('page/', console_), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(tsx?|html|css)$/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(`page/${name}`, console_), 'utf8') }));

describe("the console's page as it is served", () => {
  it('is what its source gives', () => {
    const build = spawnSync(process.execPath, [fileURLToPath(new URL('build-page.ts', console_)), '--check'], {
      encoding: 'utf8',
    });
    expect(build.stderr).toBe('');
    expect(build.status).toBe(0);
  });

  it('is a page, a script and a style', () => {
    expect(names).toEqual(['app.css', 'app.js', 'index.html']);
  });

  it('is less than 150 KB as it goes over the wire', () => {
    const gzippedBytes = names.reduce((sum, name) => sum + gzipSync(asset(name)).length, 0);
    expect(gzippedBytes).toBeLessThan(150_000);
  });

  it('has no script, style or handler in the page itself, which the policy would refuse', () => {
    expect(asset('index.html')).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
  });

  it('loads nothing from elsewhere', () => {
    const loads = [...asset('index.html').matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
    expect(loads.filter((url) => !url.startsWith('/console/') && !url.startsWith('data:'))).toEqual([]);
    expect(asset('app.css')).not.toMatch(/url\(|@import/);
  });

  it('never makes markup of text', () => {
    const guilty = sources.filter(({ text }) =>
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/.test(text),
    );
    expect(guilty.map(({ name }) => name)).toEqual([]);
  });

  it("carries its libraries' licences", () => {
    expect(asset('app.js')).toContain('Copyright (c) 2015-present Jason Miller');
    expect(asset('app.js')).toContain('Leon Sorokin');
  });
});
