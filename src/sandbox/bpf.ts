/**
 * Classic BPF instructions for seccomp filters, and their bytes (linux/filter.h, linux/seccomp.h).
 *
 * @module
 */
import { assert } from "../base/index.ts";
import type { Architecture } from "./syscalls.ts";

/** `struct sock_filter`: code u16, jt u8, jf u8, k u32. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

// linux/bpf_common.h: class | size | mode, class | operation | source.
export const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
export const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
export const JUMP_GREATER = 0x25; // BPF_JMP | BPF_JGT | BPF_K
export const JUMP_NOT_LESS = 0x35; // BPF_JMP | BPF_JGE | BPF_K
export const JUMP_BITS = 0x45; // BPF_JMP | BPF_JSET | BPF_K
export const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
export const RETURN = 0x06; // BPF_RET | BPF_K

// linux/seccomp.h
export const KILL_PROCESS = 0x8000_0000;
export const ERRNO = 0x0005_0000;
export const USER_NOTIFY = 0x7fc0_0000;
export const ALLOW = 0x7fff_0000;

/** Most instructions that the kernel takes (BPF_MAXINSNS). */
export const INSTRUCTIONS_MAX = 4096;

// struct seccomp_data: nr u32, arch u32, instruction_pointer u64, args u64[6]; little-endian here.
export const OFFSET_NUMBER = 0;
export const OFFSET_ARCH = 4;

/** Where the low or high half of argument `n` stands. */
export function offsetOf(argument: number, half: "low" | "high"): number {
  return 16 + 8 * argument + (half === "low" ? 0 : 4);
}

export function load(offset: number): Instruction {
  return { code: LOAD_WORD, jt: 0, jf: 0, k: offset };
}

export function jump(code: number, k: number, jt: number, jf: number): Instruction {
  return { code, jt, jf, k };
}

export function give(action: number): Instruction {
  return { code: RETURN, jt: 0, jf: 0, k: action };
}

/** Instructions of which every path ends in a return, so that blocks can stand one after another. */
export type Block = readonly Instruction[];

/** Runs `block` where the loaded word equals one of `values`, else goes on behind it. */
export function when(values: readonly number[], block: Block): readonly Instruction[] {
  assert(values.length + block.length < 256, "a block must fit one jump");
  const tests = values.map((value, n) => {
    const last = n === values.length - 1;
    return jump(JUMP_EQUAL, value, values.length - 1 - n, last ? block.length : 0);
  });
  return [...tests, ...block];
}

/**
 * Loads the low half of an argument, the half that the kernel reads where it takes a 32-bit integer.
 * Comparing both would let `0x1_0000_5412` through as something else than TIOCSTI.
 */
export const low = (argument: number): Instruction => load(offsetOf(argument, "low"));

// linux/audit.h: machine | 64-bit | little-endian.
const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
const X32_BIT = 0x4000_0000;

/** What a filter begins with: calls of any foreign ABI kill; the call's number is loaded. */
export function onlyNative(architecture: Architecture): readonly Instruction[] {
  const kill = give(KILL_PROCESS);
  return [
    load(OFFSET_ARCH),
    jump(JUMP_EQUAL, AUDIT_ARCH[architecture], 1, 0),
    kill,
    load(OFFSET_NUMBER),
    ...(architecture === "x64" ? [jump(JUMP_NOT_LESS, X32_BIT, 0, 1), kill] : []),
  ];
}

/** The filter's bytes as the kernel reads them. */
export function encodeProgram(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * program.length);
  program.forEach((instruction, n) => {
    bytes.writeUInt16LE(instruction.code, 8 * n);
    bytes.writeUInt8(instruction.jt, 8 * n + 2);
    bytes.writeUInt8(instruction.jf, 8 * n + 3);
    bytes.writeUInt32LE(instruction.k >>> 0, 8 * n + 4);
  });
  return bytes;
}
