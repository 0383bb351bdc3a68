/** What a yes could widen, before and after: it takes a moment to work out, and the card does not wait for it. */
import { useCall } from "../../calls/index.ts";
import { Failure, Loading } from "../../parts/index.ts";
import { Lines } from "./text.tsx";
import styles from "./approvals.module.css";

export function Widens({ id, mayLeave }: { id: string; mayLeave: boolean }) {
  const { data, error } = useCall("approvals.widens", { id });
  if (error !== null) return <Failure error={error} />;
  if (data === undefined)
    return mayLeave ? <Loading what="Working out what it could widen" /> : null;
  return (
    <>
      {data.worst === undefined ? null : <Lines items={data.worst} />}
      {data.leave === undefined ? null : (
        <details>
          <summary>What leave for more of the same would make possible</summary>
          <Leave lines={data.leave} />
        </details>
      )}
    </>
  );
}

/** The same beside the fields of a leave. */
export function LeaveOf({ id }: { id: string }) {
  const { data, error } = useCall("approvals.widens", { id });
  if (error !== null) return <Failure error={error} />;
  if (data === undefined) return <Loading what="Working it out" />;
  return <Leave lines={data.leave ?? data.worst ?? []} />;
}

function Leave({ lines }: { lines: readonly string[] }) {
  if (lines.length > 0) return <Lines items={lines} />;
  return <p className={styles.quiet}>Nothing of what is possible at worst changes.</p>;
}
