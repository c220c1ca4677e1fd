import { createExecutionContext, env, waitOnExecutionContext } from 'cloudflare:test';
import type { WorkerEnvironment } from '../../../src/worker/environment.ts';
import { createWorkerGateway } from '../../../src/worker/worker-gateway.ts';

/**
 * The gateway of one isolate, as the Worker makes it, with every call to an object of its tenants, upstreams and flights
 * written down. Several are several isolates: they share the objects and nothing else.
 */
export interface CountedGateway {
  /** Since it was last emptied, as `tenant.acquire`. */
  readonly calls: string[];
  /** Reads the answer to its end, and waits for what is told after it. */
  ask(
    body: object,
    key: string,
    more?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }>;
}

const environment = env as unknown as WorkerEnvironment;

/** @param settings of a gateway whose objects no other test has: its tenants and upstreams have names of their own. */
export function createCountedGateway(settings: string): CountedGateway {
  const calls: string[] = [];
  const { TENANTS, UPSTREAMS, FLIGHTS } = environment;
  const made = createWorkerGateway({
    ...environment,
    SLIPSTREAM_CONFIG: settings,
    TENANTS: countedNamespace('tenant', TENANTS, calls),
    UPSTREAMS: countedNamespace('upstream', UPSTREAMS, calls),
    FLIGHTS: countedNamespace('flights', FLIGHTS, calls),
  });
  if (made.kind === 'misconfigured') throw new Error('the settings of this test are not valid');
  const { app } = made.gateway;
  return {
    calls,
    async ask(body, key, more = {}) {
      const context = createExecutionContext();
      const headers = { 'x-api-key': key, 'content-type': 'application/json', ...more };
      const request = new Request('http://gateway/v1/messages', {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      const answer = await app.fetch(request, environment, context);
      const text = await answer.text();
      await waitOnExecutionContext(context);
      return { status: answer.status, text };
    },
  };
}

function countedNamespace<Namespace extends WorkerEnvironment['TENANTS' | 'UPSTREAMS' | 'FLIGHTS']>(
  name: string,
  namespace: Namespace,
  calls: string[],
): Namespace {
  const getByName = (id: string): object => counted(name, namespace.getByName(id), calls);
  return new Proxy(namespace, { get: (_target, method) => (method === 'getByName' ? getByName : undefined) });
}

function counted(name: string, stub: object, calls: string[]): object {
  return new Proxy(stub, {
    get(_target, method) {
      const call: unknown = Reflect.get(stub, method);
      if (typeof call !== 'function') return call;
      return (...values: unknown[]): unknown => {
        calls.push(`${name}.${String(method)}`);
        return Reflect.apply(call, stub, values);
      };
    },
  });
}
