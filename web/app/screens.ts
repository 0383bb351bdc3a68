/**
 * The screens, in the order of the menu. Each is loaded when it is opened.
 *
 * @module
 */
import { lazy, type ComponentType, type LazyExoticComponent } from "react";

export interface ScreenEntry {
  readonly path: string;
  readonly label: string;
  /** The key behind `g`. */
  readonly key: string;
  /** Path of an icon in a 20 by 20 box. */
  readonly icon: string;
  readonly Screen: LazyExoticComponent<ComponentType>;
}

export const SCREENS: readonly ScreenEntry[] = [
  {
    path: "/",
    label: "Now",
    key: "n",
    icon: "M3 10h3l2-6 4 12 2-6h3",
    Screen: lazy(async () => ({ default: (await import("../screens/now/index.tsx")).NowScreen })),
  },
  {
    path: "/approvals",
    label: "Approvals",
    key: "a",
    icon: "M4 10.5l4 4 8-9",
    Screen: lazy(async () => ({
      default: (await import("../screens/approvals/index.tsx")).ApprovalsScreen,
    })),
  },
  {
    path: "/runs",
    label: "Runs",
    key: "r",
    icon: "M3 5h9M5 10h11M4 15h7",
    Screen: lazy(async () => ({ default: (await import("../screens/run/index.tsx")).RunScreen })),
  },
  {
    path: "/blast",
    label: "Blast radius",
    key: "b",
    icon: "M10 10m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M10 2v4M10 14v4M2 10h4M14 10h4",
    Screen: lazy(async () => ({
      default: (await import("../screens/blast/index.tsx")).BlastScreen,
    })),
  },
  {
    path: "/tasks",
    label: "Tasks",
    key: "t",
    icon: "M5 3h7l4 4v10H5zM8 10h5M8 13h5",
    Screen: lazy(async () => ({
      default: (await import("../screens/tasks/index.tsx")).TasksScreen,
    })),
  },
  {
    path: "/credentials",
    label: "Credentials",
    key: "c",
    icon: "M7 13a4 4 0 1 1 3-6.6L17 6.5v3h-2v2h-3l-1.4-.2A4 4 0 0 1 7 13z",
    Screen: lazy(async () => ({
      default: (await import("../screens/credentials/index.tsx")).CredentialsScreen,
    })),
  },
  {
    path: "/ledger",
    label: "Ledger",
    key: "l",
    icon: "M4 4h12v12H4zM4 8h12M4 12h12M8 4v12",
    Screen: lazy(async () => ({
      default: (await import("../screens/ledger/index.tsx")).LedgerScreen,
    })),
  },
  {
    path: "/incidents",
    label: "Incidents",
    key: "i",
    icon: "M10 3l8 14H2zM10 8v4M10 14.5v.5",
    Screen: lazy(async () => ({
      default: (await import("../screens/incidents/index.tsx")).IncidentsScreen,
    })),
  },
  {
    path: "/drills",
    label: "Drills",
    key: "d",
    icon: "M10 10m-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0M10 10m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
    Screen: lazy(async () => ({
      default: (await import("../screens/drills/index.tsx")).DrillsScreen,
    })),
  },
  {
    path: "/doctor",
    label: "Doctor",
    key: "o",
    icon: "M10 4v12M4 10h12",
    Screen: lazy(async () => ({
      default: (await import("../screens/doctor/index.tsx")).DoctorScreen,
    })),
  },
  {
    path: "/people",
    label: "People",
    key: "p",
    icon: "M10 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17a6 6 0 0 1 12 0",
    Screen: lazy(async () => ({
      default: (await import("../screens/people/index.tsx")).PeopleScreen,
    })),
  },
];
