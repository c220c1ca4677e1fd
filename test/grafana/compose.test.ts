import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SAMPLE_TENANTS, demoSettings } from '../../src/node/demo/sample-tenants.ts';
import { parseSettings } from '../support/gateway-on-node.ts';
import { alerts, GRAFANA, shippedYaml } from './shipped.ts';

/** The compose file cannot be run everywhere that these tests can; what its parts say of one another can be held together. */
interface Service {
  readonly build?: string;
  readonly command?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const { services } = shippedYaml('docker-compose.yaml') as {
  services: Record<'slipstream' | 'prometheus' | 'grafana', Service>;
};
const scrapes = shippedYaml('prometheus.yaml') as {
  global: { scrape_interval: string };
  rule_files: string[];
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
};
const { datasources } = shippedYaml('provisioning/datasources/prometheus.yaml') as {
  datasources: { url: string; jsonData: { timeInterval: string } }[];
};
const { providers } = shippedYaml('provisioning/dashboards/slipstream.yaml') as {
  providers: { options: { path: string } }[];
};

/** Where each file or folder of the repository is found in a container. */
function mounts({ volumes = [] }: Service): Map<string, string> {
  return new Map(volumes.map((volume) => volume.split(':') as [string, string]));
}

/** Where a path in a container lies in the repository; null where nothing is mounted there. */
function behind(service: Service, path: string): URL | null {
  for (const [source, target] of mounts(service)) {
    if (path === target || path.startsWith(`${target}/`)) return new URL(source + path.slice(target.length), GRAFANA);
  }
  return null;
}

describe('docker-compose.yaml', () => {
  it('mounts only what is there', () => {
    const sources = Object.values(services).flatMap((service) => [...mounts(service).keys()]);
    expect(sources.filter((source) => !existsSync(new URL(source, GRAFANA)))).toEqual([]);
    expect(existsSync(new URL(`${services.slipstream.build}/Dockerfile`, GRAFANA))).toBe(true);
  });

  it('publishes ports on loopback only', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBe(2);
    expect(ports.filter((port) => !/^127\.0\.0\.1:(\d+):\1$/.test(port))).toEqual([]);
  });

  it('lets Prometheus share the network of the demo, which listens on loopback', () => {
    expect(services.prometheus.network_mode).toBe('service:slipstream');
    const { config } = parseSettings(demoSettings('http://127.0.0.1:8788', 'token'));
    expect(config.listen.host).toBe('127.0.0.1');
    expect(config.tenants.length).toBe(SAMPLE_TENANTS.length);
  });

  it('has the demo listen where Prometheus scrapes', () => {
    const command = services.slipstream.command ?? [];
    expect(existsSync(new URL(`../${command[1]}`, GRAFANA))).toBe(true);
    const port = command[command.indexOf('--port') + 1];
    expect(scrapes.scrape_configs.map(({ static_configs: [own] }) => own?.targets)).toEqual([[`127.0.0.1:${port}`]]);
  });

  it('gives Prometheus its settings, and the rules where the settings look for them', () => {
    const path = services.prometheus.command?.[0]?.replace('--config.file=', '') ?? '';
    expect(behind(services.prometheus, path)?.href).toBe(new URL('prometheus.yaml', GRAFANA).href);
    const folders = scrapes.rule_files.map((glob) => new URL(glob.replace('*.yaml', ''), `file://${path}`).pathname);
    expect(folders.map((folder) => behind(services.prometheus, folder)?.href)).toEqual([
      new URL('rules/', GRAFANA).href,
    ]);
  });

  it('scrapes under the job that the alert on a missing scrape knows', () => {
    const { expr } = alerts.find(({ alert }) => alert === 'SlipstreamScrapeDown') ?? { expr: '' };
    const jobs = new Set([...expr.matchAll(/job="(\w+)"/g)].map(([, job]) => job));
    expect([...jobs]).toEqual(scrapes.scrape_configs.map(({ job_name: job }) => job));
  });

  it('tells Grafana where Prometheus is, and how often it scrapes', () => {
    const [source] = datasources;
    const { hostname, port } = new URL(source?.url ?? '');
    expect(`service:${hostname}`).toBe(services.prometheus.network_mode);
    expect(services.slipstream.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(source?.jsonData.timeInterval).toBe(scrapes.global.scrape_interval);
  });

  it('shows Grafana the dashboards, the overview first', () => {
    const folder = providers[0]?.options.path ?? '';
    expect(behind(services.grafana, folder)?.href).toBe(new URL('dashboards/json', GRAFANA).href);
    const home = services.grafana.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    expect(home).toBe(`${folder}/overview.json`);
    expect(existsSync(behind(services.grafana, home) ?? '')).toBe(true);
  });
});
