import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NOT_YET } from '../../src/config/not-yet.ts';
import { listSettings } from '../../src/config/setting-list.ts';
import { METRICS } from '../../src/metrics/table.ts';
import { fileText, ROOT } from './deploy-files.ts';

const page = fileText('docs/deploy.md');
const pages = readdirSync(new URL('docs/', ROOT))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
  .concat('README.md', 'CONTRIBUTING.md');

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found]) => found ?? '');

const { scripts } = z
  .looseObject({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(fileText('package.json')));

describe('docs/deploy.md', () => {
  it('links to files that are there', () => {
    const links = matches(page, /\]\(([^)#]+)(?:#[^)]*)?\)/g);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !existsSync(new URL(link, new URL('docs/', ROOT))))).toEqual([]);
  });

  it('links to headings that it has', () => {
    const headings = matches(page, /^#+ (.+)$/gm).map((text) => text.toLowerCase().replaceAll(' ', '-'));
    expect(matches(page, /\]\(#([^)]+)\)/g).filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });

  it('tells of every file under deploy/', () => {
    const files = readdirSync(new URL('deploy/', ROOT), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.\w+$/.test(path),
    );
    expect(files.filter((path) => !page.includes(`../deploy/${path})`))).toEqual([]);
  });

  it('names settings that there are', () => {
    const known = listSettings().map(({ path }) => path);
    const named = matches(page, /`((?:listen|cache|console|limits)\.\w+)`/g);
    expect(named.filter((path) => !known.includes(path))).toEqual([]);
  });

  it('says that Redis is refused exactly as long as it is', () => {
    const isRefused = NOT_YET.some(({ setting }) => setting === 'state');
    expect(page.includes('`npm start` of this version still refuses it')).toBe(isRefused);
  });

  it('names metrics that there are', () => {
    const named = matches(page, /`(slipstream_\w+|gen_ai_\w+)`/g);
    expect(named.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  });

  it('names flags of the bench that it has', () => {
    const flags = matches(page, /npm run bench -- ([^`]+)`/g).flatMap((line) => matches(line, /(--[a-z-]+)/g));
    const usage = fileText('bench/options.ts');
    expect(flags.filter((flag) => !usage.includes(flag))).toEqual([]);
  });
});

describe('the documentation', () => {
  it.each(pages)('%s names npm scripts that package.json has', (path) => {
    const named = matches(fileText(path), /\bnpm run (?:-s )?([a-z][\w:-]*)/g);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
