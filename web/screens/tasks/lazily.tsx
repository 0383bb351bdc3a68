/** The editor and what shows differences, loaded when a file is opened: the list needs neither. */
import { lazy, Suspense } from "react";
import { Loading } from "../../parts/index.ts";
import type { DifferenceProps } from "./difference.tsx";
import type { EditorProps } from "./editor.tsx";

const LoadedEditor = lazy(async () => ({ default: (await import("./editor.tsx")).Editor }));
const LoadedDifference = lazy(async () => ({
  default: (await import("./difference.tsx")).Difference,
}));

export function Editor(props: EditorProps) {
  return (
    <Suspense fallback={<Loading what="Opening the editor" />}>
      <LoadedEditor {...props} />
    </Suspense>
  );
}

export function Difference(props: DifferenceProps) {
  return (
    <Suspense fallback={<Loading />}>
      <LoadedDifference {...props} />
    </Suspense>
  );
}
