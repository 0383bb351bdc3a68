/** One run, from the model's words to the packet; and the list of runs that leads there. */
import { Route, Switch } from "wouter";
import { RunList } from "./run-list.tsx";
import { RunView } from "./run-view.tsx";

export function RunScreen() {
  return (
    <Switch>
      <Route path="/">
        <RunList />
      </Route>
      <Route path="/:run">{({ run }) => <RunView key={run} run={run} />}</Route>
    </Switch>
  );
}
