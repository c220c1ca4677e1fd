import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { GRAFANA } from './shipped.ts';

/**
 * A Prometheus of the test's own, on a free port of loopback, that scrapes one gateway every second, with the shipped
 * rules. What it stores is gone with it.
 */
export interface PrometheusServer {
  /** An instant query: the series and their values now. Throws what Prometheus objects. */
  query(expr: string): Promise<readonly Sample[]>;
  /** The labels of all exemplars of a metric's series that were scraped so far. */
  exemplars(metric: string): Promise<readonly Readonly<Record<string, string>>[]>;
  /** Rules whose last evaluation did not succeed, with what was said; rules that were not evaluated yet among them. */
  unhealthyRules(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix seconds, and the value as text: `NaN` is one. */
  readonly value: readonly [number, string];
}

const START_DEADLINE_MS = 15_000;
/** Longer than any test. */
const EXEMPLARS_OF_SECONDS = 600;

export async function startPrometheus(gatewayPort: number): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-prometheus-'));
  const port = await freePort();
  const settings = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(fileURLToPath(GRAFANA), 'rules/*.yaml')],
    scrape_configs: [{ job_name: 'slipstream', static_configs: [{ targets: [`127.0.0.1:${gatewayPort}`] }] }],
  };
  writeFileSync(join(folder, 'prometheus.yaml'), stringify(settings));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const gone = once(child, 'exit');
  const baseUrl = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await eventually('Prometheus is ready', START_DEADLINE_MS, async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}`);
      return fetch(`${baseUrl}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async query(expr) {
      const answer = await ask<{ result: Sample[] }>(`${baseUrl}/api/v1/query?${new URLSearchParams({ query: expr })}`);
      return answer.result;
    },
    async exemplars(metric) {
      const sinceSeconds = Date.now() / 1000 - EXEMPLARS_OF_SECONDS;
      const range = { start: String(sinceSeconds), end: String(sinceSeconds + 2 * EXEMPLARS_OF_SECONDS) };
      const series = await ask<{ exemplars: { labels: Record<string, string> }[] }[]>(
        `${baseUrl}/api/v1/query_exemplars?${new URLSearchParams({ query: metric, ...range })}`,
      );
      return series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
    },
    async unhealthyRules() {
      const { groups } = await ask<{ groups: { rules: RuleState[] }[] }>(`${baseUrl}/api/v1/rules`);
      return groups
        .flatMap(({ rules }) => rules)
        .filter(({ health }) => health !== 'ok')
        .map(({ name, health, lastError = '' }) => `${name}: ${health} ${lastError}`);
    },
    close,
  };
}

interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

async function ask<T>(url: string): Promise<T> {
  const response = await fetch(url);
  const answer = (await response.json()) as { status: string; error?: string; data: T };
  if (answer.status !== 'success') throw new Error(`${response.status}: ${answer.error} (${decodeURIComponent(url)})`);
  return answer.data;
}
