/** OpenTelemetry, only where OTEL_EXPORTER_OTLP_ENDPOINT asks for it: loading it costs 30 MB and 150 ms. */

/** With a dead receiver the SDK's own shutdown takes 8 s; ending a process must not. */
const shutdownDeadlineMs = 2_000;

/** Starts it where the environment names a receiver; disposing flushes what is pending, within a deadline. */
export async function startTelemetry(env: NodeJS.ProcessEnv): Promise<AsyncDisposable> {
  if (!env['OTEL_EXPORTER_OTLP_ENDPOINT']) return { async [Symbol.asyncDispose]() {} };
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({ serviceName: env['OTEL_SERVICE_NAME'] ?? 'highwater' });
  sdk.start();
  return {
    async [Symbol.asyncDispose]() {
      // A receiver that is down must not change how a command ends.
      const flushed = sdk.shutdown().catch(() => undefined);
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, shutdownDeadlineMs);
      await Promise.race([flushed, late]);
      clearTimeout(timer);
    },
  };
}
