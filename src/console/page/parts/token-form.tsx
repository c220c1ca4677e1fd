import { useState } from 'preact/hooks';
import { Problem } from './notices.tsx';

/** The way in. The token stays in this tab and is sent to this gateway only, in a header. */
export interface TokenFormProps {
  readonly wasRefused: boolean;
  readonly onToken: (token: string) => void;
}

export function TokenForm({ wasRefused, onToken }: TokenFormProps) {
  const [token, setToken] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token.trim() !== '') onToken(token.trim());
  };
  return (
    <main class="token-form">
      <h1>Slipstream console</h1>
      <form onSubmit={submit}>
        {wasRefused && <Problem>The gateway does not accept this token. It may have been changed.</Problem>}
        <label for="token">Console token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit">Open the console</button>
        <p class="soft">
          It is <code>console.token</code> in the gateway's settings. A link that ends in <code>#token=…</code> opens
          the console without this form. It is kept in this tab until you close it.
        </p>
      </form>
    </main>
  );
}
