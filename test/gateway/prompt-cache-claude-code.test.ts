import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/simulator/observe/observations.ts';
import { answerOf, CLAUDE_CODE_HEADERS, firstTurn, secondTurn, type AnswerBlock } from '../clients/claude-code-requests.ts'; // prettier-ignore
import { parseEvents } from '../simulator/session.ts';
import { markersOf } from '../support/cache-bodies.ts';
import { managed } from '../support/gateway-under-test.ts';
import { postMessages } from '../support/messages-client.ts';
import { useSimulatorStage, type SimulatorStage } from '../support/simulator-stage.ts';

/** Claude Code marks `system[1]`, `system[2]` and its last block; one of four is free, and its turns can outgrow the look-back. */
const startStage = useSimulatorStage();

interface Turn {
  readonly call: Observation;
  readonly answer: AnswerBlock[];
}

async function turn(stage: SimulatorStage, body: string, extra: Record<string, string> = {}): Promise<Turn> {
  const { status, text } = await postMessages(stage.baseUrl, body, { headers: { ...CLAUDE_CODE_HEADERS, ...extra } });
  if (status !== 200) throw new Error(`${status} ${text}`);
  const call = stage.newest();
  return { call, answer: answerOf(parseEvents(text).map(({ data }) => data)) };
}

/** A turn with 12 tool calls at once: 26 blocks with their results, the system message and the text before them. */
async function twelveTools(stage: SimulatorStage) {
  const first = await turn(stage, firstTurn(), {
    'x-simulator-tools': 'parallel:12',
    'x-simulator-thinking-tokens': '9',
  });
  const second = await turn(stage, secondTurn(first.answer));
  return { first: first.call, second: second.call };
}

const written = ({ usage }: Observation): number => (usage?.write5mTokens ?? 0) + (usage?.write1hTokens ?? 0);

describe('Claude Code', () => {
  it('reads all of a turn with 12 parallel tool calls, because the free marker stands where the last turn ended', async () => {
    const { first, second } = await twelveTools(await startStage());
    expect(second.usage?.readTokens).toBe(written(first));
    expect(markersOf(second.body)).toHaveLength(4);
  });

  it('without the gateway’s marker pays that turn’s messages again', async () => {
    const { first, second } = await twelveTools(await startStage({ settings: managed('cache: off') }));
    expect(markersOf(second.body)).toHaveLength(3);
    expect(second.usage?.readTokens).toBeLessThan(written(first));
  });

  it('keeps its own three markers, and its attribution block first, separate and without one', async () => {
    const { first, second } = await twelveTools(await startStage());
    expect(markersOf(first.body).map(({ path }) => path)).toEqual(['system[1]', 'system[2]', 'messages[1].content[0]']);
    const paths = markersOf(second.body).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['system[1]', 'system[2]', 'messages[3].content[11]']));
    for (const { body } of [first, second]) {
      const { system } = JSON.parse(Buffer.from(body).toString()) as { system: object[] };
      expect(system).toHaveLength(3);
      expect(system[0]).toEqual({
        type: 'text',
        text: 'x-anthropic-billing-header: cc_version=2.1.330.839; cc_entrypoint=sdk-cli;',
      });
    }
  });

  it('reads its history although its attribution block changes with every request', async () => {
    const stage = await startStage();
    const first = await turn(stage, firstTurn(), { 'x-simulator-tools': 'one' });
    const later = secondTurn(first.answer).replace('2.1.330.839', '2.1.330.112');
    const { call } = await turn(stage, later);
    expect(call.usage?.readTokens).toBe(written(first.call));
    expect((await stage.metrics()).sum('slipstream_cache_results_total', { reason: 'prefix_changed' })).toBe(0);
  });
});
