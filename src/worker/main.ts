import type { WorkerEnvironment } from './environment.ts';
import { createWorkerGateway, type WorkerGateway } from './worker-gateway.ts';

export { ConsoleHub } from './console/console-hub.ts';
export { FlightsObject } from './objects/flights-object.ts';
export { MetricsHub } from './metrics/metrics-hub.ts';
export { TenantObject } from './objects/tenant-object.ts';
export { UpstreamObject } from './objects/upstream-object.ts';

/** The Worker. Its settings are read once per isolate: a changed one comes with a new deployment, hence a new isolate. */
let gateway: WorkerGateway | null = null;

export default {
  fetch(request, environment, context) {
    gateway ??= createWorkerGateway(environment);
    if (gateway.kind === 'misconfigured') return new Response(MISCONFIGURED, { status: 503 });
    const answer = Promise.resolve(gateway.gateway.app.fetch(request, environment, context));
    context.waitUntil(answer); // else a caller that leaves while it uploads ends this code before it can count it
    return answer;
  },
} satisfies ExportedHandler<WorkerEnvironment>;

const MISCONFIGURED = 'The settings of this gateway are not valid; its log says what is wrong with them.\n';
