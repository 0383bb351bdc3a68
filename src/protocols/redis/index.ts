/** Redis and Valkey. */
export { plainReadOf, redis, readRedisOperation, type RedisOperation } from "./redis.ts";
export { redisBytesOf, redisWordsOf, type RedisWord } from "./command-word.ts";
