import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { accepted, askedVariables, longestEndMs, yamlDocuments, yamlFile } from './deploy-files.ts';
import { probe } from './probes.ts';

const FOLDER = 'deploy/kubernetes/';

const labels = z.record(z.string(), z.string());
const httpProbe = z.looseObject({
  httpGet: z.object({ path: z.string(), port: z.string() }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number().default(1),
  failureThreshold: z.number().default(3),
});
const container = z.looseObject({
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  envFrom: z.array(z.object({ secretRef: z.object({ name: z.string() }) })),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean() })),
  startupProbe: httpProbe,
  readinessProbe: httpProbe,
  livenessProbe: httpProbe,
  resources: z.object({ requests: labels, limits: labels }),
});
const deployment = yamlFile(
  `${FOLDER}deployment.yaml`,
  z.looseObject({
    spec: z.looseObject({
      replicas: z.number(),
      selector: z.object({ matchLabels: labels }),
      template: z.object({
        metadata: z.object({ labels }),
        spec: z.looseObject({
          terminationGracePeriodSeconds: z.number(),
          containers: z.tuple([container]),
          volumes: z.array(z.looseObject({ name: z.string(), configMap: z.object({ name: z.string() }) })),
        }),
      }),
    }),
  }),
).spec;
const pod = deployment.template.spec;
const [gateway] = pod.containers;
const named = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });
const configMap = yamlFile(`${FOLDER}config-map.yaml`, named.extend({ data: labels }));
const secret = yamlFile(`${FOLDER}secret.example.yaml`, named.extend({ stringData: labels }));
const settingsText = configMap.data['slipstream.yaml'] ?? '';
const settings = accepted(settingsText);

describe('deploy/kubernetes', () => {
  it('has documents that say what they are, each kind once', () => {
    const kinds = yamlDocuments(FOLDER).map(({ value }) => z.looseObject({ kind: z.string() }).parse(value).kind);
    expect(kinds.toSorted()).toEqual(
      ['ConfigMap', 'Deployment', 'Kustomization', 'Namespace', 'NetworkPolicy', 'PodDisruptionBudget'].concat([
        'Secret',
        'Service',
      ]),
    );
  });

  it('applies every manifest but the example of the secret', () => {
    const { resources } = yamlFile(`${FOLDER}kustomization.yaml`, z.looseObject({ resources: z.array(z.string()) }));
    const files = yamlDocuments(FOLDER).map(({ file }) => file);
    const others = ['kustomization.yaml', 'secret.example.yaml'];
    expect(resources.toSorted()).toEqual(files.filter((file) => !others.includes(file)));
  });

  it('has settings that the gateway takes without a notice', () => {
    expect(settings.notices).toEqual([]);
    expect(settings.config.mode).toBe('managed');
  });

  it('gives the settings the variables that they name, from the secret it mounts', () => {
    expect(Object.keys(secret.stringData)).toEqual(askedVariables(settingsText));
    expect(gateway.envFrom.map(({ secretRef }) => secretRef.name)).toEqual([secret.metadata.name]);
  });

  it('points SLIPSTREAM_CONFIG at the mounted map', () => {
    const [volume] = pod.volumes;
    expect(volume?.configMap.name).toBe(configMap.metadata.name);
    const mount = gateway.volumeMounts.find(({ name }) => name === volume?.name);
    expect(gateway.env).toEqual([{ name: 'SLIPSTREAM_CONFIG', value: `${mount?.mountPath}/slipstream.yaml` }]);
  });

  it('mounts the map as a folder: a subPath is never updated', () => {
    expect(gateway.volumeMounts.filter((mount) => 'subPath' in mount)).toEqual([]);
  });

  it('waits longer than the gateway takes to end', () => {
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(longestEndMs(settings));
  });

  it('keeps the port open for longer than the readiness probe needs to see that it ends', () => {
    const { periodSeconds, timeoutSeconds, failureThreshold } = gateway.readinessProbe;
    const seenAfterMs = (periodSeconds + timeoutSeconds) * failureThreshold * 1_000;
    expect(settings.config.limits.drainNoticeMs).toBeGreaterThanOrEqual(seenAfterMs);
  });

  it('takes a gateway that ends out of service, and does not kill it', async () => {
    expect(await probe(gateway.readinessProbe.httpGet.path)).toEqual({ serving: 200, draining: 503 });
    expect(await probe(gateway.livenessProbe.httpGet.path)).toEqual({ serving: 200, draining: 200 });
    expect(await probe(gateway.startupProbe.httpGet.path)).toEqual({ serving: 200, draining: 200 });
  });

  it('probes and serves the port of the container', () => {
    const [port] = gateway.ports;
    const probes = [gateway.startupProbe, gateway.readinessProbe, gateway.livenessProbe];
    expect(probes.map(({ httpGet }) => httpGet.port)).toEqual(probes.map(() => port?.name));
    const service = yamlFile(
      `${FOLDER}service.yaml`,
      z.looseObject({
        spec: z.looseObject({ selector: labels, ports: z.array(z.looseObject({ targetPort: z.string() })) }),
      }),
    ).spec;
    expect(service.ports.map(({ targetPort }) => targetPort)).toEqual([port?.name]);
    expect(service.selector).toEqual(deployment.selector.matchLabels);
    expect(port?.containerPort).toBe(settings.config.listen.port);
  });

  it('selects the pods of the deployment everywhere', () => {
    const selecting = z.looseObject({
      spec: z.looseObject({
        selector: z.looseObject({ matchLabels: labels }).optional(),
        podSelector: z.looseObject({ matchLabels: labels }).optional(),
      }),
    });
    const selectors = ['pod-disruption-budget.yaml', 'network-policy.yaml', 'deployment.yaml'].map((file) => {
      const { spec } = yamlFile(FOLDER + file, selecting);
      return (spec.selector ?? spec.podSelector)?.matchLabels;
    });
    expect(selectors).toEqual(selectors.map(() => deployment.template.metadata.labels));
  });

  it('lets a node be emptied: the disruption budget allows one pod to go', () => {
    const { spec } = yamlFile(
      `${FOLDER}pod-disruption-budget.yaml`,
      z.looseObject({ spec: z.record(z.string(), z.unknown()) }),
    );
    expect(spec['maxUnavailable']).toBe(1);
    expect(deployment.replicas).toBeGreaterThan(1);
  });

  it('does not throttle the one thread that every stream of a pod runs on', () => {
    expect(Object.keys(gateway.resources.limits)).toEqual(['memory']);
  });
});
