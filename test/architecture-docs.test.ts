import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** docs/architecture.md against the tree: a newcomer who follows it finds what it names. */
const TEXT = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8');
const isIn = (folder: string, path: string): boolean => existsSync(new URL(`../${folder}${path}`, import.meta.url));
const quoted = [...TEXT.matchAll(/`([a-z][a-z-]*(?:\/[a-z-]*)+(?:\.ts)?)`/g)].map(([, path = '']) => path);
const foldersOfTable = [...TEXT.matchAll(/^\| `([a-z]+)\/` +\|/gm)].map(([, name = '']) => name);

describe('docs/architecture.md', () => {
  it.each([...new Set(quoted)])('names %s, which is there', (path) => {
    expect(['src/', '', 'test/'].some((folder) => isIn(folder, path))).toBe(true);
  });

  it('names modules of the engines that are there', () => {
    const [, drawing = ''] = /```\n( +port [^`]+)```/.exec(TEXT) ?? [];
    const modules =
      drawing
        .split('\n')
        .slice(1)
        .join('\n')
        .match(/\b[a-z]+(?:-[a-z]+)+\b/g) ?? [];
    expect(modules.length).toBeGreaterThan(15);
    const there = ['state', 'redis', 'worker'].flatMap((folder) =>
      readdirSync(new URL(`../src/${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' }),
    );
    const names = new Set(there.map((path) => path.replace(/^.*\//, '')));
    expect(modules.filter((name) => !names.has(`${name}.ts`))).toEqual([]);
  });

  it('has a row for every folder of src, and for no other', () => {
    const folders = readdirSync(new URL('../src/', import.meta.url), { withFileTypes: true });
    expect(foldersOfTable.toSorted()).toEqual(folders.filter((one) => one.isDirectory()).map(({ name }) => name).toSorted()); // prettier-ignore
  });
});
