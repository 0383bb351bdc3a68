/** What a screen breaks, breaks that screen alone: the menu stays, and the way to load the page again. */
import { Component, type ReactNode } from "react";
import { Button, Failure } from "../parts/index.ts";
import styles from "./app.module.css";

interface State {
  readonly isBroken: boolean;
  readonly error?: unknown;
}

export class Fence extends Component<{ children: ReactNode }, State> {
  override state: State = { isBroken: false };

  static getDerivedStateFromError(error: unknown): State {
    return { isBroken: true, error };
  }

  override render(): ReactNode {
    const { isBroken, error } = this.state;
    if (!isBroken) return this.props.children;
    return (
      <div className={styles.broken}>
        <h1>This screen cannot be shown</h1>
        <p>The console may have been started again meanwhile, in another version.</p>
        <Failure error={error} />
        <Button kind="primary" onClick={() => location.reload()}>
          Load the page again
        </Button>
      </div>
    );
  }
}
