/**
 * State that stays small whatever a run does: maps and lists that forget what is oldest, and counts within a time.
 *
 * @module
 */

const KEY_CHARS_MAX = 160; // A longer key is told apart by its start and its length.

/** A key that holds no more than a line. */
export function keyOf(text: string): string {
  return text.length <= KEY_CHARS_MAX ? text : `${text.slice(0, KEY_CHARS_MAX)}#${text.length}`;
}

/** What stands under `key`, which becomes the newest; made where it is not there. The oldest makes room. */
export function touch<Value>(
  map: Map<string, Value>,
  key: string,
  max: number,
  make: () => Value,
): Value {
  const short = keyOf(key);
  const known = map.get(short);
  if (known !== undefined) {
    map.delete(short);
    map.set(short, known);
    return known;
  }
  const made = make();
  map.set(short, made);
  if (map.size > max) dropOldest(map);
  return made;
}

/** Adds `key`; false where it was there. The oldest makes room. */
export function addTo(set: Set<string>, key: string, max: number): boolean {
  const short = keyOf(key);
  if (set.has(short)) return false;
  set.add(short);
  if (set.size > max) dropOldest(set);
  return true;
}

function dropOldest(of: Map<string, unknown> | Set<string>): void {
  for (const key of of.keys()) {
    of.delete(key);
    return;
  }
}

/** Notes a time; true at each `count`th within `windowMs`, from where it is counted anew. */
export function isMany(times: number[], nowMs: number, count: number, windowMs: number): boolean {
  times.push(nowMs);
  const [first = nowMs] = times;
  if (times.length < count) return false;
  if (nowMs - first <= windowMs) {
    times.length = 0;
    return true;
  }
  times.shift();
  return false;
}

/** Whether `count` is `base`, or twice that, four times, eight times...: so that what goes on is told, and seldom. */
export function isRung(count: number, base: number): boolean {
  const times = count / base;
  return times >= 1 && Number.isInteger(times) && (times & (times - 1)) === 0;
}
