import type { Clock } from '../core/clock.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';

/** Traces for an operator who has somewhere to send them. Off, nothing of OpenTelemetry is even loaded. */
export interface Telemetry {
  record(record: ExchangeRecord): void;
  /** Sends what is still to be sent. */
  close(): Promise<void>;
}

/** OpenTelemetry's own names: what works for other services works here, headers and compression too. */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

/** null where no endpoint is configured, or `OTEL_SDK_DISABLED` says so. */
export async function startTelemetry(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<Telemetry | null> {
  const isConfigured = ENDPOINTS.some((name) => (environment[name] ?? '') !== '');
  if (!isConfigured || environment['OTEL_SDK_DISABLED'] === 'true') return null;
  const { createOtlpSpans } = await import('./otlp-spans.ts');
  return createOtlpSpans(environment['OTEL_SERVICE_NAME'] ?? 'slipstream', clock);
}
