import { useConnection, useLive } from '../data/session.ts';
import { Problem } from './notices.tsx';

/**
 * What an operator must know before any figure: the connection is lost, or the gateway itself is not well. It stands at
 * the foot of the window, so that nothing moves when it comes and goes.
 */
export function GatewayNotice() {
  const { snapshot } = useLive();
  const connection = useConnection();
  return (
    <div class="gateway-notice">
      {connection.kind === 'lost' && (
        <Problem>
          {connection.because} {snapshot ? 'Grey figures are the last that came. ' : ''}The page keeps trying.
        </Problem>
      )}
      {snapshot?.gateway.state === 'degraded' && (
        <Problem>The gateway is degraded: {snapshot.gateway.because ?? 'no reason given'}</Problem>
      )}
      {snapshot?.gateway.state === 'draining' && (
        <Problem>
          The gateway is shutting down. What is open is served to its end; requests should go elsewhere.
        </Problem>
      )}
    </div>
  );
}
