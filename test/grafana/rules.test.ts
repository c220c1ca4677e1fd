import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { hasPrometheus, promtool } from './promtool.ts';
import { alerts, GRAFANA, panelQueries, recorded, RULE_FILES, shippedText } from './shipped.ts';

const CASES = new URL('rules/', import.meta.url);
const caseFiles = readdirSync(CASES).toSorted();

interface RuleCases {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
    }[];
    readonly promql_expr_test?: readonly { readonly expr: string }[];
  }[];
}

const cases = caseFiles.flatMap((name) => (parse(readFileSync(new URL(name, CASES), 'utf8')) as RuleCases).tests);
const alertCases = cases.flatMap(({ alert_rule_test: own = [] }) => own);
const expressionCases = cases.flatMap(({ promql_expr_test: own = [] }) => own);

/** Thousands of evaluations, on a machine that does other things, too. */
const CASES_DEADLINE_MS = 90_000;

describe.skipIf(!hasPrometheus)('promtool', () => {
  it.each(RULE_FILES)('finds nothing in %s', (name) => {
    expect(promtool(['check', 'rules', `rules/${name}`], GRAFANA)).toBe('');
  });

  it('finds nothing in the settings of Prometheus', () => {
    expect(promtool(['check', 'config', 'prometheus.yaml'], GRAFANA)).toBe('');
  });

  it('finds nothing in the settings that docs/deploy.md gives a scraper', () => {
    const page = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
    const settings = /^```yaml\n(scrape_configs:[^`]+)```$/m.exec(page)?.[1] ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'slipstream-scraper-'));
    writeFileSync(join(folder, 'token'), 'a-token');
    writeFileSync(
      join(folder, 'prometheus.yaml'),
      settings.replace(/credentials_file: \S+/, 'credentials_file: token'),
    );
    const said = promtool(['check', 'config', 'prometheus.yaml'], pathToFileURL(`${folder}/`));
    rmSync(folder, { recursive: true });
    expect(settings).toContain('authorization:');
    expect(said).toBe('');
  });

  it.each(caseFiles)('sees the rules behave as %s says', { timeout: CASES_DEADLINE_MS }, (name) => {
    expect(promtool(['test', 'rules', name], CASES)).toBe('');
  });

  it('finds no wrong type in any expression of a panel', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipstream-panels-'));
    const asRules = panelQueries().map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
    writeFileSync(join(folder, 'panels.yaml'), stringify({ groups: [{ name: 'panels', rules: asRules }] }));
    const said = promtool(['check', 'rules', '--lint=none', 'panels.yaml'], pathToFileURL(`${folder}/`));
    rmSync(folder, { recursive: true });
    expect(said).toBe('');
  });
});

describe('the cases of the rules', () => {
  const windowed = alerts.map(({ alert, labels }) => ({ alert, window: labels?.['window'] }));

  it.each(windowed)('see $alert ($window) fire', ({ alert, window }) => {
    const fired = alertCases.filter(({ alertname }) => alertname === alert).flatMap(({ exp_alerts: some }) => some);
    expect(fired.some(({ exp_labels: labels }) => labels['window'] === window)).toBe(true);
  });

  it.each(windowed)('see $alert ($window) not fire where there is something to see', ({ alert, window }) => {
    const without = alertCases.filter(
      ({ alertname, exp_alerts: some }) =>
        alertname === alert && some.every(({ exp_labels: labels }) => labels['window'] !== window),
    );
    expect(without.length).toBeGreaterThan(0);
  });

  it.each(recorded)('hold a value against $record', ({ record }) => {
    expect(expressionCases.filter(({ expr }) => new RegExp(`${record}(?![\\w])`).test(expr))).not.toEqual([]);
  });
});

describe('every alert', () => {
  const anchors = new Set(
    [...shippedText('README.md').matchAll(/^#+ (\w+)$/gm)].map(([, title = '']) => title.toLowerCase()),
  );

  it.each(alerts)(
    '$alert says how bad it is, what is the matter, and where to read what to do',
    ({ labels, annotations }) => {
      expect(labels?.['severity']).toMatch(/^(?:critical|warning)$/);
      expect(annotations?.['summary']).toMatch(/^.{10,90}\.$/);
      expect(annotations?.['description']?.length).toBeGreaterThan(40);
      expect(annotations?.['runbook_url']).toMatch(/^grafana\/README\.md#\w+$/);
      expect(anchors).toContain(annotations?.['runbook_url']?.split('#')[1]);
    },
  );
});
