import { Fault } from "../base/index.ts";
export interface Limits {
  pause(): Promise<void>;
  resume(): Promise<void>;
  onExceeded(tell: (what: string) => void): void;
  close(): Promise<null>;
}
export function holdByNothing(): Limits {
  const no = async () => {
    throw new Fault("daemon.no_pause", "pausing is not available");
  };
  return { pause: no, resume: no, onExceeded: () => {}, close: async () => null };
}
