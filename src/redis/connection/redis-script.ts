import type { RedisClient } from './redis-connections.ts';

/** A Lua script under a name of its own: sent whole once a connection, by its hash from then on. */
export type RedisScript<Reply> = (keys: readonly string[], args: readonly (string | number)[]) => Promise<Reply>;

/** @param name unique on this connection. */
export function defineScript<Reply>(redis: RedisClient, name: string, keys: number, lua: string): RedisScript<Reply> {
  const commandName = `slipstream:${name}`;
  redis.defineCommand(commandName, { numberOfKeys: keys, lua });
  const command = Reflect.get(redis, commandName) as (...args: readonly (string | number)[]) => Promise<Reply>;
  return (keys, args) => command.call(redis, ...keys, ...args);
}
