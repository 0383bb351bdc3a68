import { Fault } from "../base/index.ts";
const no = async (..._: readonly unknown[]): Promise<never> => {
  throw new Fault("daemon.workspace", "not there");
};
export const diffRun = no;
export const applyRun = no;
export const discardRun = no;
