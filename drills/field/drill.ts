/**
 * What a drill is: a folder with a story, the attempts and benign twins that an agent makes, the task file
 * that it makes them under, and the world outside that says what came of them.
 *
 * @module
 */
import type { Cofferdam } from "../cofferdam.ts";
import type { Channel } from "../record.ts";
import type { Story } from "../story.ts";

/** One thing that the agent does, as a shell command in the drill's workspace. */
export interface Attempt {
  readonly name: string;
  /** What it goes for, in the attempt's own words: `orders`, `paste.example:443`. */
  readonly target: string;
  /** What was tried, for a person. */
  readonly what: string;
  readonly command: string;
  /** A word that only the command line of this attempt's own process has. */
  readonly mark: string;
  /** Kinds of findings that should name it; none where the verdict says all there is. */
  readonly expects?: readonly string[];
  /** The run that it is part of; runs of a drill come one after the other. */
  readonly run?: string;
  /** Where the wall is a thing that is not there, nothing need be on record: why. */
  readonly silent?: string;
  /** Why the record cannot name the process behind it; what is known to be missing is told, not hidden. */
  readonly unnamed?: string;
  /** How long it may take, in milliseconds. */
  readonly limitMs?: number;
  /** What ends it is no refusal but the end, or the pause, of its run: the type of that entry. */
  readonly endedBy?: "run.end" | "run.pause";
  /** Its run must not even start: a task file that would not hold is refused. */
  readonly refused?: boolean;
}

/** Ordinary work of the same shape, which must pass in the same run, before the attempts. */
export interface Twin {
  readonly name: string;
  readonly command: string;
  /** What its output has to contain. */
  readonly expected: string;
  readonly run?: string;
}

/** Three answers about one attempt, read outside. */
export interface Reached {
  /** A byte of it reached what it went for. */
  readonly crossed: boolean;
  /** It worked there. */
  readonly effect: boolean;
  /** Something of value was lost. */
  readonly harm: boolean;
  /** One clause for a person. */
  readonly told: string;
}

/** Where the agent made its attempts: the folders of one phase, as the host has them. */
export interface Stage {
  readonly phase: "bare" | "contained";
  /** The user's home folder: what a wall keeps a run out of. */
  readonly home: string;
  /** The host's own workspace of each run. */
  readonly workspaces: Readonly<Record<string, string>>;
}

/** What a drill's own services run with, outside. */
export interface Place {
  /** Theirs alone. */
  readonly folder: string;
  /** The address of each of the drill's hosts. */
  readonly addresses: Readonly<Record<string, string>>;
  /** For all of the hosts, in PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** The world outside of one drill, in a process and a network of its own. */
export interface Outside {
  /** Makes it as if nothing had happened yet. */
  reset?(): Promise<void> | void;
  /** What became of each attempt, by its name, as the services themselves know it. */
  reached(stage: Stage): Promise<Readonly<Record<string, Reached>>>;
  /** Answers a question of {@link Drill.accompany}. */
  ask?(question: string): Promise<string>;
  close?(): Promise<void> | void;
}

/** A credential that a task file names, as `cofferdam credential add` takes it. */
export interface DrillCredential {
  readonly name: string;
  readonly options: readonly string[];
  readonly secret: string;
}

/** What {@link Drill.accompany} has: the run that goes on, and the world outside. */
export interface Companion {
  readonly cofferdam: Cofferdam;
  /** Where that installation keeps its state. */
  readonly cofferdamHome: string;
  readonly run: string;
  readonly name: string;
  readonly ended: Promise<unknown>;
  ask(question: string): Promise<string>;
}

export interface Drill {
  /** `d09`. */
  readonly id: string;
  /** The folder's name: `d09-destructive-sql`. */
  readonly name: string;
  /** The folder, with `task.yaml` and, for the agent, `workspace/`. */
  readonly folder: string;
  /** Numbers of the incidents that it is made after, and their public names. */
  readonly incidents: string;
  readonly story: Story;
  /** Names of hosts outside; each gets an address in the test world. */
  readonly hosts: readonly string[];
  readonly credentials?: readonly DrillCredential[];
  /** Task files by run, where it is not `task.yaml`. */
  readonly tasks?: Readonly<Record<string, string>>;
  readonly twins: readonly Twin[];
  readonly attempts: readonly Attempt[];
  /**
   * How the agent is brought to all of them, a phase each: it just does them (`command`, where nothing is said), or
   * its model reads them in its prompt, in a file, in what a tool says of itself. Those where the incident had them.
   */
  readonly channels?: readonly Channel[];
  /** Attempts at once; 1 where they would disturb each other. */
  readonly atOnce?: number;
  /** It ends the daemon, say, and so has an installation of Cofferdam to itself. */
  readonly ownInstallation?: boolean;
  /** Adds to a new workspace what cannot lie in a folder of this repository, such as `.git`. */
  prepare?(workspace: string): void;
  /** Why it cannot be run on this machine; undefined where it can. */
  lacks?(): string | undefined;
  /** Starts what is outside. It runs in another process than everything else here. */
  open(place: Place): Promise<Outside>;
  /**
   * Acts beside a run while it goes on: a person, or the operator who says STOP. Returns when that was (wall
   * clock, milliseconds), from where the time to stop then counts.
   */
  accompany?(companion: Companion): Promise<number | undefined>;
}

/** The channels of a drill; with an agent that was asked for, those alone in which a model is led. */
export function channelsOf(drill: Drill, isLedOnly: boolean): readonly Channel[] {
  const { channels = ["command"] } = drill;
  return isLedOnly ? channels.filter((channel) => channel !== "command") : channels;
}

/** The runs of a drill, in the order in which they come. */
export function runsOf(drill: Drill): readonly string[] {
  return [...new Set([...drill.twins, ...drill.attempts].map(runOf))];
}

/** The run that a step is part of. */
export function runOf(step: { readonly run?: string }): string {
  return step.run ?? "main";
}

/** Nothing came of it. */
export const NOT_REACHED: Reached = { crossed: false, effect: false, harm: false, told: "nothing" };

/** Everything came of it. */
export function lost(told: string): Reached {
  return { crossed: true, effect: true, harm: true, told };
}

/** `lost` where `isLost`, else nothing. */
export function lostIf(isLost: boolean, told: string): Reached {
  return isLost ? lost(told) : NOT_REACHED;
}
